"""Rules for the results of a template's runs: pure functions of its containers' output."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from orchestrator.core.errors import BadResults
from orchestrator.core.job import JobResult
from orchestrator.template.baseline import how_it_ended, output_tail
from orchestrator.template.comparisons import error_of_mean
from orchestrator.template.contract.advice import UNKNOWN_CAUSE, Attempted, what_to_do
from orchestrator.template.contract.files import OPAQUE, OPAQUE_TODO, UNPICKLING
from orchestrator.template.contract.finding import RuleFinding, RuleResult
from orchestrator.template.folder import MANIFEST
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results, compare_untrained, parse_final_info, per_seed
from orchestrator.template.template import Template

FINAL = "run_0/final_info.json"
_TAIL = 12  # lines of a program's last output
_FRAME = re.compile(
    r'^  File "(?:/workspace/results/template/idea/)?([^"\n]+)", line (\d+).*\n +(\S.*)$',
    re.MULTILINE,
)
_SAME = 1e-9  # relative: the rounding of two ways to sum a few floats


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """The ``final_info.json`` of a run: the results, and by data set each metric's value per seed."""

    results: Results
    values: Mapping[str, Mapping[str, tuple[float, ...]]]

    @classmethod
    def of(cls, data: bytes) -> MeasuredRun:
        """Raises :class:`BadResults`."""
        return cls(parse_final_info(data), per_seed(data))


def finishes(result: JobResult, tried: Attempted) -> RuleResult:
    """Whether the experiment succeeded and wrote its results."""
    findings: tuple[RuleFinding, ...] = ()
    if not result.ok:
        findings = (_failure("experiment.py", result, tried),)
    elif result.files.get(FINAL) is None:
        refused = ", ".join(f"{name!r}: {why}" for name, why in result.refused[:3])
        what = f"it did not write {FINAL}" + (f"; refused: {refused}" if refused else "")
        todo = "write final_info.json into the folder that --out_dir names"
        findings = (RuleFinding("experiment.py", what, todo),)
    return RuleResult("finishes", f"experiment.py succeeds and writes {FINAL}", findings)


def readable(error: BadResults | None, measured: MeasuredRun | None = None) -> RuleResult:
    """Whether the results are readable, and finite; ``error`` says why not."""
    found = [] if error is None else [RuleFinding(FINAL, error.why or error.what, error.todo)]
    for name, data in measured.results.datasets.items() if measured else ():
        for metric in data.diverged:
            what = f"{name}.means.{metric} is not a finite number"
            found.append(RuleFinding(FINAL, what, "write finite numbers, or leave the metric out"))
    return RuleResult("numbers", "final_info.json holds finite numbers by data set", tuple(found))


def declared(template: Template, measured: MeasuredRun) -> RuleResult:
    promise = "the measured metrics are the declared ones"
    if not template.manifest.metrics:
        return RuleResult("metrics", promise, why_not="no manifest declares metrics")
    return RuleResult("metrics", promise, tuple(_declared(template.manifest, measured.results)))


def _declared(manifest: Manifest, results: Results) -> Iterator[RuleFinding]:
    where = f"{MANIFEST}: metrics"
    new = [name for name in results.metrics if name not in manifest.metrics]
    absent = [
        n
        for n, metric in manifest.metrics.items()
        if n not in results.metrics and not metric.optional
    ]
    renamed = dict(_renamed(absent, new))
    short = [old for old, name in renamed.items() if name == f"{old}_mean"]
    if len(short) > 1:
        what = f"the run reports each of {', '.join(short)} with `_mean` behind it"
        yield RuleFinding(
            where, what, "write these names with `_mean`, as final_info.json has them"
        )
    for old, name in renamed.items():
        if len(short) < 2 or old not in short:
            what = (
                f"the run reports {name!r}, not declared, and no data set has the declared {old!r}"
            )
            todo = f"did you mean {name}? Else declare {name}, and write {old} among the 'means'"
            yield RuleFinding(where, what, todo)
    for name in new:
        if name not in renamed.values():
            what = f"the run reports {name!r}, not declared"
            todo = f"declare {name}: direction, unit and description"
            yield RuleFinding(where, what, todo)
    for name in absent:
        if name not in renamed:
            todo = f"write {name} among the 'means', or declare it `optional: true`"
            yield RuleFinding(FINAL, f"no data set has the declared metric {name!r}", todo)
    for path in results.ignored:
        todo = "write a number, or keep text in another file"
        yield RuleFinding(FINAL, f"{path} is not a number of a metric", todo)


def _renamed(absent: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """(declared, reported) of names so alike that one is the other."""
    left = list(new)
    for old in absent:
        close = [f"{old}_mean"] if f"{old}_mean" in left else get_close_matches(old, left, 1, 0.75)
        if close:
            left.remove(close[0])
            yield old, close[0]


def errors(template: Template, scale: str, measured: MeasuredRun) -> RuleResult:
    """Whether there is a value for every seed, and the means and standard errors match them."""
    promise = "means and standard errors match the values per seed"
    if not any(measured.values.values()):
        return RuleResult("seeds", promise, why_not="final_info_dict has no values by seed")
    return RuleResult("seeds", promise, tuple(_errors(template.manifest, scale, measured)))


def _errors(manifest: Manifest, scale: str, measured: MeasuredRun) -> Iterator[RuleFinding]:
    for dataset, metrics in measured.values.items():
        seeds = manifest.seeds(scale, dataset)
        for name, values in metrics.items():
            where = f"{FINAL}: {dataset}.final_info_dict.{name}"
            if seeds is not None and len(values) != len(seeds):
                yield RuleFinding(
                    where,
                    f"it has {len(values)} values, the manifest {len(seeds)} seeds",
                    f"write one value for each seed, or correct scales.{scale}.seeds",
                )
            yield from _statistics(where, name, values, measured.results, dataset)


def _statistics(
    where: str, name: str, values: tuple[float, ...], results: Results, dataset: str
) -> Iterator[RuleFinding]:
    data = results.datasets[dataset]
    metric = next((m for m in (name, f"{name}_mean") if m in data.means), None)
    if metric is None:
        return
    mean = statistics.fmean(values)
    if not math.isclose(data.means[metric], mean, rel_tol=_SAME, abs_tol=1e-12):
        what = f"its mean is {mean:.6g}, means.{metric} says {data.means[metric]:.6g}"
        yield RuleFinding(where, what, "write the mean of these values")
    stderr = error_of_mean(values) if len(values) > 1 else 0.0
    have = data.stderrs.get(metric)
    if have is not None and not math.isclose(have, stderr, rel_tol=1e-6, abs_tol=1e-12):
        what = f"its standard error is {stderr:.6g}, stderrs says {have:.6g}"
        todo = "the sample deviation (n - 1 in its divisor) over the root of n"
        yield RuleFinding(where, what, todo)


def leaves(template: Template, result: JobResult) -> RuleResult:
    promise = "a run writes no file that can run code when it is read"
    if template.opaque:
        why = "its files may be opaque: only its own plot.py reads them, in a container"
        return RuleResult("leftovers", promise, why_not=why)
    unfit = (path for path in result.files.paths() if path.endswith(UNPICKLING))
    found = tuple(RuleFinding(path, OPAQUE, OPAQUE_TODO) for path in unfit)
    return RuleResult("leftovers", promise, found)


def repeats(template: Template, first: Results, again: Results) -> RuleResult:
    """Whether a second run with the same seeds gave exactly the same numbers."""
    found = tuple(_differ(template.manifest, first, again))
    return RuleResult("repeats", "the same seeds give the same numbers again", found)


def _differ(manifest: Manifest, first: Results, again: Results) -> Iterator[RuleFinding]:
    for dataset, data in first.datasets.items():
        other = again.datasets.get(dataset)
        for name, value in data.means.items():
            now = None if other is None else other.means.get(name)
            metric = manifest.metrics.get(name)
            if now != value and (metric is None or metric.repeatable):
                yield RuleFinding(
                    f"{FINAL}: {dataset}.{name}",
                    f"it was {value!r}, then {now!r}",
                    "seed every random generator; for a time or rate write `repeatable: false`",
                )


def trained(template: Template, scale: str, results: Results) -> RuleResult:
    promise = "training beats the untrained model by the stated margin"
    if not template.manifest.scales[scale].beats:
        return RuleResult("trained", promise, why_not=f"the scale {scale} states no margin")
    lacking = {
        name
        for one in template.manifest.scales[scale].beats
        for name in (one.metric, one.untrained)
        if name not in results.metrics and not template.manifest.metrics[name].optional
    }
    if lacking:  # which the rule `metrics` tells
        why = f"the run has no {' and no '.join(sorted(lacking))}"
        return RuleResult("trained", promise, why_not=why)
    try:
        beats = compare_untrained(template.manifest, scale, results)
    except BadResults as error:
        return RuleResult("trained", promise, (RuleFinding(error.where, error.what, error.todo),))
    found = tuple(
        RuleFinding(
            f"{MANIFEST}: scales.{scale}.beats",
            f"{row.metric} on {row.dataset}: {row.trained:.4g} trained, {row.untrained:.4g} "
            f"untrained; better by {row.gain:.4g} where {row.margin:g} is required",
            "give the scale more steps, or correct the margin",
        )
        for row in beats
        if not row.held
    )
    return RuleResult("trained", promise, found)


def draws(result: JobResult, pictures: tuple[str, ...], tried: Attempted) -> RuleResult:
    """Whether ``plot.py`` succeeded and wrote ``pictures``, the names of PNG files."""
    findings: tuple[RuleFinding, ...] = ()
    if not result.ok:
        findings = (_failure("plot.py", result, tried),)
    elif not pictures:
        todo = "save *.png in its working folder"
        findings = (RuleFinding("plot.py", "it wrote no PNG file", todo),)
    return RuleResult("figures", "plot.py draws the runs in its folder as PNG files", findings)


def _failure(program: str, result: JobResult, tried: Attempted) -> RuleFinding:
    """How it ended, its last words and what mends it. Of a cause that is known, the program's own
    line and the last one say enough; the calls in between are a library's.
    """
    lines = [line for line in output_tail(result).splitlines() if line.strip()][-_TAIL:]
    todo = what_to_do(result, tried)
    frames = [one for one in _FRAME.findall(result.stderr) if one[0] in tried.template.files]
    if todo != UNKNOWN_CAUSE and frames and lines:
        path, line, code = frames[-1]
        lines = [f"{path}:{line}: {code}", lines[-1]]
    last = "".join(f"\n      | {line}" for line in lines)
    return RuleFinding(program, f"it ended as: {how_it_ended(result)}{last}", todo)
