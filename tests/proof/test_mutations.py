"""Proof of the proof: a control that is taken away is noticed, by what its probes then can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind
from orchestrator.policy.controls import CONTROLS
from orchestrator.proof.mechanisms import PARTS
from orchestrator.proof.observation import Observation
from orchestrator.proof.probe import Probe, shipped_probes
from orchestrator.proof.running.host_probes import HOST_PROBES
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.proof.subject import Subject, applicable_probes, subject_of
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job.gvisor import why_unusable
from tests.support.bench import record
from tests.support.mutated_images import run_id
from tests.support.mutations import MUTATIONS, Mutation, Without
from tests.support.sample import some

SAMPLE = 4  # mutations in `make test`; the campaign tries all
ROOT = shipped_root()
NOT_HERE = {"gpus.granted": "there is no GPU to lend"}


def test_every_part_of_every_control_has_a_mutation() -> None:
    named = [mutation.part for mutation in MUTATIONS]
    assert len(named) == len(set(named))
    assert set(named) | set(NOT_HERE) == PARTS.keys()
    tried = {control.id for control in CONTROLS if control.in_containers}
    assert {part.partition(".")[0] for part in PARTS} == tried
    assert {control.id for control in CONTROLS} - tried == {"model"}


@pytest.mark.engine
@pytest.mark.parametrize("mutation", some(MUTATIONS, SAMPLE), ids=lambda one: one.part)
def test_a_control_that_is_taken_away_is_noticed_by_behaviour(mutation: Mutation) -> None:
    tried, through = notices(mutation)
    assert through, f"{mutation.says}: none of {tried} got through"


@pytest.mark.campaign
@pytest.mark.engine
def test_every_mutation_is_noticed() -> None:
    found = {}
    for mutation in MUTATIONS:
        tried, through = notices(mutation)
        found[mutation.part] = {"probes": len(tried), "noticed_by": sorted(through)}
    missed = {part for part, row in found.items() if not row["noticed_by"]}
    record("mutations", {"mutations": len(found), "missed": sorted(missed), "parts": found,
                         "not_here": NOT_HERE})  # fmt: skip
    assert missed == set()


def notices(mutation: Mutation) -> tuple[list[str], set[str]]:
    """The probes that name the part, and those that get through once it is taken away.

    With its layers away and itself in place none may: else it is not this part that stops them.
    """
    subject = subject_of(mutation.policy, ROOT / "policies")
    engine = connect()
    try:
        if subject.limits["experiment"].runtime != "runc" and (why := why_unusable(engine.info())):
            pytest.skip(f"no gVisor: {why}")
        with changed(engine, subject, mutation) as trials:
            tried = probes_of(subject, mutation)
            if mutation.layers is not None:
                still = {one.id for _, one, seen in seen_of(trials, tried, mutation.layers) if seen.through}  # fmt: skip
                assert still == set(), f"{mutation.part}: its layers alone let {still} through"
            through = {one.id for _, one, seen in seen_of(trials, tried, mutation.without) if seen.through}  # fmt: skip
            return sorted({one.id for _, one in tried}), through
    finally:
        engine.close()


def probes_of(subject: Subject, mutation: Mutation) -> list[tuple[ContainerKind, Probe]]:
    wanted, _ = applicable_probes(subject, shipped_probes(ROOT))
    return [
        (kind, one) for kind in mutation.kinds for one in wanted[kind] if mutation.part in one.parts
    ]


def seen_of(
    trials: ProbeRunner, tried: list[tuple[ContainerKind, Probe]], without: Without
) -> Iterator[tuple[ContainerKind, Probe, Observation]]:
    """What each probe does in a container without that."""
    with without(trials):
        for kind, probe in tried:
            if probe.judge == "host":
                yield kind, probe, HOST_PROBES[probe.id](trials, kind, probe)[1]
            else:
                yield kind, probe, trials.alone(kind, probe)[0]


@contextmanager
def changed(engine: Engine, subject: Subject, mutation: Mutation) -> Iterator[ProbeRunner]:
    """Trials under the mutation's policy, on a changed image where the part lies in there."""
    made: dict[str, str] = {}

    def image(name: str) -> str:
        return made.get(name) or resolve_image(engine, name)

    with ProbeRunner(engine, run_id(), subject.limits, image, ROOT, subject.hash) as trials:
        (kind,) = mutation.kinds
        with trials.image_with(kind, mutation.image) if mutation.image else nullcontext("") as own:
            made |= {subject.limits[kind].image: own} if own else {}
            yield trials
