"""Proves a policy: each probe in a bare container, then in one as experiments get it.

Probes that do no more than ask share a container, each a process of its own; those that end or
fill one, or that the host must look at, have it to themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from orchestrator.core.errors import AisciError, ControlUnavailable
from orchestrator.core.job import ContainerKind
from orchestrator.proof.judge import ProbeResult, judge_probe
from orchestrator.proof.observation import Observation
from orchestrator.proof.probe import Probe
from orchestrator.proof.proof import FullRun
from orchestrator.proof.running.fixtures import lowered_limits
from orchestrator.proof.running.host_probes import HOST_PROBES
from orchestrator.proof.running.runner import ProbeRunner

Say = Callable[[str], None]


def prove_kind(
    trials: ProbeRunner, kind: ContainerKind, probes: Sequence[Probe], say: Say
) -> Iterator[ProbeResult]:
    """Each probe's result in one kind of container, as it is known; ``say`` is told what is under way.

    Where no such container can be had on this machine, every result says so.

    Raises:
        EngineFailed, SandboxFailed: the engine broke off, or a container was not as asked.
    """
    try:
        trials.together(kind, probes[:0] or [one for one in probes if not one.alone][:1])
    except ControlUnavailable as error:
        why = ": ".join(filter(None, (error.what, error.why)))
        yield from (_result(one, kind, why=f"no such container here: {why}") for one in probes)
        return
    yield from _shared(trials, kind, [one for one in probes if not one.alone], say)
    for probe in probes:
        if probe.alone:
            say(probe.id)
            yield _alone(trials, kind, probe)


def full_run(trials: ProbeRunner, kind: ContainerKind) -> FullRun:
    """A program that does nothing, at the policy's own limits."""
    try:
        result = trials.idle(kind)
    except AisciError as error:
        return FullRun(kind=kind, why=": ".join(filter(None, (error.what, error.why))))
    if not result.ok:
        return FullRun(kind=kind, why=f"it ended as: {result.verdict}")
    return FullRun(kind=kind, attestation=result.attestation)


def _shared(
    trials: ProbeRunner, kind: ContainerKind, probes: Sequence[Probe], say: Say
) -> Iterator[ProbeResult]:
    """Those that share a container; one that said too little there is tried again alone."""
    say(f"{len(probes)} probes in bare containers")
    bare = trials.bare_together(kind, probes)
    say(f"{len(probes)} probes in one container")
    guarded, container = trials.together(kind, probes)
    for probe in probes:
        seen = guarded.get(probe.id, Observation())
        if seen.done:
            yield _judged(trials, kind, probe, bare.get(probe.id, Observation()), seen, container)
        else:
            say(probe.id)
            yield _alone(trials, kind, probe)


def _alone(trials: ProbeRunner, kind: ContainerKind, probe: Probe) -> ProbeResult:
    if probe.judge == "host":
        return _judged(trials, kind, probe, *HOST_PROBES[probe.id](trials, kind, probe))
    bare = trials.bare_alone(kind, probe)
    guarded, result = trials.alone(kind, probe)
    return _judged(trials, kind, probe, bare, guarded, result.attestation.container)


def _judged(
    trials: ProbeRunner,
    kind: ContainerKind,
    probe: Probe,
    bare: Observation,
    guarded: Observation,
    container: str,
) -> ProbeResult:
    limits = trials.limits[kind]
    state, saw, why = judge_probe(probe, limits.runtime, bare, guarded, trials.storage)
    less = lowered_limits(limits, probe)[1] if probe.lower else ""
    through = dict.fromkeys(one.saw or one.name for one in bare.through)
    return _result(
        probe, kind, state=state, saw=saw, why=why, verdict=guarded.verdict,
        container=container, lowered=less, bare="; ".join(list(through)[:4]),
    )  # fmt: skip


def _result(probe: Probe, kind: ContainerKind, **seen: object) -> ProbeResult:
    """A result with what the probe says of itself; not provable, unless something was seen."""
    told: dict[str, object] = {"state": "not provable here", "saw": "", **seen}
    return ProbeResult(
        probe=probe.id, kind=kind, promise=probe.promise, tries=probe.tries, parts=probe.parts,
        families=probe.families, **told,  # type: ignore[arg-type]  # a result's own fields
    )  # fmt: skip
