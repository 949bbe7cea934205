"""What this machine's own files say: the kernel's switches, disks, installed packages, people."""

from __future__ import annotations

import grp
import gzip
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

_STATUS = Path("/var/lib/dpkg/status")
_DOCS = Path("/usr/share/doc")
_MOST = 4 << 20  # bytes of a package's history that are read
_ENTRY = re.compile(r"^[a-z0-9][a-z0-9+.-]+ \(([^()\s]+)\)")
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}")

# Whose binary each component may be: the distributions' packages, and Docker's and NVIDIA's own.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "Engine": ("docker.io", "docker-ce"),
    "containerd": ("containerd", "containerd.io"),
    "runc": ("runc", "containerd.io"),
    "nvidia-container-toolkit": ("nvidia-container-toolkit",),
}


def first_line(path: str) -> str:
    """The first line of one of the kernel's files; empty where it cannot be read."""
    try:
        return Path(path).read_text("utf-8", errors="replace").partition("\n")[0]
    except OSError:
        return ""


def user_namespaces() -> bool:
    """Whether both of the kernel's switches let an unprivileged process make a user namespace."""
    allowed = (
        first_line("/proc/sys/kernel/unprivileged_userns_clone") or "1"
    )  # only Debian's has it
    return allowed != "0" and first_line("/proc/sys/user/max_user_namespaces") not in ("", "0")


def distribution() -> str:
    """Its name and release, as it calls itself; empty where it does not say."""
    try:
        text = Path("/etc/os-release").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.MULTILINE)
    return found.group(1) if found else ""


def disk_of(folder: str, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The file system below ``folder``, in words: kind, source, whether it has project quotas."""
    best, found = -1, ""
    for line in mounts.read_text("utf-8", errors="replace").splitlines():
        before, _, after = line.partition(" - ")
        place = before.split()[4]
        kind, source, options = after.split()[:3]
        inside = place in ("/", folder) or folder.startswith(place + "/")
        if inside and len(place) >= best:
            quota = {"prjquota", "pquota"} & set(options.split(","))
            best = len(place)
            found = f"{kind} on {source}, {'with' if quota else 'without'} project quotas"
    return found


def installed_packages(status: Path = _STATUS) -> dict[str, str]:
    """Package → version, of those in :data:`PACKAGES` that dpkg installed; none without dpkg."""
    wanted = {name for names in PACKAGES.values() for name in names}
    try:
        text = status.read_text("utf-8", errors="replace")
    except OSError:
        return {}
    found = {}
    for block in text.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Status|Version): (.*)$", block, re.MULTILINE))
        here = fields.get("Status", "").endswith(" installed")
        if here and fields.get("Package") in wanted:
            found[fields["Package"]] = fields.get("Version", "")
    return found


def patched_cves(
    components: Mapping[str, str], packages: Mapping[str, str], docs: Path = _DOCS
) -> Iterator[tuple[str, str, str]]:
    """(component, CVE, where): what each installed package's own history says it mended.

    Only where the running component is that package's: its version begins with the number
    that the component tells.
    """
    for component, version in components.items():
        for package in PACKAGES.get(component, ()):
            if version and packages.get(package, "").startswith(version):
                for cve, since in _history(docs / package / "changelog.Debian.gz").items():
                    yield component, cve, f"{package} {since}"


def _history(path: Path) -> dict[str, str]:
    """CVE → the package's version that first named it."""
    try:
        with gzip.open(path) as file:
            text = file.read(_MOST).decode("utf-8", errors="replace")
    except (OSError, EOFError):
        return {}
    found: dict[str, str] = {}
    version = ""
    for line in text.splitlines():  # the newest entry stands first
        if entry := _ENTRY.match(line):
            version = entry.group(1)
        found |= dict.fromkeys(_CVE.findall(line), version)
    return found


def toolkit_version() -> str:
    """The version of NVIDIA's container toolkit; empty where it is not installed or is silent."""
    command = shutil.which("nvidia-ctk")
    if command is None:
        return ""
    try:
        done = subprocess.run(  # a program of the machine's own, without arguments of ours
            [command, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version:?\s+v?(\d\S*)", done.stdout)
    return found.group(1) if found else ""


def socket_rights(path: str) -> tuple[str, tuple[str, ...], bool]:
    """A socket's ``owner:group mode``, who is in that group, and whether everybody may write."""
    seen = Path(path).stat()
    mode = stat.S_IMODE(seen.st_mode)
    owner, group = _name(seen.st_uid), str(seen.st_gid)
    members: set[str] = set()
    try:
        entry = grp.getgrgid(seen.st_gid)
    except KeyError:
        pass
    else:
        group = entry.gr_name
        members = set(entry.gr_mem)
        members |= {user.pw_name for user in pwd.getpwall() if user.pw_gid == seen.st_gid}
    writes = mode & stat.S_IWGRP
    return (
        f"{owner}:{group} {mode:04o}",
        tuple(sorted(members - {owner})) if writes else (),
        bool(mode & stat.S_IWOTH) and os.access(Path(path).parent, os.X_OK),
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
