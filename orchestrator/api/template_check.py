"""``aisci template check --run``: each rule of the contract that only containers can show."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.api.template_run import TrialListener, Tryout, opened, usage_of
from orchestrator.core.errors import BadResults
from orchestrator.core.job import ContainerKind, JobResult
from orchestrator.research.stages.compile import read_report
from orchestrator.template.contract import Judged, measured
from orchestrator.template.contract.finding import Finding
from orchestrator.template.template import PAPER, Template

KINDS: tuple[ContainerKind, ...] = ("experiment", "latex")


def try_out(
    template: Template, policy: str, scale: str, live: TrialListener
) -> Iterator[tuple[Judged, dict[str, object]]]:
    """Each rule as it is judged, with what its container used; two runs of the experiment.

    Later rules are left out where an earlier one leaves nothing to judge by.
    """
    with opened(template, policy, scale, live, kinds=KINDS) as trial:
        ran = trial.experiment("trial/first")
        used = dict(usage_of(ran.attestation.peaks))
        done = measured.finishes(ran)
        yield done, used
        if not done.held:
            return
        first, trouble = _measured(trial, ran)
        yield measured.readable(trouble), {}
        yield measured.leaves(template, ran), {}
        if first is not None:
            yield measured.declared(template, first), {}
            yield measured.errors(template, scale, first), {}
            yield measured.trained(template, scale, first.results), {}
            yield _again(trial, first)
        drew, pictures = trial.plot(ran)
        yield measured.draws(drew, pictures), {"files": list(pictures)}
        yield _typeset(trial)


def _measured(trial: Tryout, ran: JobResult) -> tuple[measured.Measured | None, BadResults | None]:
    try:
        return measured.Measured.of(trial.numbers(ran)), None
    except BadResults as error:
        return None, error


def _again(trial: Tryout, first: measured.Measured) -> tuple[Judged, dict[str, object]]:
    """A second run with the same seeds, where equal numbers can be asked for."""
    name, promise = "repeats", "the same seeds give the same numbers again"
    if trial.template.inferred:
        why = "no manifest says which of its numbers are times"
        return Judged(name, promise, why_not=why), {}
    if trial.policy.limits("experiment").gpus:
        return Judged(name, promise, why_not="a GPU adds up in an order of its own"), {}
    ran = trial.experiment("trial/again", "experiment.py a second time")
    used = dict(usage_of(ran.attestation.peaks))
    if not measured.finishes(ran).held:
        return Judged(name, promise, measured.finishes(ran).findings), used
    again, trouble = _measured(trial, ran)
    if again is None:
        return Judged(name, promise, measured.readable(trouble).findings), used
    return measured.repeats(trial.template, first.results, again.results), used


def _typeset(trial: Tryout) -> tuple[Judged, dict[str, object]]:
    result = trial.typeset()
    report = read_report(result, trial.store)
    told = [*report.errors, *(f"{name!r} is not defined" for name in report.undefined)]
    found = tuple(
        Finding(PAPER, line, "mend it; the LaTeX container has TeX Live's usual packages")
        for line in told[:5]
    )
    promise = "the paper's skeleton compiles with a sentence in each place"
    return Judged("typesets", promise, found), {"pages": report.pages}
