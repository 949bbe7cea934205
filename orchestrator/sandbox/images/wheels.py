"""Wheels for the images, downloaded by the host: a build often cannot reach an index.

``pip download`` runs with the machine's settings (mirror, proxy, CA bundle), and accepts only
files that the lock names by hash. Nothing of them is run or imported here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from orchestrator.core.errors import ImageBuildFailed
from orchestrator.core.files import cache_home
from orchestrator.core.secrets import without_secrets
from orchestrator.sandbox.engine.client import one_line

# The images' Python, whatever runs aisci: Debian 12's, with glibc 2.36.
PYTHON = "3.11"
PLATFORMS = (
    "linux_x86_64",
    *(f"manylinux{year}_x86_64" for year in (1, 2010, 2014)),
    *(f"manylinux_2_{minor}_x86_64" for minor in range(5, 37)),
)


def wheels_home(root: Path) -> Path:
    """The folder of wheels: a checkout's, where ``docker build`` finds them, or the user's cache."""
    if (root / "pyproject.toml").is_file():
        return root / "sandbox" / "wheels"
    return cache_home() / "wheels"


def fetch_wheels(
    lock: Path, home: Path, *, ca_bundle: Path | None, say: Callable[[str], None]
) -> Path:
    """The folder of ``lock``'s wheels, downloaded if needed. Raises :class:`ImageBuildFailed`."""
    folder = home / lock.stem
    stamp = home / f".{lock.stem}.complete"
    want = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == want:
        return folder
    if importlib.util.find_spec("pip") is None:
        raise ImageBuildFailed(
            "The wheels of an image cannot be fetched: this Python has no pip.",
            where=sys.executable,
            todo=f"{sys.executable} -m ensurepip",
        )
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"fetching wheels by {lock.name}")
    _download(lock, folder, ca_bundle)
    stamp.write_text(want)
    return folder


def _download(lock: Path, folder: Path, ca_bundle: Path | None) -> None:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--python-version", PYTHON, "--implementation", "cp"),
        *("--abi", "cp311", "--abi", "abi3", "--abi", "none"),
        *(word for platform in PLATFORMS for word in ("--platform", platform)),
        *("--dest", str(folder), "--requirement", str(lock)),
    ]
    trust = _trust(ca_bundle)
    done = subprocess.run(
        command, env=trust, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        raise ImageBuildFailed(
            f"pip could not fetch what {lock.name} names.",
            where=str(lock),
            why=" / ".join(_errors(done.stderr)),
            todo="\n         ".join(_advice(done.stderr)),
        )


def _trust(ca_bundle: Path | None) -> dict[str, str]:
    """The environment for pip, which does not read ``SSL_CERT_FILE`` by itself."""
    environment = without_secrets(os.environ)
    bundle = str(ca_bundle or environment.get("PIP_CERT") or environment.get("SSL_CERT_FILE", ""))
    return environment | ({"PIP_CERT": bundle} if bundle else {})


def _errors(stderr: str) -> list[str]:
    """Pip's last errors, and the warning before them, which often names the cause."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")][-2:]
    errors += [line for line in lines if line.startswith(("Expected sha256", "Got  "))][-2:]
    warnings = [line for line in lines if line.startswith("WARNING: Retrying")][-1:]
    return [one_line(line) for line in warnings + errors or lines[-3:]]


def _advice(stderr: str) -> Iterator[str]:
    if "DO NOT MATCH THE HASHES" in stderr:
        yield (
            "The index has other files than the list names: create the list again if you chose "
            "another version; otherwise the index may be compromised."
        )
        return
    if "+cpu" in stderr:
        yield (
            "PyTorch's CPU wheels are not on the standard index: set PIP_EXTRA_INDEX_URL to "
            "PyTorch's index for CPU wheels, or PIP_FIND_LINKS to a folder that holds them."
        )
    if "CERTIFICATE" in stderr.upper():
        yield "Give your CA bundle: aisci images build --ca-bundle FILE, or SSL_CERT_FILE."
    yield "Check that pip reaches its index (`pip config list`), then: aisci images build"
