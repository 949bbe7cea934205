"""What a reader is told of a paper's study where there is no study at hand: its ledger, manifest and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.model import Message
from orchestrator.research.claims.build import RunMeasurements
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.looking.code import code_difference
from orchestrator.research.prompts import as_table, block, render, text_block
from orchestrator.research.stages.paper_facts import (
    as_blocks,
    result_rows,
    seed_rows,
    short_number,
)
from orchestrator.template.manifest import Manifest

_MOST_RUNS = 24  # whose every pair is compared; of more, each with the first


def reader_facts(
    ledger: Ledger,
    records: Sequence[RunMeasurements],
    manifest: Manifest | None,
    scale: str,
    descriptions: Mapping[int, str],
) -> Message:
    """The first message to a reader: the template, the runs, every result, the code and what runs changed.
    ``descriptions`` are what is known of each run in words, by its number.
    """
    metrics = {
        one.name: {
            "direction": one.direction,
            "unit": one.unit,
            "description": one.description,
            "headline": one.headline,
        }
        for one in ledger.metrics
    }
    known: dict[str, Any] = {
        "runs": _runs(ledger, descriptions),
        "results": as_table(result_rows(ledger)),
        "lowest_and_highest_over_the_seeds": as_table(_ranges(ledger)),
        "values_per_seed": as_table(seed_rows(ledger)),
        "comparisons": _comparisons(ledger),
    }
    code = [text_block(path, text) for path, text in records[0].code.items()] if records else []
    text = render(
        "study_begin",
        subject=as_blocks({"template": _template(manifest, scale), "metrics": metrics}),
        code="\n\n".join(code),
        facts=as_blocks(known),
        differences=block("differences", _differences(records)),
    )
    return Message("user", text, cache=True)


def _runs(ledger: Ledger, descriptions: Mapping[int, str]) -> list[dict[str, Any]]:
    names = {run.number: run.name for run in ledger.runs}
    return [
        {
            "name": run.name,
            "starts_from": names.get(run.base, ""),
            "description": descriptions.get(run.number, ""),
            **({"seconds": round(run.seconds, 1)} if run.seconds else {}),
        }
        for run in ledger.runs
    ]


def _template(manifest: Manifest | None, scale: str) -> dict[str, Any]:
    if manifest is None:
        return {"scale": scale}
    known = manifest.scales.get(scale)
    return {
        "title": manifest.title,
        "description": manifest.description,
        "question": manifest.question,
        "data": {data.name: data.description for data in manifest.data},
        "knobs": {name: knob.model_dump() for name, knob in manifest.knobs.items()},
        "scale": scale,
        **({"scale_description": known.description, "seeds": known.seeds} if known else {}),
    }


def _ranges(ledger: Ledger) -> list[dict[str, Any]]:
    """For each data set and metric, ``[lowest, highest]`` over the seeds of each run."""
    rows = []
    for data in ledger.datasets:
        for metric in ledger.metrics:
            cells = [ledger.cells.get((run.number, data, metric.name)) for run in ledger.runs]
            if any(cell is not None and len(set(cell.values)) > 1 for cell in cells):
                values = {
                    run.name: [short_number(min(cell.values)), short_number(max(cell.values))]
                    if cell is not None and cell.values
                    else None
                    for run, cell in zip(ledger.runs, cells, strict=True)
                }
                rows.append({"data_set": data, "metric": metric.name, **values})
    return rows


def _comparisons(ledger: Ledger) -> dict[str, Any]:
    """Each pair of runs: difference, its error, in how many seeds it is higher and lower."""
    few = len(ledger.runs) <= _MOST_RUNS
    pairs = {
        f"{one.name} against {other.name}": _differing(ledger, one.number, other.number)
        for place, one in enumerate(ledger.runs)
        for other in ledger.runs[: place if few else min(place, 1)]
    }
    columns = ["data_set", "metric", "difference", "error", "seeds_higher", "seeds_lower"]
    return {"columns": columns, "pairs": pairs}


def _differing(ledger: Ledger, one: int, other: int) -> list[list[Any]]:
    return [
        [
            data,
            metric,
            short_number(found.value),
            short_number(found.error),
            found.higher,
            found.lower,
        ]
        for data in ledger.datasets
        for metric in (known.name for known in ledger.metrics)
        if (found := ledger.difference(one, other, data, metric)) is not None
    ]


def _differences(records: Sequence[RunMeasurements]) -> dict[str, str]:
    """What each run changed in the code of the run that it started from."""
    code = {one.number: one.code for one in records}
    rows = {}
    for one in records[1:]:
        before = code.get(one.base, records[0].code)
        paths = sorted({*before, *one.code})
        changes = (code_difference(before.get(p, ""), one.code.get(p, ""), p) for p in paths)
        rows[one.name] = "\n".join(filter(None, changes))
    return rows
