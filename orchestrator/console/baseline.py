"""``aisci template baseline``: run_0 measured once for this machine, for runs to start from."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from orchestrator import __version__
from orchestrator.api.signals import obeyed
from orchestrator.api.template_run import Tryout, opened, usage_of
from orchestrator.console import output as out
from orchestrator.console.live_line import MIB, NowRunning
from orchestrator.console.live_table import span
from orchestrator.console.view import View
from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.core.job import JobResult
from orchestrator.core.research import Comparison
from orchestrator.machine import baseline_cache as baselines
from orchestrator.machine.measure import in_words
from orchestrator.sandbox.gpus.leases import Driver
from orchestrator.template.baseline import FORM, KeptBaseline, key_of
from orchestrator.template.contract import measured, require
from orchestrator.template.results import Results
from orchestrator.template.template import load
from orchestrator.template.untrained import compare_untrained, require_held

SCOPE = "run/baseline"


def baseline(name: str, scale: str, policy: str, view: View, *, again: bool) -> int:
    """Measure, judge and keep it; one that is kept already is shown. Returns the exit code."""
    template = load(name, shipped_root())
    require(template)
    with (
        obeyed(),
        NowRunning(view) as live,
        opened(template, policy, scale, live, kinds=("experiment",)) as trial,
    ):
        image = trial.image
        key = key_of(trial.job(SCOPE), image, trial.policy.hash)
        known = baselines.find(template.name, scale, key)
        if known is not None and not again:
            baselines.bring(known, trial.store)
            _report(trial, known, _results(trial, known.result)[0], view, new=False)
            return 0
        ran = trial.experiment(SCOPE)
        results, beats = _judged(trial, ran)
        kept = _kept(trial, key, image, ran)
        if known is not None:
            baselines.forget(known)
        baselines.keep(kept, trial.store)
    _report(trial, kept, results, view, new=True, beats=beats)
    return 0


def _judged(trial: Tryout, ran: JobResult) -> tuple[Results, tuple[Comparison, ...]]:
    """The numbers of a run that may stand as a baseline. Raises :class:`BadTemplate`."""
    for finding in measured.finishes(ran).findings:
        raise BadTemplate(
            "the baseline did not come to its end; nothing is kept",
            where=finding.where,
            why=finding.what,
            todo=finding.todo,
        )
    try:
        results, beats = _results(trial, ran)
    except BadResults as error:
        error.where = f"{trial.template.origin}: {measured.FINAL}"
        raise
    require_held(beats)
    return results, beats


def _results(trial: Tryout, ran: JobResult) -> tuple[Results, tuple[Comparison, ...]]:
    found = measured.Measured.of(trial.numbers(ran)).results
    return found, compare_untrained(trial.template.manifest, trial.scale, found)


def _kept(trial: Tryout, key: str, image: str, ran: JobResult) -> KeptBaseline:
    manifest = trial.template.manifest
    found = measured.Measured.of(trial.numbers(ran)).results
    seeds = {name: manifest.seeds(trial.scale, name) or () for name in found.datasets}
    gpus = Driver().devices() if trial.policy.limits("experiment").gpus else ()
    return KeptBaseline(
        form=FORM,
        key=key,
        template=trial.template.name,
        template_hash=trial.template.hash,
        scale=trial.scale,
        policy=trial.policy.name,
        image=image,
        program=__version__,
        machine=in_words(tuple(one.name for one in gpus)),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seeds=seeds,
        result=ran,
    )


def _report(
    trial: Tryout,
    kept: KeptBaseline,
    results: Results,
    view: View,
    *,
    new: bool,
    beats: tuple[Comparison, ...] = (),
) -> None:
    peaks = kept.result.attestation.peaks
    if view.as_json:
        value = {
            "template": kept.template, "scale": kept.scale, "policy": kept.policy, "new": new,
            "machine": kept.machine, "at": kept.at, "key": kept.key, "seeds": dict(kept.seeds),
            "used": usage_of(peaks), "beats": [asdict(one) for one in beats],
            "means": {name: dict(data.means) for name, data in results.datasets.items()},
            "stderrs": {name: dict(data.stderrs) for name, data in results.datasets.items()},
        }  # fmt: skip
        out.as_json({"baseline": value})
        return
    if not view.quiet:
        out.table(("data set", "metric", "mean", "standard error", "unit"), _rows(trial, results))
        out.say()
    verb = "measured" if new else f"kept since {kept.at}; --again measures it anew. It took"
    out.say(
        f"{kept.template} at scale {kept.scale}, under {kept.policy}: {verb} "
        f"{'in ' if new else ''}{span(round(peaks.wall))}, {peaks.memory / MIB:,.0f} MiB at most, "
        f"on {kept.machine}"
    )
    arguments = f"{trial.template.argument} --scale {kept.scale} --policy {kept.policy}"
    out.say(f"a run starts from it: aisci run {arguments}")


def _rows(trial: Tryout, results: Results) -> list[tuple[str, str, str, str, str]]:
    metrics = trial.template.manifest.metrics
    return [
        (
            name,
            metric,
            f"{value:.5g}",
            f"{data.stderrs[metric]:.2g}" if metric in data.stderrs else "",
            metrics[metric].unit if metric in metrics else "",
        )
        for name, data in results.datasets.items()
        for metric, value in data.means.items()
    ]
