"""Two runs side by side: what they were started with, their ideas, results, reviews, costs and times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from orchestrator.api.find_run import JOURNAL, find_run
from orchestrator.api.headlines import HeadlineRow, MetricKey, headline_rows
from orchestrator.api.run_lines import as_written, idea_journals
from orchestrator.api.run_status import RunStatus
from orchestrator.api.run_watch import status_of
from orchestrator.core.research import BASELINE
from orchestrator.policy.compare import compare, shown_setting
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.pins import Pins
from orchestrator.report.measured import MeanError, is_within, mean_error
from orchestrator.report.reading import IdeaFacts, read_idea, read_run

_HASH = 12  # characters of a hash that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDifference:
    """What one run was started with and the other was not; of a setting of the policy, what the second is."""

    what: str
    first: str
    second: str
    verdict: Literal["", "stronger", "weaker", "different"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMetric:
    """The (mean, standard error) of a metric in both runs, each None where there is none. ``within``: the
    difference is no larger than its standard error; None where that is unknown.
    """

    idea: str
    run: str
    dataset: str
    metric: str
    first: MeanError | None
    second: MeanError | None
    within: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedIdea:
    """An idea of one run. ``review`` is the overall score (1 to 10) of the review that counts, ``lacking`` what its
    paper is not.
    """

    name: str
    status: str
    review: int | None
    decision: str
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One of the two."""

    status: RunStatus
    ideas: tuple[ComparedIdea, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two runs, and in what they differ."""

    first: ComparedRun
    second: ComparedRun
    pins: tuple[PinDifference, ...]
    metrics: tuple[ComparedMetric, ...]
    headlines: tuple[HeadlineRow, ...]


def compare_two(first: str, second: str, results: Path) -> RunComparison:
    """Compare two runs, each as far as it is recorded. Raises :class:`UnknownName`, :class:`BadJournal`."""
    one, other = (find_run(name, results).folder for name in (first, second))
    with as_written(f"{one}, {other}"):
        a, b = _read(one), _read(other)
        return RunComparison(
            first=a.run,
            second=b.run,
            pins=tuple(pin_differences(a.pins, b.pins)),
            metrics=tuple(_metrics(a.metrics, b.metrics)),
            headlines=tuple(headline_rows(a.metrics, b.metrics, b.directions | a.directions)),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    run: ComparedRun
    pins: Pins
    metrics: dict[MetricKey, MeanError]
    directions: dict[str, str]  # of the template's headline metrics


def _read(folder: Path) -> _Known:
    status = status_of(folder, time.time())
    store = BlobStore(folder / "blobs")
    journal = Journal(folder / JOURNAL, store, Mode.REPLAY, torn=True)
    shared = read_run(journal)
    assert shared.pins is not None  # status_of would have raised
    facts = []
    for path in idea_journals(folder):
        own = BlobStore(path.parent / "blobs", store)
        facts.append(read_idea(Journal(path, own, Mode.REPLAY, torn=True), shared))
    metrics: dict[MetricKey, MeanError] = {}
    directions: dict[str, str] = {}
    for idea in facts:
        metrics |= dict(_measured(idea))
        headline = idea.manifest.headline if idea.manifest else ()
        directions |= {one: idea.metrics[one].direction for one in headline if one in idea.metrics}
    run = ComparedRun(status=status, ideas=tuple(map(_idea, facts)))
    return _Known(run, shared.pins, metrics, directions)


def _idea(facts: IdeaFacts) -> ComparedIdea:
    review = facts.reached.review
    return ComparedIdea(
        name=facts.idea.name,
        status=facts.status,
        review=review.overall if review else None,
        decision=review.decision if review else "",
        lacking=facts.lacking,
    )


def _measured(facts: IdeaFacts) -> Iterator[tuple[MetricKey, MeanError]]:
    names = {run.number: f"run {run.number}" for run in facts.runs}
    for number, results in facts.results:
        idea, run = (facts.idea.name, names.get(number, "")) if number else ("", BASELINE)
        for dataset, data in results.datasets.items():
            for metric in data.means:
                value = mean_error(data, metric)
                if value is not None:
                    yield (idea, run, dataset, metric), value


def _metrics(
    first: dict[MetricKey, MeanError], second: dict[MetricKey, MeanError]
) -> Iterator[ComparedMetric]:
    for key in dict.fromkeys((*first, *second)):
        idea, run, dataset, metric = key
        a, b = first.get(key), second.get(key)
        known = a is not None and b is not None and a[1] is not None and b[1] is not None
        yield ComparedMetric(
            idea=idea,
            run=run,
            dataset=dataset,
            metric=metric,
            first=a,
            second=b,
            within=is_within(a, b) if known and a and b else None,
        )


def pin_differences(first: Pins, second: Pins) -> Iterator[PinDifference]:
    """What two runs were started with, where it differs: a setting of the policy as `policy diff` words it."""
    old, new = _words(first), _words(second)
    for what in dict.fromkeys((*old, *new)):
        a, b = old.get(what, "–"), new.get(what, "–")
        if a != b:
            yield PinDifference(what=what, first=a, second=b)
    for one in compare(first.policy.settings, second.policy.settings):
        yield PinDifference(
            what=f"policy {one.key}",
            first=shown_setting(one.before),
            second=shown_setting(one.after),
            verdict=one.verdict,
        )


def _words(pins: Pins) -> dict[str, str]:
    """Each pin in words, in the order in which it is shown."""
    words = {f"model ({one.role})": f"{one.name} {one.server}".strip() for one in pins.models}
    words |= {f"pictures ({one.role})": _yes(one.sees) for one in pins.models}
    words |= {
        "effort": pins.efforts or "as the vendors have it",
        "scale": pins.scale,
        "ideas": str(pins.ideas),
        "given ideas": str(len(pins.given)),
        "novelty is judged": _yes(pins.novelty),
        "open-ended": _yes(pins.open_ended),
        "left out": pins.leave_out or "nothing",
        "engines": ", ".join(one.name for one in pins.engines) or "none",
        "template": pins.template.name,
        "template's files": pins.template.hash[:_HASH],
        "prompts": pins.prompts[:_HASH],
        "program": pins.program,
        "policy": pins.policy.name,
    }
    words |= {f"reviews: {key}": str(value) for key, value in asdict(pins.reviewing).items()}
    words |= {
        f"image {name}": sha256.removeprefix("sha256:")[:_HASH] for name, sha256 in pins.images
    }
    words |= {f"data {one.name}": one.hash[:_HASH] for one in pins.data}
    words["kept baseline"] = pins.baseline.key[:_HASH] if pins.baseline else "none"
    words["imported"] = pins.imported.folder if pins.imported else "no"
    return words


def _yes(value: bool) -> str:  # noqa: FBT001 - a value, not a switch
    return "yes" if value else "no"
