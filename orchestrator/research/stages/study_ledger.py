"""The ledger of a study: everything that its paper's sentences are held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.core.files import plain_lines
from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Run
from orchestrator.record.ports import Ports
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper.references import references
from orchestrator.research.run_spec import Study
from orchestrator.template.comparisons import seed_values
from orchestrator.template.results import Results


def run_measurements(
    runs: Iterable[Run], results: Mapping[int, Results], blobs: Blobs
) -> list[RunMeasurements]:
    """What each run with results measured, and its code."""
    return [
        RunMeasurements(
            number=run.number,
            name=run.name,
            base=run.base,
            seconds=run.seconds,
            results=results[run.number],
            values=seed_values(run, blobs),
            code={
                path: plain_lines(blobs.get(sha256).decode("utf-8", errors="replace"))
                for path, sha256 in run.code.files
                if path.endswith(".py") and path != "plot.py"
            },
        )
        for run in runs
        if run.number in results
    ]


def study_ledger(study: Study, ports: Ports, tex: str = "") -> Ledger:
    """The ledger of this study; ``tex`` is the paper's source, for the years of its references."""
    records = run_measurements(study.runs, dict(study.results), ports.blobs)
    years = [one.fields.get("year", "") for one in references(tex)]
    return build_ledger(
        records,
        study.metrics,
        study.headline,
        study.scale,
        study.template.manifest,
        texts=_plans(study),
        years=[int(year) for year in years if year.isdigit()],
    )


def _plans(study: Study) -> list[str]:
    """The texts in which runs were planned, whatever came of them."""
    planned = (one.planned for one in study.outcomes)
    parts = (text for one in planned for text in (one.tests, one.expects, one.refuted_by))
    return [study.idea.experiment, *parts]
