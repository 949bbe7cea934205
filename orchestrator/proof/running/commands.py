"""The command lines of probes, in a policy's containers and in bare ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.proof.probe import HELPERS, Bare, Probe
from orchestrator.proof.running.fixtures import PROBES

_PLAYED = {".tex": f"{PROBES}/{HELPERS}/typeset.py", ".md": f"{PROBES}/{HELPERS}/editing.py"}
_NAIVE = f"{PROBES}/{HELPERS}/naive.py"
_WORLD = f"{PROBES}/{HELPERS}/world.py"


def probe_files(folder: Path) -> dict[str, bytes]:
    """Every file of the probes, by its path below a job's working directory."""
    return {
        f"{PROBES}/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def probe_argv(probe: Probe) -> tuple[str, ...]:
    player = _PLAYED.get(Path(probe.file).suffix)
    return ("python3", *([player] if player else []), f"{PROBES}/{probe.file}")


def bare_argv(probe: Probe, args: Sequence[str]) -> tuple[str, ...]:
    """As guarded; but where the host judges, a naive reader in the container does so instead."""
    argv = (*probe_argv(probe), *args)
    if probe.judge not in {"itself", "host"}:
        argv = ("python3", _NAIVE, probe.judge, *argv[1:])
    return _in_world(argv) if probe.bare == "world" else argv


def shared_argv(probes: Sequence[Probe], mode: Bare = "plain") -> tuple[str, ...]:
    argv = ("python3", f"{PROBES}/{HELPERS}/together.py", *(one.file for one in probes))
    return _in_world(argv) if mode == "world" else argv


def _in_world(argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("python3", _WORLD, *argv)
