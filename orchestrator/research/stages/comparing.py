"""The host's comparisons of runs, as rows of a prompt's block and as sources of a paper's numbers."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from orchestrator.core.protocols import Blobs
from orchestrator.core.research import PlannedRun, Run
from orchestrator.research.looking.comparison_tables import comparison_tables
from orchestrator.research.prompts import block
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.gaps import gap_table
from orchestrator.template.comparisons import Comparison, Measured, compare_runs, seed_values


def comparison_rows(
    study: Study, blobs: Blobs, planned: PlannedRun | None = None
) -> list[dict[str, Any]]:
    """Every run against its base, the baseline and the earlier runs that its plan names, in the metrics
    that tables show and those that the study added. With ``planned``, which is the last run's plan, that run alone, in every metric: against
    its base, the baseline and the runs that the plan names; in those that decide also against others.
    """
    exact = study.template.manifest.exact
    directions = {name: metric.direction for name, metric in study.metrics.items()}
    known = {
        number: Measured(run=run, results=results, values=seed_values(run, blobs))
        for run in study.runs
        for number, results in study.results
        if number == run.number
    }
    metrics = tuple(dict.fromkeys((*study.headline, *(one.name for one in study.plan.metrics))))
    if planned is None:
        plans = {outcome.number: outcome.planned for outcome in study.outcomes}
        pairs = [
            (one, other)
            for one in known.values()
            for other in known.values()
            if other.run.number < one.run.number
            and _concerns(plans.get(one.run.number), other.run, one.run)
        ]
        rows = compare_runs(pairs, metrics, directions, exact)
        return [_rounded(asdict(row)) for row in rows if not _equal(row)]
    *before, newest = known.values()
    near = [one for one in before if _concerns(planned, one.run, newest.run)]
    far = [one for one in before if one not in near]
    every = tuple(dict.fromkeys((*metrics, *newest.results.metrics)))
    rows = (
        *compare_runs([(newest, one) for one in near], every, directions, exact),
        *compare_runs(
            [(newest, one) for one in far], study.plan.decides or metrics, directions, exact
        ),
    )
    return [_rounded(asdict(row)) for row in rows if not _equal(row)]


def _equal(row: Comparison) -> bool:
    """Whether the two runs have the same numbers: most often what the run does not touch."""
    return row.difference == 0 and not row.higher and not row.lower


def _concerns(planned: PlannedRun | None, run: Run, newest: Run) -> bool:
    """Whether a run is the baseline, the base of the newest, or named in the plan of the newest."""
    said = f"{planned.tests} {planned.expects} {planned.refuted_by}" if planned else ""
    named = re.search(rf"(?<!\w){re.escape(run.name)}(?!\w)", said, re.IGNORECASE)
    return run.number in {0, newest.base} or named is not None


def comparisons_block(study: Study, blobs: Blobs, planned: PlannedRun | None = None) -> str:
    """The rows of :func:`comparison_rows` as tables, with the gaps within the last run."""
    tables = comparison_tables(comparison_rows(study, blobs, planned))
    return block("comparisons", {**tables, **within_runs(study, blobs, study.runs[-1:])})


def within_runs(study: Study, blobs: Blobs, runs: tuple[Run, ...]) -> dict[str, Any]:
    """What :func:`gap_table` finds, by its name in the blocks of a prompt; nothing if there is no such pair."""
    table = gap_table(study, blobs, runs)
    return {"within_runs": table} if table else {}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in row.items()}
