"""Places where no engine can run: a rented pod, or another container without an engine's rights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# A variable that each place sets for its own containers.
_PLACES = {
    "RUNPOD_POD_ID": "a RunPod pod",
    "VAST_CONTAINERLABEL": "a Vast.ai container",
    "COLAB_RELEASE_TAG": "a Google Colab machine",
    "KAGGLE_KERNEL_RUN_TYPE": "a Kaggle kernel",
    "KUBERNETES_SERVICE_HOST": "a Kubernetes pod",
}
_MARKS = (".dockerenv", "run/.containerenv")
_SYS_ADMIN = 21  # capability number: without it nothing is mounted, and no engine starts
INSTEAD = (
    "use a virtual machine or a machine of your own with Docker (a cloud's VM, not its pod); here, "
    "`aisci audit`, `report`, `replay` and `policy check` work without an engine"
)


def no_engine_here(environ: Mapping[str, str], root: Path = Path("/")) -> str:
    """What this place is, if no engine can run in it; empty elsewhere.

    ``root`` is the root of the file system to look at.
    """
    place = next((what for name, what in _PLACES.items() if environ.get(name)), "")
    contained = place or any((root / mark).exists() for mark in _MARKS)
    if not contained or _may_mount(root):
        return ""
    what = place or "a container"
    return f"this is {what}, without the rights that an engine needs: none can run in it"


def _may_mount(root: Path) -> bool:
    """Whether this process holds SYS_ADMIN in effect; True where that cannot be read."""
    try:
        status = (root / "proc/self/status").read_text("ascii", errors="replace")
    except OSError:
        return True
    rights = next((line.split()[1] for line in status.splitlines() if "CapEff" in line), "")
    return not rights or bool(int(rights, 16) >> _SYS_ADMIN & 1)
