"""How an engine is asked for GPUs: by name through CDI where it supports that, else by NVIDIA's hook.

The Container Device Interface names each device (``nvidia.com/gpu=GPU-<uuid>``) in a file that
``nvidia-ctk cdi generate`` wrote; Docker reads those since version 25, and reports them in its
``/info``: ``CDISpecDirs`` (empty where CDI is off) and, since API 1.50, ``DiscoveredDevices``.
Tried with one H200; the toolkit's hook is untested.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orchestrator.core.secrets import without_secrets

_KIND = "nvidia.com/gpu"
_WITHIN = 10  # seconds that a tool may take to answer


def cdi_devices(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The GPUs that the engine of this ``/info`` lends by name; none where it has no CDI."""
    if not info.get("CDISpecDirs"):
        return ()
    devices = info.get("DiscoveredDevices")
    if devices is None:  # Docker 25 to 28.1 reads the files but does not report their devices
        return tuple(
            name
            for name in tool_output("nvidia-ctk", "cdi", "list").split()
            if name.startswith(f"{_KIND}=")
        )
    devices = (device for device in devices if device.get("Source") == "cdi")
    names = (str(device.get("ID") or device.get("Name") or "") for device in devices)
    return tuple(sorted(name for name in names if name.startswith(f"{_KIND}=")))


def device_requests(uuids: Sequence[str], by_name: Collection[str]) -> list[dict[str, Any]]:
    """The engine's request for exactly these GPUs; empty for none.

    By CDI only where ``by_name``, the names that the engine knows, has all of them. An engine refuses
    an unknown name; it never lends another GPU instead.
    """
    if not uuids:
        return []
    names = [f"{_KIND}={uuid}" for uuid in uuids]
    named = set(names) <= set(by_name)
    return [
        {
            "Driver": "cdi" if named else "",
            "Count": 0,
            "DeviceIDs": names if named else list(uuids),
            "Capabilities": [] if named else [["gpu"]],
            "Options": {},
        }
    ]


def every_gpu(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The request for all GPUs of the engine of this ``/info``, as a bare container makes it."""
    names = cdi_devices(info)
    # A tool lists each device by index too, and all of them as one: the same device once is enough.
    chosen = [f"{_KIND}=all"] if f"{_KIND}=all" in names else [n for n in names if "=GPU-" in n]
    if not chosen:
        return [{"Count": -1, "Capabilities": [["gpu"]]}]
    return [{"Driver": "cdi", "DeviceIDs": chosen}]


def same_form(request: Mapping[str, Any]) -> dict[str, Any]:
    """An engine's spelling of a request, with null replaced by the value that was asked for."""
    empty: dict[str, Any] = {"Driver": "", "Count": 0, "DeviceIDs": [], "Capabilities": []}
    return {name: request.get(name) or none for name, none in (empty | {"Options": {}}).items()}


def how_lent(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The evidence about GPUs, from a container's create request; empty without any."""
    requests = body["HostConfig"]["DeviceRequests"]
    if not requests:
        return ()
    by_name = requests[0]["Driver"] == "cdi"
    return (
        ("lent by", "their names (CDI)" if by_name else "the toolkit's hook"),
        ("enforced", "watched: sampled, and killed when over; no wall in hardware"),
    )


def tool_output(tool: str, *words: str) -> str:
    """What this program of the host prints for ``words``; empty where it does not answer."""
    command = shutil.which(tool)
    if command is None:
        return ""
    try:
        return subprocess.run(
            [command, *words],
            env=without_secrets(os.environ),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WITHIN,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
