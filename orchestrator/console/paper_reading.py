"""``aisci check paper --model``: the sentences that a model doubts, beside what the program found by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.api.paper_reading import PaperReading, ReadingRequest, read_paper
from orchestrator.console import output as out
from orchestrator.console.check import check_as_json, say_check

_SHOWN = 300  # characters of a sentence


def print_paper_reading(
    paper: Path,
    model: str,
    results: Path,
    *,
    scale: str = "",
    max_usd: float | None = None,
    price: str | None = None,
    as_json: bool = False,
) -> int:
    """Have a model read a paper and say what it doubts; returns the exit code: 1 if anything is not carried."""
    request = ReadingRequest(
        paper=paper, model=model, scale=scale, max_usd=max_usd, price=price, results=results
    )
    with out.trying(f"reading {paper} …", "{}") as say:
        done = read_paper(request, say)
    out.as_json(_as_json(done, model)) if as_json else _say(done, model)
    return 0 if done.holds else 1


def _say(done: PaperReading, model: str) -> None:
    say_check(done.check)
    out.say()
    rows = [(one.text[:_SHOWN], why) for one, why in done.doubted]
    if rows:
        groups = [one.section for one, _ in done.doubted]
        out.table(("sentence", f"why {model} doubts it"), rows, groups)
        out.say()
    cost = "not known" if done.usage.usd is None else f"${done.usage.usd:.2f}"
    out.say(f"{model} read {len(done.read)} sentences; it doubts: {len(done.doubted)}")
    if done.settled:
        out.say(f"{done.settled} typed sentences that the program could not trace it found carried")
    out.say(f"record: {done.folder}\ncost:   {cost}")


def _as_json(done: PaperReading, model: str) -> dict[str, Any]:
    return check_as_json(done.check) | {
        "model": model,
        "holds": done.holds,
        "doubts": [
            {"part": one.section, "sentence": one.text, "why": why} for one, why in done.doubted
        ],
        "settled": done.settled,
        "folder": str(done.folder),
        "usd": done.usage.usd,
    }
