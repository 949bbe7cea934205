"""What gVisor's runtime, runsc, needs of the engine and of a policy, to hold what it is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core.job import Limits
from orchestrator.policy.runtimes import LEAST_PIDS
from orchestrator.record.attestation import Pairs
from orchestrator.sandbox.engine.stream import STDOUT, Stream

RUNTIME = "runsc"

STATUS_FIELDS = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "Seccomp")
_WITHIN, _MOST = 30.0, 1 << 16  # seconds, bytes
_HOW = "scripts/setup-gvisor.sh says how to register it"


def why_unusable(info: Mapping[str, Any]) -> str:
    """Why the engine that describes itself in ``info`` cannot use runsc; empty if it can."""
    entry = info["Runtimes"].get(RUNTIME)
    if entry is None:
        return f"the engine has {', '.join(sorted(info['Runtimes']))}; {_HOW}"
    words = [word.lstrip("-").partition("=") for word in entry.get("runtimeArgs") or ()]
    said = {name: value or "true" for name, _, value in words}  # the last one of a name counts
    if said.get("oci-seccomp") != "true":
        return f"it is registered without --oci-seccomp, so it drops seccomp profiles; {_HOW}"
    if said.get("overlay", "false") != "false" or said.get("overlay2", "").startswith("all"):
        return f"it is registered with an overlay on every mount, past the disk quota; {_HOW}"
    return ""


def requirements(limits: Limits, info: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Rows of the policy's key, whether it can be held, and what was asked and is missing."""
    why = why_unusable(info)
    yield "runtime", not why, f"{RUNTIME}; {why}"
    yield "network", not limits.network, f"an allow-list; {RUNTIME} lets no socket of the host's in"
    yield "gpus", not limits.gpus, f"{limits.gpus} under {RUNTIME}, which was never tried with one"
    yield (
        "resources.pids",
        limits.pids >= LEAST_PIDS[RUNTIME],
        f"{limits.pids}; {RUNTIME} takes part of them itself and needs {LEAST_PIDS[RUNTIME]}",
    )


def read_gate_status(stream: Stream) -> Pairs:
    """What gVisor's kernel says of the job's processes, before the job's program starts.

    The gate's first words are its own ``/proc/self/status`` and an empty line, and then it waits.
    What it does not say is left out, and is missed by ``check_seen``.
    """
    text, until = b"", time.monotonic() + _WITHIN
    while b"\n\n" not in text and len(text) < _MOST and not stream.ended:
        if time.monotonic() > until:
            break
        text += b"".join(data for which, data in stream.read(1.0) if which == STDOUT)
    lines = text.decode(errors="replace").splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return tuple(
        (f"inside {name}", " ".join(fields[name].split()))
        for name in STATUS_FIELDS
        if name in fields
    )
