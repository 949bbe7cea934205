"""Which shipped policies this machine can run, by the same code that ``aisci run`` uses."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.api.images import resolve_images
from orchestrator.api.policies import usable_policy
from orchestrator.core.errors import AisciError, BadPolicy, ControlUnavailable, EngineUnavailable
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Host
from orchestrator.core.job import KINDS
from orchestrator.machine.doctor import Check, CheckState
from orchestrator.policy.policy import Policy, load_blocks
from orchestrator.policy.schema import BLOCKS
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.storage.quota import check_fits

READINESS = "shipped policies"
"""The group of these checks."""
# How to get what a line of a policy asks for and a machine lacks.
REMEDIES = (
    (r"asks for runtime", "install gVisor: docs/installing.md, what a machine can lack"),
    (r"no hard disk quota", "loop devices, or XFS with pquota: docs/installing.md, what a machine can lack"),
    (r"\b(memory|cpus|disk|workspace|keep_free)\b",
     "a larger machine, or a policy of your own that extends this one and lowers it"),
    (r"\bgpus\b", "a machine with NVIDIA GPUs: docs/installing.md, what a machine can lack"),
)  # fmt: skip


def readiness(host: Host, results: Path) -> tuple[Check, ...]:
    """One check per shipped policy: it can run here, or the first reason why not."""
    names = sorted(path.stem for path in (shipped_root() / "policies").glob("*.yaml"))
    engine = connect() if host.engine else None
    try:
        return tuple(_ready(name, host, results, engine) for name in names)
    finally:
        if engine is not None:
            engine.close()


def _ready(name: str, host: Host, results: Path, engine: Engine | None) -> Check:
    settings = load_blocks(name, shipped_root() / "policies")[1].settings
    if set(settings) <= set(BLOCKS):
        return _line(name, "note", f"the block `{', '.join(settings)}` alone, which others take")
    try:
        policy = usable_policy(name, results)
        if engine is None:
            return _line(name, "refused", "no engine answers", "the line `answers` says how")
        _as_tried(policy, host)
        resolve_images(policy, engine)
    except EngineUnavailable:
        raise
    except AisciError as error:
        return _line(name, "refused", _why(error), _remedy(error))
    return _line(name, "ok", "can run here")


def _as_tried(policy: Policy, host: Host) -> None:
    """Raise :class:`ControlUnavailable` for what failed just now, whatever the engine reports."""
    backends = [one.name for one in host.storage if one.state not in ("absent", "failed")]
    for kind in KINDS:
        if kind == "editor" and policy.editor_on_host:
            continue
        limits = policy.limits(kind)
        runtime = host.runtime(limits.runtime)
        if runtime.state == "failed":
            raise ControlUnavailable(
                f"a hardened job on {runtime.name} did not run just now",
                where=f"{kind}.runtime",
                todo=f"the line `runtime {runtime.name}` above says why",
            )
        if not backends:
            raise ControlUnavailable(
                "no hard disk quota can be given: no backend holds one here",
                where=f"{kind}.storage",
                todo="loop devices or XFS with pquota: docs/installing.md, what a machine can lack",
            )
        if backends == ["tmpfs"]:
            check_fits(limits.workspace, limits.tmp, limits.shm, limits.memory)


def _why(error: AisciError) -> str:
    """The policy's line and what is the matter with it, without the file's name."""
    if not isinstance(error, BadPolicy) or not error.problems:
        return error.what
    first, *more = error.problems
    shown = f"{first.place.key}: {first.what}"
    return shown + (f" (and {len(more)} more)" if more else "")


def _remedy(error: AisciError) -> str:
    """All that apply, a line each; where none does, what the error itself says."""
    text = f"{error.where} {error.what} {error.why}"
    found = [todo for pattern, todo in REMEDIES if re.search(pattern, text)]
    return "\n".join(found) or error.todo.partition("\n")[0]


def _line(name: str, state: CheckState, found: str, todo: str = "") -> Check:
    return Check(group=READINESS, name=name, state=state, found=found, basis="tested", todo=todo)
