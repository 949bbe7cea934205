"""Check a template: the rules that its files show, and those that only containers show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from orchestrator.api.data import data_set_names
from orchestrator.api.locking import stoppable
from orchestrator.api.policies import chosen_policy, has_own_image
from orchestrator.api.template_run import Trial, TrialListener, opened_trial, usage_of
from orchestrator.core.errors import BadResults, DiskFull, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.files import write as write_file
from orchestrator.core.job import ContainerKind, JobResult
from orchestrator.core.units import MIB
from orchestrator.machine import datasets
from orchestrator.policy.policy import Policy
from orchestrator.research.paper.latex_report import read_report
from orchestrator.template.contract import measured, rule_results
from orchestrator.template.contract.finding import RuleFinding, RuleResult
from orchestrator.template.contract.needs import needs
from orchestrator.template.filled import filled_manifest
from orchestrator.template.folder import MANIFEST, PAPER
from orchestrator.template.template import Template, load_template


class CheckListener(TrialListener, Protocol):
    """Follows a check: each rule as it is judged, and the containers in between."""

    def rule(self, judged: RuleResult, used: dict[str, object]) -> None:
        """One rule was judged; ``used`` is what its container used."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """A template, and every rule that was judged. ``ran`` says whether containers were, ``written``
    what was added to its manifest.
    """

    template: Template
    rules: tuple[RuleResult, ...]
    ran: bool
    written: tuple[str, ...] = ()

    @property
    def broken(self) -> int:
        """How many findings there are."""
        return sum(len(rule.findings) for rule in self.rules)

    @property
    def files_break(self) -> bool:
        """Whether its files alone break a rule."""
        return not self.ran or any(rule.words and rule.findings for rule in self.rules)


def check_template(
    name: str,
    listener: CheckListener,
    *,
    run: bool = False,
    policy: str = "ci-cpu",
    scale: str | None = None,
    data: Path | None = None,
    write: bool = False,
) -> CheckOutcome:
    """Judge every rule; with ``run``, and if nothing but words breaks one, also those of containers.

    ``data`` is a folder whose sub-folders are mounted as data sets. With ``write`` the manifest gets
    the metrics and seeds of the first run that it lacks.
    """
    template = load_template(name, shipped_root())
    if write:
        _require_writable(name, template, run=run)
    chosen = chosen_policy(policy, Path(), template).policy if run else None
    rules = [*rule_results(template, own_image=chosen is not None and has_own_image(chosen))]
    rules += [*staged_rule(template), needs(template, data_set_names(data))]
    for rule in rules:
        listener.rule(rule, {})
    if chosen is None or any(rule.findings and not rule.words for rule in rules):
        return CheckOutcome(template, tuple(rules), ran=False)
    size = scale or next(iter(template.manifest.scales))
    again = "run the command again: a check keeps nothing"
    filling = _Filling(name, size) if write else None
    with stoppable("the check was stopped", where=template.origin, todo=again):
        for rule, used in try_out(template, chosen, size, listener, data, filling):
            listener.rule(rule, used)
            rules.append(rule)
    if filling is None or not filling.written:
        return CheckOutcome(template, tuple(rules), ran=True)
    template = load_template(name, shipped_root())
    new = {rule.name: rule for rule in rule_results(template) if rule.words}
    for rule in new.values():
        if rule not in rules:
            listener.rule(rule, {})
    rules = [new.get(rule.name, rule) for rule in rules]
    return CheckOutcome(template, tuple(rules), ran=True, written=filling.written)


def _require_writable(name: str, template: Template, *, run: bool) -> None:
    """Raise :class:`UserError` where ``--write`` has no manifest or no numbers to write."""
    if not run:
        what, todo = "--write writes what a run measures", "add --run"
    elif "/" not in name:
        what = "a shipped template is not written to"
        todo = f"aisci template new ./mine --from {name}"
    elif template.inferred:
        what, todo = "there is no template.yaml to write to", f"aisci template adopt {name}"
    else:
        return
    raise UserError(what, where=template.origin, todo=todo)


@dataclass(slots=True)
class _Filling:
    """Writes to the manifest of the template of that argument; ``written`` says what."""

    name: str
    scale: str
    written: tuple[str, ...] = ()

    def fill(self, template: Template, first: measured.MeasuredRun) -> Template:
        """The template with what its manifest lacked."""
        path = Path(self.name) / MANIFEST
        code = template.text("experiment.py")
        filled = filled_manifest(path.read_bytes(), str(path), self.scale, first, code)
        if filled.written:
            write_file(path, filled.text)
            self.written = filled.written
        return load_template(self.name, shipped_root())


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
    template: Template,
    policy: Policy,
    scale: str,
    live: TrialListener,
    data: Path | None,
    filling: _Filling | None = None,
) -> Iterator[tuple[RuleResult, dict[str, object]]]:
    """Each rule as it is judged, with what its container used; two runs of the experiment.

    Later rules are left out where an earlier one leaves nothing to judge by.
    """
    kinds: tuple[ContainerKind, ...] = ("experiment", "latex")
    with opened_trial(template, policy, scale, live, kinds=kinds, extra=data) as trial:
        ran = trial.experiment("trial/first")
        used = usage_of(ran.attestation.peaks)
        done = measured.finishes(ran, trial.tried)
        yield done, used
        if not done.held:
            return
        first, trouble = _measured(trial, ran)
        numbers = measured.readable(trouble, first)
        yield numbers, {}
        yield measured.leaves(template, ran), {}
        if first is not None and numbers.held:
            if filling is not None:
                template = filling.fill(template, first)
            yield measured.declared(template, first), {}
            yield measured.errors(template, scale, first), {}
            yield measured.trained(template, scale, first.results), {}
            yield _again(replace(trial, template=template), first)
        if numbers.held:  # plots of numbers that cannot be read fail for the same cause
            drew, pictures = trial.plot(ran)
            yield measured.draws(drew, pictures, trial.tried), {"files": list(pictures)}
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
    done = measured.finishes(ran, trial.tried)
    if not done.held:
        return RuleResult(name, promise, done.findings), used
    again, trouble = _measured(trial, ran)
    if again is None:
        return RuleResult(name, promise, measured.readable(trouble).findings), used
    return measured.repeats(trial.template, first.results, again.results), used


def _typeset(trial: Trial) -> tuple[RuleResult, dict[str, object]]:
    result = trial.typeset()
    report = read_report(result, trial.store)
    problems = [*report.errors, *(f"{name!r} is not defined" for name in report.undefined)]
    found = tuple(RuleFinding(PAPER, line, _latex_todo(line)) for line in problems[:5])
    promise = "the paper's skeleton compiles with a sentence in each place"
    return RuleResult("typesets", promise, found), {"pages": report.pages}


def _latex_todo(problem: str) -> str:
    if "not found" in problem:
        return "the LaTeX image lacks it: leave it out, or put its file into latex/"
    return "correct it; what a run prepares (author, figures, packages) was prepared here too"
