"""Proves a policy: runs each probe in a bare container, then in one as experiments get it.

Probes that only try something share a container, each in its own process; those that end or fill
one, or that the host must judge, have their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.core.errors import AisciError, ControlUnavailable
from orchestrator.core.job import ContainerKind
from orchestrator.proof.judge import ProbeResult, judge_probe
from orchestrator.proof.observation import BareAndGuarded, Observation
from orchestrator.proof.probe import Probe
from orchestrator.proof.proof import FullRun
from orchestrator.proof.running.fixtures import lowered_limits
from orchestrator.proof.running.host_probes import HOST_PROBES
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.sandbox.images.build import OnLine


def prove_kind(
    runner: ProbeRunner, kind: ContainerKind, probes: Sequence[Probe], say: OnLine
) -> Iterator[ProbeResult]:
    """Each probe's result in one kind of container, as it is known; ``say`` gets each step.

    If no such container can run on this machine, every result says so.

    Raises:
        EngineFailed, SandboxFailed: the engine failed, or a container was not as requested.
    """
    shared = [probe for probe in probes if not probe.alone]
    try:
        runner.together(kind, shared[:1])
    except ControlUnavailable as error:
        why = f"no such container here: {_error_text(error)}"
        yield from (_result(probe, kind, why=why) for probe in probes)
        return
    yield from _shared(runner, kind, shared, say)
    for probe in probes:
        if probe.alone:
            say(probe.id)
            yield _alone(runner, kind, probe)


def full_run(runner: ProbeRunner, kind: ContainerKind) -> FullRun:
    """Run a program that does nothing, at the policy's own limits."""
    try:
        result = runner.idle(kind)
    except AisciError as error:
        return FullRun(kind=kind, why=_error_text(error))
    if not result.ok:
        return FullRun(kind=kind, why=f"it ended as: {result.verdict}")
    return FullRun(kind=kind, attestation=result.attestation)


def _error_text(error: AisciError) -> str:
    return ": ".join(filter(None, (error.what, error.why)))


def _shared(
    runner: ProbeRunner, kind: ContainerKind, probes: Sequence[Probe], say: OnLine
) -> Iterator[ProbeResult]:
    """Probes that share a container; one that did not report its end there runs again alone."""
    say(f"{len(probes)} probes in bare containers")
    bare = runner.bare_together(kind, probes)
    say(f"{len(probes)} probes in one container")
    guarded, container = runner.together(kind, probes)
    for probe in probes:
        seen = guarded.get(probe.id, Observation())
        if seen.done:
            both = bare.get(probe.id, Observation()), seen, container
            yield _judged(runner, kind, probe, both)
        else:
            say(probe.id)
            yield _alone(runner, kind, probe)


def _alone(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> ProbeResult:
    if probe.judge == "host":
        return _judged(runner, kind, probe, HOST_PROBES[probe.id](runner, kind, probe))
    bare = runner.bare_alone(kind, probe)
    guarded, result = runner.alone(kind, probe)
    return _judged(runner, kind, probe, (bare, guarded, result.attestation.container))


def _judged(
    runner: ProbeRunner, kind: ContainerKind, probe: Probe, seen: BareAndGuarded
) -> ProbeResult:
    (bare, guarded, container), limits = seen, runner.limits[kind]
    state, saw, why = judge_probe(probe, limits.runtime, bare, guarded, runner.storage)
    less = lowered_limits(limits, probe)[1] if probe.lower else ""
    through = dict.fromkeys(one.saw or one.name for one in bare.through)
    return _result(
        probe, kind, state=state, saw=saw, why=why, verdict=guarded.verdict,
        container=container, lowered=less, bare="; ".join(list(through)[:4]),
    )  # fmt: skip


def _result(probe: Probe, kind: ContainerKind, **seen: object) -> ProbeResult:
    """A result with the probe's own description; not provable, unless ``seen`` says more."""
    fields: dict[str, object] = {"state": "not provable here", "saw": "", **seen}
    return ProbeResult(
        probe=probe.id, kind=kind, promise=probe.promise, tries=probe.tries, parts=probe.parts,
        families=probe.families, **fields,  # type: ignore[arg-type]  # a result's own fields
    )  # fmt: skip
