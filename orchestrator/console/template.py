"""Commands about templates: the contract of one, its measured baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from orchestrator.api.baselines import BaselineOutcome
from orchestrator.api.baselines import baseline as measure
from orchestrator.api.locking import stoppable
from orchestrator.api.template_check import check_template as check
from orchestrator.api.template_run import usage_of
from orchestrator.console import output as out
from orchestrator.console.live import LiveLine
from orchestrator.console.options import View
from orchestrator.console.output import counted, span
from orchestrator.core.units import MIB
from orchestrator.template.contract.finding import RuleResult

WRONG, FAILED = 2, 1


def print_check(
    name: str,
    *,
    run: bool,
    policy: str,
    scale: str | None,
    data: Path | None,
    view: View,
    write: bool = False,
) -> int:
    """Print every rule and whether it holds; returns the exit code."""
    with _Rules(view) as live:
        outcome = check(name, live, run=run, policy=policy, scale=scale, data=data, write=write)
    template, broken = outcome.template, outcome.broken
    if view.as_json:
        last: dict[str, object] = {"template": template.name, "findings": broken}
        out.as_json(last | ({"written": list(outcome.written)} if outcome.written else {}))
    else:
        found = counted(broken, "finding") if broken else "keeps its contract"
        for one in outcome.written:
            out.say(f"  written to {template.origin}/template.yaml: {one}")
        if run and not outcome.ran:
            lost = ", and nothing written" if write else ""
            out.say(f"nothing was run{lost}: correct the files first; lines to FILL IN can wait")
        out.say(f"{template.name}: {found}")
    if not broken:
        return 0
    return WRONG if outcome.files_break or not outcome.ran else FAILED


class _Rules(LiveLine):
    """Prints each rule as it is judged, above the line about the container that runs."""

    def rule(self, judged: RuleResult, used: dict[str, object]) -> None:
        if self.view.as_json:
            out.as_json({"rule": judged.name, "held": judged.held, "why_not": judged.why_not,
                         "used": used, "findings": [asdict(one) for one in judged.findings],
                         "notes": [asdict(one) for one in judged.notes]})  # fmt: skip
            return
        if self.view.quiet and judged.held:
            return
        mark = "✗" if judged.findings else "–" if judged.why_not else "!" if judged.notes else "✓"
        # What was not looked at says why in place of its promise.
        lines = [f"  {mark} {judged.name:<10} {judged.why_not or judged.promise}{_used(used)}"]
        for finding in (*judged.findings, *judged.notes):
            if finding.todo:
                lines += [
                    f"    {finding.where}",
                    f"      {finding.what}",
                    f"      do: {finding.todo}",
                ]
            else:  # what is to be done is the finding itself
                lines.append(f"    {finding.where:<20} {finding.what}")
        self.say("\n".join(lines))


def _used(used: dict[str, object]) -> str:
    """What a container used, printed after its rule."""
    parts = []
    if "seconds" in used:
        parts.append(f"{used['seconds']:.1f} s")
    if used.get("memory_bytes"):
        parts.append(f"{int(str(used['memory_bytes'])) / MIB:,.0f} MiB")
    files = used.get("files")
    if isinstance(files, list):
        parts.append(", ".join(map(str, files)))
    return f"  ({', '.join(parts)})" if parts else ""


def baseline(
    name: str, scale: str, policy: str | None, data: Path | None, view: View, *, again: bool
) -> int:
    """Measure or show a baseline; returns the exit code."""
    todo = "run the command again: nothing is kept of a baseline that did not finish"
    stopped = stoppable("the baseline was stopped", where=name, todo=todo)
    with stopped, LiveLine(view) as live:
        outcome = measure(name, scale=scale, policy=policy, listener=live, again=again, data=data)
    _baseline_json(outcome) if view.as_json else _print_baseline(outcome, data, view)
    return 0


def _baseline_json(outcome: BaselineOutcome) -> None:
    kept, datasets = outcome.kept, outcome.results.datasets
    facts = {
        **{name: getattr(kept, name) for name in ("template", "scale", "policy")},
        "new": outcome.new,
        **{name: getattr(kept, name) for name in ("machine", "at", "key")},
        "seeds": dict(kept.seeds),
        "used": usage_of(kept.result.attestation.peaks),
        "beats": [asdict(one) for one in outcome.comparisons],
        "means": {name: dict(data.means) for name, data in datasets.items()},
        "stderrs": {name: dict(data.stderrs) for name, data in datasets.items()},
    }
    out.as_json({"baseline": facts})


def _print_baseline(outcome: BaselineOutcome, data: Path | None, view: View) -> None:
    kept, peaks = outcome.kept, outcome.kept.result.attestation.peaks
    if not view.quiet:
        out.table(("data set", "metric", "mean", "standard error", "unit"), _numbers(outcome))
        out.say()
    known = f"kept since {kept.at[:16].replace('T', ' ')} UTC; --again measures it again. It took"
    verb = "measured in" if outcome.new else known
    out.say(
        f"{kept.template} at scale {kept.scale}, under {kept.policy}: {verb} "
        f"{span(round(peaks.wall))}, {peaks.memory / MIB:,.0f} MiB at most, on {kept.machine}"
    )
    arguments = f"{outcome.template.argument} --scale {kept.scale} --policy {kept.policy}"
    arguments += f" --data {data}" if data else ""
    out.say(f"a run starts from it: aisci run {arguments}")


def _numbers(outcome: BaselineOutcome) -> Iterator[tuple[str, str, str, str, str]]:
    metrics = outcome.template.manifest.metrics
    for name, data in outcome.results.datasets.items():
        for metric, value in data.means.items():
            error = f"{data.stderrs[metric]:.2g}" if metric in data.stderrs else ""
            unit = metrics[metric].unit if metric in metrics else ""
            yield name, metric, f"{value:.5g}", error, unit
