"""What is known of a study, as dense blocks: for its critic, the author of its paper, and who doubts that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.core.protocols import Blobs
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.looking.comparison_tables import comparison_tables
from orchestrator.research.paper import references
from orchestrator.research.paper.tables import metric_words
from orchestrator.research.prompts import as_table, block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import (
    figure_rows,
    idea_dict,
    knob_dicts,
    metric_facts,
    plan_rows,
)
from orchestrator.research.stages.comparing import comparison_rows, within_runs
from orchestrator.research.stages.notes import TO_DESCRIBE
from orchestrator.research.stages.one_search import shown_abstract

IMPORTED_BY = "The AI Scientist"
_SEEDS = 40  # values of a row
_PHRASES = 6  # comparisons that are offered as phrases
_SEED_METRICS = 4  # with values per seed


def descriptions(notes: str) -> str:
    """What an author said of each run and figure in ``notes.txt``, with its heading; all else there stands in the facts.
    Empty if it said nothing.
    """
    found = re.findall(r"(?m)^Description of ([^:\n]{1,200}): (.+)$", notes)
    said = {name: text for name, text in found if text != TO_DESCRIBE}
    return render("said_of_each", notes=block("descriptions", said)).strip() if said else ""


def paper_facts(study: Study, tex: str, ledger: Ledger, blobs: Blobs) -> str:
    """What is known of a study, as named blocks: a line a metric, each number once."""
    return "\n\n".join(
        (subject_facts(study), measured_facts(study, ledger, blobs), own_facts(study, tex))
    )


def subject_facts(study: Study) -> str:
    """What a study is about, which no run changes."""
    return as_blocks(
        {
            "idea": idea_dict(study.idea, planned=bool(study.outcomes or study.given_up)),
            "template": _template_facts(study),
            "metrics": metric_facts(study),
        }
    )


def measured_facts(study: Study, ledger: Ledger, blobs: Blobs) -> str:
    """What its runs measured, what was planned and found, and its figures."""
    known = {
        "runs": _run_facts(study),
        "plan": _plan_facts(study),
        "results": as_table(result_rows(ledger)),
        **_unnamed_metrics(study, ledger),
        "values_per_seed": as_table(seed_rows(ledger)),
        "comparisons": _comparisons(study, blobs),
        "figures": figure_rows(study.pictures),
    }
    if study.imported is not None:
        known["imported"] = {
            "folder": study.imported.folder,
            "runs_planned_and_made_by": IMPORTED_BY,
        }
    return as_blocks(known)


def own_facts(study: Study, tex: str) -> str:
    """What the author of its paper is told beyond that."""
    return as_blocks(
        {
            "questions_of_a_critic": study.questions,
            "citations": citation_facts(study, tex),
        }
    )


def as_blocks(known: Mapping[str, Any]) -> str:
    """Named blocks, in their order."""
    return "\n\n".join(block(name, value) for name, value in known.items())


def _template_facts(study: Study) -> dict[str, object]:
    manifest = study.template.manifest
    return {
        "title": manifest.title,
        "description": manifest.description,
        "question": manifest.question,
        "data": {data.name: data.description for data in manifest.data},
        "knobs": knob_dicts(study.template),
        "scale": study.scale,
        "scale_description": manifest.scales[study.scale].description,
        **({"without_chance": manifest.exact} if manifest.exact else {}),
        **({"more_seeds_of_this_study": study.more_seeds} if study.more_seeds else {}),
    }


def _run_facts(study: Study) -> list[dict[str, object]]:
    names = {run.number: run.name for run in study.runs}
    return [
        {
            "name": run.name,
            "starts_from": names[run.base],
            "description": run.description,
            **({"seconds": round(run.seconds, 1)} if run.seconds else {}),
        }
        for run in study.runs
    ]


def _plan_facts(study: Study) -> list[dict[str, Any]]:
    """The plan's rows; what a run tests is not repeated where it is the run's description."""
    described = {run.number: run.description for run in study.runs}
    rows = plan_rows(study)
    for row in rows:
        if row["tests"] == described.get(row.get("run", 0)):
            row["tests"] = "as its description"
    return rows


def _unnamed_metrics(study: Study, ledger: Ledger) -> dict[str, dict[str, str]]:
    """The metrics of which neither the template nor the plan says anything, with the run that brought each."""
    known = {name.removesuffix("_mean") for name in study.metrics}
    first = dict[str, str]()
    for run, _, metric in ledger.cells:
        if metric.removesuffix("_mean") not in known:
            first.setdefault(metric, f"added by {ledger.run(run).name}, whose code says what it is")
    return {"metrics_without_unit": first} if first else {}


def result_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """A row for each data set and metric: ``[mean, standard error]`` of each run by its name."""
    rows = []
    for data in ledger.datasets:
        for metric in ledger.metrics:
            cells = [ledger.cells.get((run.number, data, metric.name)) for run in ledger.runs]
            if any(cells):
                values = {
                    run.name: None
                    if cell is None
                    else [short_number(cell.mean), short_number(cell.error)]
                    for run, cell in zip(ledger.runs, cells, strict=True)
                }
                rows.append({"data_set": data, "metric": metric.name, **values})
    return rows


def seed_metrics(ledger: Ledger) -> tuple[str, ...]:
    """The metrics whose values per seed are shown."""
    return ledger.headline[:_SEED_METRICS]


def seed_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The values per seed of the metrics that decide, in the order of the seeds: a row a run on a data set."""
    chosen = seed_metrics(ledger)
    rows: dict[tuple[int, str], dict[str, list[float | None]]] = {}
    for (run, data, metric), cell in ledger.cells.items():
        if metric in chosen and data in ledger.datasets and len(set(cell.values)) > 1:
            values = [short_number(value) for value in cell.values[:_SEEDS]]
            rows.setdefault((run, data), {})[metric] = values
    return [
        {"data_set": data, "run": ledger.run(run).name}
        | {metric: values.get(metric) for metric in chosen}
        for (run, data), values in rows.items()
    ]


def short_number(value: float | None) -> float | None:
    """A number in four digits, as prompts show it."""
    return None if value is None else float(f"{value:.4g}")


def _comparisons(study: Study, blobs: Blobs) -> dict[str, Any]:
    """The host's comparisons, and those that decide as phrases that print them."""
    rows = comparison_rows(study, blobs)
    deciding = [row for row in rows if row["metric"] in (study.plan.decides or study.headline)]
    deciding.sort(key=lambda row: -(row["errors"] or 0.0))
    said = {"say": [_phrase(row) for row in deciding[:_PHRASES]]}
    return {**comparison_tables(rows), **within_runs(study, blobs, study.runs), **said}


def _phrase(row: dict[str, Any]) -> str:
    """A comparison as an author may write it."""
    run, against, data, metric = (row[name] for name in ("run", "against", "dataset", "metric"))
    arguments, words = f"{run}}}{{{against}}}{{{data}}}{{{metric}", metric_words(metric)
    if row["verdict"] in {"better", "worse", "different"}:
        side = "higher" if row["difference"] > 0 else "lower"
        return f"{run} has a {side} {words} on {data} than {against} by \\by{{{arguments}}}"
    return f"no clear difference in {words} on {data} between {run} and {against} (\\diff{{{arguments}}})"


def citation_facts(study: Study, tex: str) -> list[dict[str, str]]:
    """The papers that may be cited, with what their abstracts say and why they were chosen."""
    chosen = {one.paper.key: one for one in study.citations}
    found = {one.key: one.abstract for one in study.novelty.papers}
    return [
        {
            "key": one.key,
            **{name: one.plain(name) for name in ("title", "author", "year")},
            "abstract": shown_abstract(
                chosen[one.key].paper.abstract if one.key in chosen else found.get(one.key, "")
            ),
            **({"why": chosen[one.key].why} if one.key in chosen else {}),
        }
        for one in references.references(tex)
    ]
