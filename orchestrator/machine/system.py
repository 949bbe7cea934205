"""What this machine's own files say: its size, the kernel's switches, disks, packages, users."""

from __future__ import annotations

import grp
import gzip
import os
import platform
import pwd
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from orchestrator.core.host import Machine
from orchestrator.sandbox.gpus.cdi import tool_output
from orchestrator.sandbox.storage.xfs import mount_of

_MAX_CHANGELOG = 4 << 20  # bytes of a package's changelog that are read
_ENTRY = re.compile(r"^[a-z0-9][a-z0-9+.-]+ \(([^()\s]+)\)")
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}")

# The packages that may provide each component: the distributions', Docker's and NVIDIA's.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "Engine": ("docker.io", "docker-ce"),
    "containerd": ("containerd", "containerd.io"),
    "runc": ("runc", "containerd.io"),
    "nvidia-container-toolkit": ("nvidia-container-toolkit",),
}


def _text(path: str | Path) -> str:
    """A file's text; empty where it cannot be read."""
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except OSError:
        return ""


def first_line(path: str) -> str:
    """The first line of one of the kernel's files; empty where it cannot be read."""
    return _text(path).partition("\n")[0]


def user_namespaces() -> bool:
    """Whether both of the kernel's switches let an unprivileged process make a user namespace."""
    # Only Debian's has the first one.
    allowed = first_line("/proc/sys/kernel/unprivileged_userns_clone") or "1"
    return allowed != "0" and first_line("/proc/sys/user/max_user_namespaces") not in ("", "0")


def distribution() -> str:
    """Name and release of the distribution; empty where it is not known."""
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', _text("/etc/os-release"), re.MULTILINE)
    return found.group(1) if found else ""


def disk_of(folder: str, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The file system of ``folder`` as text: kind, source, whether it has project quotas."""
    mount = mount_of(Path(folder), _text(mounts))
    quotas = "with" if mount.has_project_quotas else "without"
    return f"{mount.kind} on {mount.source}, {quotas} project quotas" if mount.source else ""


def installed_packages(status: Path = Path("/var/lib/dpkg/status")) -> dict[str, str]:
    """Package → version of the packages in :data:`PACKAGES` that dpkg installed; {} without dpkg."""
    names = {name for packages in PACKAGES.values() for name in packages}
    found = {}
    for block in _text(status).split("\n\n"):
        fields = dict(re.findall(r"^(Package|Status|Version): (.*)$", block, re.MULTILINE))
        present = fields.get("Status", "").endswith(" installed")
        if present and fields.get("Package") in names:
            found[fields["Package"]] = fields.get("Version", "")
    return found


def patched_cves(
    components: Mapping[str, str], packages: Mapping[str, str], docs: Path = Path("/usr/share/doc")
) -> Iterator[tuple[str, str, str]]:
    """(component, CVE, package version): the CVEs that each package's own changelog fixes.

    Only where the running component comes from that package: the package's version begins with
    the version that the component reports.
    """
    for component, version in components.items():
        for package in PACKAGES.get(component, ()):
            if version and packages.get(package, "").startswith(version):
                for cve, since in _changelog(docs / package / "changelog.Debian.gz").items():
                    yield component, cve, f"{package} {since}"


def _changelog(path: Path) -> dict[str, str]:
    """CVE → the package's version that first named it."""
    try:
        with gzip.open(path) as file:
            text = file.read(_MAX_CHANGELOG).decode("utf-8", errors="replace")
    except (OSError, EOFError):
        return {}
    found: dict[str, str] = {}
    version = ""
    for line in text.splitlines():  # newest entry first, so an older one overwrites it
        if entry := _ENTRY.match(line):
            version = entry.group(1)
        found |= dict.fromkeys(_CVE.findall(line), version)
    return found


def toolkit_version() -> str:
    """The version of NVIDIA's container toolkit; empty where it cannot be read."""
    found = re.search(r"version:?\s+v?(\d\S*)", tool_output("nvidia-ctk", "--version"))
    return found.group(1) if found else ""


def socket_rights(path: str) -> tuple[str, tuple[str, ...], bool]:
    """A socket's ``owner:group mode``, the group's members, and whether everybody may write."""
    status = Path(path).stat()
    mode, owner, group = stat.S_IMODE(status.st_mode), str(status.st_uid), str(status.st_gid)
    members: set[str] = set()
    with suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    with suppress(KeyError):
        entry = grp.getgrgid(status.st_gid)
        group, members = entry.gr_name, set(entry.gr_mem)
        members |= {user.pw_name for user in pwd.getpwall() if user.pw_gid == status.st_gid}
    writers = sorted(members - {owner}) if mode & stat.S_IWGRP else []
    everybody = bool(mode & stat.S_IWOTH) and os.access(Path(path).parent, os.X_OK)
    return f"{owner}:{group} {mode:04o}", tuple(writers), everybody


def measure_machine(
    folder: Path, *, gpus: int | None = None, gpu_memory: int | None = None
) -> Machine:
    """Usable CPUs, bytes of memory and of free disk at ``folder``, the kernel's maximum counts."""
    page, pages = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory=page * pages,
        disk=shutil.disk_usage(folder).free,
        gpus=gpus,
        gpu_memory=gpu_memory,
        pids=min(_count("kernel/pid_max"), _count("kernel/threads-max")),
        open_files=_count("fs/nr_open"),
    )


def machine_text(gpus: tuple[str, ...] = ()) -> str:
    """This machine as text: processor, usable CPUs, memory, GPUs."""
    found = re.search(r"^model name\s*: (.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    processor = found[1] if found else platform.machine()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (processor, f"{len(os.sched_getaffinity(0))} CPUs", f"{gib:.0f} GiB", *gpus)
    return ", ".join(" ".join(part.split()) for part in parts)


def _count(name: str) -> int:
    return int(Path("/proc/sys", name).read_text("ascii"))
