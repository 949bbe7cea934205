"""The ledger of a study: everything that its paper's sentences are held to."""

from __future__ import annotations

from orchestrator.record.ports import Ports
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.looking.run_facts import seed_values
from orchestrator.research.paper.references import references
from orchestrator.research.run_spec import Study


def study_ledger(study: Study, ports: Ports, tex: str = "") -> Ledger:
    """The ledger of this study; ``tex`` is the paper's source, for the years of its references."""
    results = dict(study.results)
    records = [
        RunMeasurements(
            number=run.number,
            name=run.name,
            base=run.base,
            seconds=run.seconds,
            results=results[run.number],
            values=seed_values(run, ports.blobs),
            code={
                path: ports.text(sha256)
                for path, sha256 in run.code.files
                if path.endswith(".py") and path != "plot.py"
            },
        )
        for run in study.runs
        if run.number in results
    ]
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
