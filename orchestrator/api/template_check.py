"""Check a template: the rules that its files show, and those that only containers show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from orchestrator.api.locking import obeyed
from orchestrator.api.template_run import Trial, TrialListener, opened_trial, usage_of
from orchestrator.core.errors import BadResults, DiskFull
from orchestrator.core.files import shipped_root
from orchestrator.core.job import JobResult
from orchestrator.core.units import MIB
from orchestrator.machine import datasets
from orchestrator.research.stages.compile import read_report
from orchestrator.template.contract import measured, rule_results
from orchestrator.template.contract.finding import RuleFinding, RuleResult
from orchestrator.template.template import PAPER, Template, load_template


class CheckListener(TrialListener, Protocol):
    """Follows a check: each rule as it is judged, and the containers in between."""

    def rule(self, judged: RuleResult, used: dict[str, object]) -> None:
        """One rule was judged; ``used`` is what its container used."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """A template, and every rule that was judged. ``ran`` says whether containers were."""

    template: Template
    rules: tuple[RuleResult, ...]
    ran: bool

    @property
    def broken(self) -> int:
        """How many findings there are."""
        return sum(len(rule.findings) for rule in self.rules)


def check_template(
    name: str,
    listener: CheckListener,
    *,
    run: bool = False,
    policy: str = "ci-cpu",
    scale: str | None = None,
) -> CheckOutcome:
    """Judge every rule; with ``run``, and if the files break none, also those of containers."""
    template = load_template(name, shipped_root())
    rules = [*rule_results(template), *staged_rule(template)]
    for rule in rules:
        listener.rule(rule, {})
    if not run or any(rule.findings for rule in rules):
        return CheckOutcome(template, tuple(rules), ran=False)
    size = scale or next(iter(template.manifest.scales))
    with obeyed():
        for rule, used in try_out(template, policy, size, listener):
            listener.rule(rule, used)
            rules.append(rule)
    return CheckOutcome(template, tuple(rules), ran=True)


def staged_rule(template: Template) -> tuple[RuleResult, ...]:
    """What is here of the data that a template fetches; no rule of one that fetches none."""
    fetched = [data for data in template.manifest.data if data.source == "download"]
    if not fetched:
        return ()
    here = [data for data in fetched if datasets.is_staged(data)]
    away = [data for data in fetched if data not in here]
    prepare = f"aisci data prepare {template.argument}"
    again = f"{prepare} fetches it again"
    found = [
        RuleFinding(str(datasets.folder_of(data)), f"{data.name}: {why}", again)
        for data in here
        if (why := datasets.why_unfit(data))
    ]
    try:
        datasets.check_disk_space(away)
    except DiskFull as full:
        found.append(RuleFinding(full.where, f"{full.what}: {full.why}", full.todo))
    names = ", ".join(f"{data.name} ({data.bytes / MIB:,.0f} MiB)" for data in away)
    promise = "the fetched data that is here is what the manifest says"
    why_not = f"not here yet: {names}; {prepare}" if away else ""
    return (RuleResult("staged", promise, tuple(found), why_not),)


def try_out(
    template: Template, policy: str, scale: str, live: TrialListener
) -> Iterator[tuple[RuleResult, dict[str, object]]]:
    """Each rule as it is judged, with what its container used; two runs of the experiment.

    Later rules are left out where an earlier one leaves nothing to judge by.
    """
    with opened_trial(template, policy, scale, live, kinds=("experiment", "latex")) as trial:
        ran = trial.experiment("trial/first")
        used = usage_of(ran.attestation.peaks)
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


def _measured(
    trial: Trial, ran: JobResult
) -> tuple[measured.MeasuredRun | None, BadResults | None]:
    try:
        return measured.MeasuredRun.of(trial.numbers(ran)), None
    except BadResults as error:
        return None, error


def _again(trial: Trial, first: measured.MeasuredRun) -> tuple[RuleResult, dict[str, object]]:
    """A second run with the same seeds, where equal numbers can be asked for."""
    name, promise = "repeats", "the same seeds give the same numbers again"
    if trial.template.inferred:
        why = "no manifest says which of its numbers are times"
        return RuleResult(name, promise, why_not=why), {}
    if trial.policy.limits("experiment").gpus:
        return RuleResult(name, promise, why_not="a GPU adds up in an order of its own"), {}
    ran = trial.experiment("trial/again", "experiment.py a second time")
    used = usage_of(ran.attestation.peaks)
    if not measured.finishes(ran).held:
        return RuleResult(name, promise, measured.finishes(ran).findings), used
    again, trouble = _measured(trial, ran)
    if again is None:
        return RuleResult(name, promise, measured.readable(trouble).findings), used
    return measured.repeats(trial.template, first.results, again.results), used


def _typeset(trial: Trial) -> tuple[RuleResult, dict[str, object]]:
    result = trial.typeset()
    report = read_report(result, trial.store)
    problems = [*report.errors, *(f"{name!r} is not defined" for name in report.undefined)]
    found = tuple(
        RuleFinding(PAPER, line, "correct it; the LaTeX container has TeX Live's usual packages")
        for line in problems[:5]
    )
    promise = "the paper's skeleton compiles with a sentence in each place"
    return RuleResult("typesets", promise, found), {"pages": report.pages}
