"""How an engine is asked for GPUs: by name through CDI where it has them, else NVIDIA's own way.

The Container Device Interface names each device (``nvidia.com/gpu=GPU-<uuid>``) in a file that
``nvidia-ctk cdi generate`` wrote; Docker reads those since version 25, and says so in its
``/info``: ``CDISpecDirs`` (empty where CDI is off) and, since API 1.50, ``DiscoveredDevices``.
Untried on a GPU.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

_KIND = "nvidia.com/gpu"
_WITHIN = 10  # seconds that the toolkit may take to list its devices


def cdi_devices(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The GPUs that the engine of this ``/info`` lends by name; none where it has no CDI."""
    if not info.get("CDISpecDirs"):
        return ()
    found = info.get("DiscoveredDevices")
    if found is None:  # Docker 25 to 28.1 reads the files and does not say what is in them
        return tuple(name for name in _listed() if name.startswith(f"{_KIND}="))
    names = (str(one.get("ID") or one.get("Name") or "") for one in found if _by_cdi(one))
    return tuple(sorted(name for name in names if name.startswith(f"{_KIND}=")))


def device_requests(uuids: Sequence[str], info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The engine's request for exactly these GPUs; empty for none.

    By CDI only where it names every one of them: a name that the engine does not know fails the
    container's start, and never lends another GPU.
    """
    if not uuids:
        return []
    names = [f"{_KIND}={uuid}" for uuid in uuids]
    by_name = set(names) <= set(cdi_devices(info))
    return [
        {
            "Driver": "cdi" if by_name else "",
            "Count": 0,
            "DeviceIDs": names if by_name else list(uuids),
            "Capabilities": [] if by_name else [["gpu"]],
            "Options": {},
        }
    ]


def way(requests: Sequence[Mapping[str, Any]]) -> str:
    """How GPUs were lent, for the evidence: ``cdi``, ``toolkit``, or empty for none."""
    if not requests:
        return ""
    return "cdi" if requests[0]["Driver"] == "cdi" else "toolkit"


def _by_cdi(device: Mapping[str, Any]) -> bool:
    return device.get("Source") == "cdi"


def _listed() -> list[str]:
    """What the toolkit finds in the usual folders, ``/etc/cdi`` and ``/var/run/cdi``."""
    command = shutil.which("nvidia-ctk")
    if command is None:
        return []
    try:
        done = subprocess.run(  # a program of the machine's own, without arguments of ours
            [command, "cdi", "list"], capture_output=True, text=True, timeout=_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split()
