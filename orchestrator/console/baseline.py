"""``aisci template baseline``: draw the measurement, and print what is kept."""

from __future__ import annotations

from dataclasses import asdict

from orchestrator.api.baselines import BaselineOutcome
from orchestrator.api.baselines import baseline as measure
from orchestrator.api.signals import obeyed
from orchestrator.api.template_run import usage_of
from orchestrator.console import output as out
from orchestrator.console.live_line import LiveLine
from orchestrator.console.live_table import span
from orchestrator.console.view import View
from orchestrator.core.units import MIB


def baseline(name: str, scale: str, policy: str | None, view: View, *, again: bool) -> int:
    """Measure or show a baseline; returns the exit code."""
    with obeyed(), LiveLine(view) as live:
        outcome = measure(name, scale=scale, policy=policy, listener=live, again=again)
    _as_json(outcome) if view.as_json else _print(outcome, view)
    return 0


def _as_json(outcome: BaselineOutcome) -> None:
    kept, results = outcome.kept, outcome.results
    out.as_json(
        {
            "baseline": {
                "template": kept.template,
                "scale": kept.scale,
                "policy": kept.policy,
                "new": outcome.new,
                "machine": kept.machine,
                "at": kept.at,
                "key": kept.key,
                "seeds": dict(kept.seeds),
                "used": usage_of(kept.result.attestation.peaks),
                "beats": [asdict(one) for one in outcome.comparisons],
                "means": {name: dict(data.means) for name, data in results.datasets.items()},
                "stderrs": {name: dict(data.stderrs) for name, data in results.datasets.items()},
            }
        }
    )


def _print(outcome: BaselineOutcome, view: View) -> None:
    kept, peaks = outcome.kept, outcome.kept.result.attestation.peaks
    if not view.quiet:
        out.table(("data set", "metric", "mean", "standard error", "unit"), _rows(outcome))
        out.say()
    verb = (
        "measured in"
        if outcome.new
        else f"kept since {kept.at}; --again measures it again. It took"
    )
    out.say(
        f"{kept.template} at scale {kept.scale}, under {kept.policy}: {verb} "
        f"{span(round(peaks.wall))}, {peaks.memory / MIB:,.0f} MiB at most, on {kept.machine}"
    )
    arguments = f"{outcome.template.argument} --scale {kept.scale} --policy {kept.policy}"
    out.say(f"a run starts from it: aisci run {arguments}")


def _rows(outcome: BaselineOutcome) -> list[tuple[str, str, str, str, str]]:
    metrics = outcome.template.manifest.metrics
    return [
        (
            name,
            metric,
            f"{value:.5g}",
            f"{data.stderrs[metric]:.2g}" if metric in data.stderrs else "",
            metrics[metric].unit if metric in metrics else "",
        )
        for name, data in outcome.results.datasets.items()
        for metric, value in data.means.items()
    ]
