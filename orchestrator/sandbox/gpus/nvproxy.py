"""Which NVIDIA drivers gVisor passes on to its containers: an exact list in each release of runsc.

With another driver a container ends before its first line, and the engine says no more than `EOF`.
Untested on a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.sandbox.gpus.cdi import tool_output

MODULE = Path("/sys/module/nvidia/version")
_VERSION = re.compile(r"\d{2,4}(?:\.\d{1,4}){1,2}")


def loaded_driver(module: Path = MODULE) -> str:
    """The version of the NVIDIA driver that the kernel has loaded; empty without one."""
    try:
        return module.read_text("ascii", errors="replace").strip()
    except OSError:
        return ""


def listed_drivers(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The versions that the runsc of the engine of this ``/info`` lists.

    Empty where runsc is absent, or too old to have a list.
    """
    entry = info["Runtimes"].get("runsc")
    if entry is None:
        return ()
    lines = tool_output(entry.get("path") or "runsc", "nvproxy", "list-supported-drivers")
    return tuple(line for line in lines.split() if _VERSION.fullmatch(line))


def why_unlisted(driver: str, listed: tuple[str, ...]) -> str:
    """Why gVisor cannot serve the GPUs of ``driver``; empty if it can, or either is not known."""
    if not driver or not listed or driver in listed:
        return ""
    first = driver.partition(".")[0]
    branch = [one for one in listed if one.partition(".")[0] == first]
    near = f"of this branch it has {', '.join(branch)}" if branch else "it has none of this branch"
    return f"the NVIDIA driver {driver} is not in the list of this runsc; {near}"
