"""Measure a template's baseline once for this machine, for runs to start from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.policies import chosen_policy, has_own_image
from orchestrator.api.template_run import Trial, TrialListener, opened_trial
from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind, JobResult
from orchestrator.core.research import TrainingComparison
from orchestrator.machine import baseline_cache
from orchestrator.machine.system import machine_text
from orchestrator.policy.policy import Policy
from orchestrator.sandbox.gpus.nvml import NvmlDriver
from orchestrator.template.baseline import FORM, KeptBaseline, key_of
from orchestrator.template.contract import require_contract
from orchestrator.template.contract.measured import FINAL, MeasuredRun, finishes
from orchestrator.template.headline_metrics import require_headlines
from orchestrator.template.results import Results, compare_untrained, require_held
from orchestrator.template.template import Template, load_template

SCOPE = "run/baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOutcome:
    """A kept baseline, its numbers, and whether it was measured just now (``new``)."""

    template: Template
    kept: KeptBaseline
    results: Results
    new: bool

    @property
    def comparisons(self) -> tuple[TrainingComparison, ...]:
        return compare_untrained(self.template.manifest, self.kept.scale, self.results)


def baseline(
    name: str,
    *,
    scale: str,
    policy: str | None,
    listener: TrialListener,
    again: bool = False,
    data: Path | None = None,
) -> BaselineOutcome:
    """Measure, judge and keep the baseline; one that is kept already is returned.

    ``data`` is a folder whose sub-folders are mounted as data sets, as in a run.

    Raises:
        BadTemplate: the run did not finish, or does not beat the untrained model.
        BadResults: its numbers cannot be read.
    """
    template = load_template(name, shipped_root())
    template.scale(scale)
    chosen = chosen_policy(policy, Path(), template).policy
    require_contract(template, own_image=has_own_image(chosen), only_programs=True)
    return kept_or_measured(
        template, chosen, scale=scale, listener=listener, again=again, data=data
    )


def kept_or_measured(
    template: Template,
    policy: Policy,
    *,
    scale: str,
    listener: TrialListener,
    again: bool = False,
    data: Path | None = None,
) -> BaselineOutcome:
    """As :func:`baseline`, of a template and a policy that were checked."""
    kinds: tuple[ContainerKind, ...] = ("experiment",)
    with opened_trial(template, policy, scale, listener, kinds=kinds, extra=data) as trial:
        key = key_of(trial.job(SCOPE), trial.image, trial.policy.hash)
        known = baseline_cache.find_baseline(template.name, scale, key)
        if known is not None and not again:
            baseline_cache.restore_files(known, trial.store)
            kept, results = known, MeasuredRun.of(trial.numbers(known.result)).results
        else:
            ran = trial.experiment(SCOPE)
            results = _judged(trial, ran)
            kept = _kept(trial, key, ran, results)
            if known is not None:
                baseline_cache.forget_baseline(known)
            baseline_cache.keep_baseline(kept, trial.store)
        return BaselineOutcome(template=template, kept=kept, results=results, new=kept is not known)


def _judged(trial: Trial, ran: JobResult) -> Results:
    """The numbers of a run that may be a baseline. Raises :class:`BadTemplate`."""
    for finding in finishes(ran, trial.tried).findings:
        raise BadTemplate(
            "the baseline did not finish; nothing is kept",
            where=finding.where,
            why=finding.what,
            todo=finding.todo,
        )
    try:
        results = MeasuredRun.of(trial.numbers(ran)).results
    except BadResults as error:
        error.where = f"{trial.template.origin}: {FINAL}"
        raise
    require_headlines(trial.template.manifest, results)
    require_held(compare_untrained(trial.template.manifest, trial.scale, results))
    return results


def _kept(trial: Trial, key: str, ran: JobResult, found: Results) -> KeptBaseline:
    manifest = trial.template.manifest
    gpus = NvmlDriver().devices() if trial.policy.limits("experiment").gpus else ()
    return KeptBaseline(
        form=FORM,
        key=key,
        template=trial.template.name,
        template_hash=trial.template.hash,
        scale=trial.scale,
        policy=trial.policy.name,
        image=trial.image,
        program=__version__,
        machine=machine_text(tuple(one.name for one in gpus)),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seeds={name: manifest.seeds(trial.scale, name) or () for name in found.datasets},
        result=ran,
    )
