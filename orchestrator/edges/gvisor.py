"""What gVisor's runtime, runsc, needs of the engine and of a policy, to hold what it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.exceptions import LEAST_PIDS
from orchestrator.records import Limits

RUNTIME = "runsc"

_FILTER = "--oci-seccomp"
_HOW = "scripts/setup-gvisor.sh says how to register it"


def lacking(info: Mapping[str, Any]) -> str:
    """Why the engine that describes itself in ``info`` cannot use runsc; empty if it can."""
    entry = info["Runtimes"].get(RUNTIME)
    if entry is None:
        return f"the engine has {', '.join(sorted(info['Runtimes']))}; {_HOW}"
    words = [word.lstrip("-").removesuffix("=true") for word in entry.get("runtimeArgs") or ()]
    if _FILTER.lstrip("-") not in words:
        return f"it is registered without {_FILTER}, so it drops seccomp profiles; {_HOW}"
    return ""


def needs(limits: Limits, info: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Rows of the policy's key, whether it can be held, and what was asked and is missing."""
    why = lacking(info)
    yield "runtime", not why, f"{RUNTIME}; {why}"
    yield "network", not limits.network, f"an allow-list; {RUNTIME} lets no socket of the host's in"
    yield "gpus", not limits.gpus, f"{limits.gpus} under {RUNTIME}, which was never tried with one"
    yield (
        "resources.pids",
        limits.pids >= LEAST_PIDS[RUNTIME],
        f"{limits.pids}; {RUNTIME} takes part of them itself and needs {LEAST_PIDS[RUNTIME]}",
    )
