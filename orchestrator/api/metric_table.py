"""Every number that runs measured, one row a metric: for a spreadsheet, a notebook, another program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from orchestrator.api.find_run import JOURNAL, find_run, id_of
from orchestrator.api.run_lines import as_written, idea_journals
from orchestrator.core.research import Run
from orchestrator.core.sanitize import plain_line
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.report.measured import mean_error
from orchestrator.report.reading import IdeaFacts, read_idea, read_run
from orchestrator.template.results import Results, per_seed

_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would compute a text that begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """A metric of a data set in run ``number`` of an idea (0: the baseline). ``seeds`` is how many values its
    mean is of, None where the run does not say; so are ``stderr``, ``unit`` and ``direction``.
    """

    run: str
    idea: str
    idea_folder: str
    status: str
    number: int
    name: str
    dataset: str
    metric: str
    mean: float
    stderr: float | None
    seeds: int | None
    unit: str
    direction: str


def metric_rows(names: Sequence[str], results: Path) -> tuple[MetricRow, ...]:
    """The metrics of all ideas of these runs, as far as they are recorded.

    Raises :class:`UnknownName`, :class:`BadJournal`.
    """
    folders = [find_run(name, results).folder for name in names]
    return tuple(row for folder in folders for row in _of_run(folder))


def _of_run(folder: Path) -> Iterator[MetricRow]:
    with as_written(str(folder)):
        store = BlobStore(folder / "blobs")
        shared = read_run(Journal(folder / JOURNAL, store, Mode.REPLAY, torn=True))
        for path in idea_journals(folder):
            own = BlobStore(path.parent / "blobs", store)
            facts = read_idea(Journal(path, own, Mode.REPLAY, torn=True), shared)
            for number, found in facts.results:
                run = next((one for one in facts.runs if one.number == number), None)
                yield from _of_results(id_of(folder), path.parent.name, facts, number, run, found)


def _of_results(
    run_id: str, folder: str, facts: IdeaFacts, number: int, run: Run | None, found: Results
) -> Iterator[MetricRow]:
    sha256 = run.files.get(f"run_{number}/final_info.json") if run else None
    values = per_seed(facts.blob(sha256)) if sha256 else {}
    for dataset, data in found.datasets.items():
        for metric in data.means:
            value, about = mean_error(data, metric), facts.metrics.get(metric)
            seeds = values.get(dataset, {})
            of_one = seeds.get(metric) or seeds.get(metric.removesuffix("_mean"))
            if value is not None:
                yield MetricRow(
                    run=run_id,
                    idea=facts.idea.name,
                    idea_folder=folder,
                    status=facts.status,
                    number=number,
                    name=run.name if run else "",
                    dataset=dataset,
                    metric=metric,
                    mean=value[0],
                    stderr=value[1],
                    seeds=len(of_one) if of_one else None,
                    unit=about.unit if about else "",
                    direction=about.direction if about else "none",
                )


def csv_text(rows: Sequence[MetricRow]) -> str:
    """The rows as CSV (RFC 4180) with a first line of names. A text that a spreadsheet would take for a formula
    begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(MetricRow)])
    for row in rows:
        writer.writerow([_cell(value) for value in asdict(row).values()])
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    text = plain_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
