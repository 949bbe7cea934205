"""What the author answered to the reviews, what changed for it, and how both versions were rated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from orchestrator.core.papers import Improvement, PaperVersion
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.page import pill
from orchestrator.report.reading import IdeaFacts

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LOOKS = {"+": "add", "-": "del"}


def improvement_section(facts: IdeaFacts) -> list[Child]:
    """Each pass: the versions, the answers, and the sentences that changed."""
    parts: list[Child] = []
    for number, one in enumerate(facts.reached.improvements, start=1):
        parts += [el("h3", f"Pass {number}"), *_pass(one)]
    return parts


def _pass(one: Improvement) -> Iterator[Child]:
    kept = (
        "The improved version is the paper."
        if one.kept == "improved"
        else "The earlier version stays the paper."
    )
    yield el("p", f"{kept} Why: {one.why}.")
    if one.after is not None:
        rows = [("before", *_rated(one.before)), ("after", *_rated(one.after))]
        yield data_table(("version", "overall", "each reviewer", "numbers nothing carries"), rows)
    if one.reread is not None:
        worse = f" What became worse: {one.reread.worse}" if one.reread.worse else ""
        said = f"The reviewer whose points it answers gives it {one.reread.overall} now; this decides nothing.{worse}"
        yield el("p", said, class_="small")
    if one.runs:
        yield el("p", f"Runs that were made for it: {', '.join(one.runs)}.")
    looks = {"change": "good", "experiment": "good", "limit": "warn", "rebuttal": "warn"}
    heads = ["what a reviewer said", "answer", "the author's note"]
    rows_: list[tuple[Child, ...]] = [
        (a.point, pill(a.kind, looks[a.kind]), a.note) for a in one.answers
    ]
    if one.reread is not None:
        heads.append("settled for the reviewer")
        settled = one.reread.settled
        rows_ = [(*row, "yes" if n in settled else "no") for n, row in enumerate(rows_, start=1)]
    yield data_table(heads, rows_)
    for name, before, after in one.changes:
        yield fold(
            f"What changed in: {name}", el("pre", list(_difference(before, after)), class_="diff")
        )


def _rated(version: PaperVersion) -> tuple[str, str, str]:
    review = version.meta_review or next(reversed(version.reviews), None)
    overall = "not judged" if review is None or review.overall is None else str(review.overall)
    each = ", ".join("–" if one.overall is None else str(one.overall) for one in version.reviews)
    return overall, each, str(version.unresolved)


def _difference(before: str, after: str) -> Iterator[Html]:
    """Sentence by sentence: what went, what came, and the sentences between, shortened."""
    old, new = _SENTENCE.split(before), _SENTENCE.split(after)
    for row in difflib.unified_diff(old, new, lineterm="", n=1):
        if not row.startswith(("---", "+++", "@@")):
            yield el("span", row, class_=_LOOKS.get(row[:1]))
