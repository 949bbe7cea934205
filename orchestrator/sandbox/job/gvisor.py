"""What gVisor's runtime, runsc, requires of the engine and of a policy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core.job import Limits
from orchestrator.policy.runtimes import LEAST_PIDS
from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.engine.stream import STDOUT, Stream
from orchestrator.sandbox.gpus.nvproxy import listed_drivers, loaded_driver, why_unlisted

RUNTIME = "runsc"

STATUS_FIELDS = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "Seccomp")
_WITHIN, _MOST = 30.0, 1 << 16  # seconds, bytes
_UNTESTED = "which is untested with GPUs"
_HOW = "scripts/setup-gvisor.sh says how to register it"


def why_unusable(info: Mapping[str, Any]) -> str:
    """Why the engine of this ``/info`` cannot use runsc; empty if it can."""
    entry = info["Runtimes"].get(RUNTIME)
    if entry is None:
        return f"the engine has {', '.join(sorted(info['Runtimes']))}; {_HOW}"
    words = [word.lstrip("-").partition("=") for word in entry.get("runtimeArgs") or ()]
    options = {name: value or "true" for name, _, value in words}  # the last one of a name counts
    if options.get("oci-seccomp") != "true":
        return f"it is registered without --oci-seccomp, so it drops seccomp profiles; {_HOW}"
    if options.get("overlay", "false") != "false" or options.get("overlay2", "").startswith("all"):
        return f"it is registered with an overlay on every mount, past the disk quota; {_HOW}"
    return ""


def requirements(limits: Limits, info: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Rows of the policy's key, whether it can be enforced, and what is asked and missing."""
    why, least = why_unusable(info), LEAST_PIDS[RUNTIME]
    yield "runtime", not why, f"{RUNTIME}; {why}"
    yield "network", not limits.network, f"an allow-list; {RUNTIME} allows no socket of the host"
    unlisted = why_unlisted(loaded_driver(), listed_drivers(info)) if limits.gpus else ""
    yield "gpus", not limits.gpus, f"{limits.gpus} under {RUNTIME}; {unlisted or _UNTESTED}"
    pids = f"{limits.pids}; {RUNTIME} uses some of them itself and needs {least}"
    yield "resources.pids", limits.pids >= least, pids


def read_gate_status(stream: Stream) -> SettingPairs:
    """What gVisor's kernel reports of the job's processes, before the job's program starts.

    The gate first writes its own ``/proc/self/status`` and an empty line, and then waits. A field
    that is missing is left out here, and ``check_kernel_view`` refuses the job.
    """
    text, until = b"", time.monotonic() + _WITHIN
    while b"\n\n" not in text and len(text) < _MOST and not stream.ended:
        if time.monotonic() > until:
            break
        text += b"".join(data for which, data in stream.read(1.0) if which == STDOUT)
    lines = text.decode(errors="replace").splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    have = (name for name in STATUS_FIELDS if name in fields)
    return tuple((f"inside {name}", " ".join(fields[name].split())) for name in have)
