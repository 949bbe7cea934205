"""The sweep's deck: what was changed, what was measured, the figures, and what they cannot show."""

from __future__ import annotations

from orchestrator.core.model import Ask
from orchestrator.research.paper.latex import escape
from orchestrator.research.sweep.wording import PromptData, code, json_reply


def deck(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """Seven slides or more, with every figure and the first comparisons that the host offers as phrases."""
    runs = [code(run["name"]) for run in data["runs"][1:]]
    known = {run["name"] for run in data["runs"]} | {row[0] for row in data["results"]["rows"]}
    names = sorted(known, key=len, reverse=True)
    said = [_phrase(one, names) for one in data["comparisons"]["say"] if len(one.split()) < 18]
    figures = [row["name"] for row in data["deck"]["figures"]]
    slides = [
        _slide("The question", [escape(" ".join(data["idea"]["title"].split()[:16]))]),
        _slide("What was changed", [f"One setting, in {len(runs)} runs beside the baseline", *runs[:3]]),
        _slide("How runs are compared", ["On the same data set and metric", "A difference counts beyond two of its errors"]),
        *(_slide(f"Figure {number}", [], name) for number, name in enumerate(figures[:5], start=1)),
        _slide("What differs", said[:2] or ["See the table of results"]),
        _slide("What this cannot show", ["Other sizes, other data, values that were not tried", "No explanation is offered"]),
        _slide("What follows", ["The same runs with more seeds and at a larger scale"]),
    ]  # fmt: skip
    return json_reply({"slides": slides})


def _phrase(phrase: str, names: list[str]) -> str:
    """A comparison as the host offers it, with the names of runs and data sets as code where they are prose."""
    prose, macro, rest = phrase.partition("\\")
    for name in names:
        prose = prose.replace(f"{name} ", f"{code(name)} ")
    return f"{prose}{macro}{rest}."


def _slide(title: str, points: list[str], figure: str | None = None) -> PromptData:
    return {"title": title, "points": points, "figure": figure}
