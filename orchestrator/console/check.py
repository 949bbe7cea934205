"""``aisci check paper``: which sentences of a paper no result carries, how each was read, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from orchestrator.api.papers import PaperCheck, check_paper
from orchestrator.console import output as out
from orchestrator.core.sanitize import plain_line
from orchestrator.research.claims.check import Checked

_MOST = 20  # files that are named on the screen
_PRIVATE = re.compile(r"[\ue000-\uf8ff]+")


def print_paper_check(
    folder: Path, scale: str, *, as_json: bool, results: Path | None = None
) -> int:
    """Check a paper and say what is wrong; returns the exit code: 1 if anything is, or if not
    all of it was read.
    """
    done = check_paper(folder, scale, results)
    out.as_json(check_as_json(done)) if as_json else say_check(done)
    return 1 if done.wrong or not done.whole else 0


def say_check(done: PaperCheck) -> None:
    """Print what the program found."""
    rows, groups = [], []
    for one in done.wrong:
        for problem in one.problems:
            rows.append((_sentence(one), problem))
            groups.append(one.sentence.part)
    if rows:
        out.table(("sentence", "why no result carries it"), rows, groups)
        out.say()
    if done.left_out:
        rows = [
            (plain_line(name), plain_line(why, limit=300)) for name, why in done.left_out[:_MOST]
        ]
        more = len(done.left_out) - _MOST
        rows += [(f"and {more} more", "--json names them")] if more > 0 else []
        out.table(("not read", "why"), rows)
        out.say()
    if done.differs:
        out.say(
            f"{done.differs}:\nthat file was not checked, the recorded source was. "
            "`aisci replay RUN --into DIR` writes the recorded one again"
        )
    kind = "by reference and typed" if done.by_reference else "typed"
    out.say(
        f"{done.source}{', as recorded' * bool(done.differs)}: {len(done.sentences)} sentences, {done.numbers} numbers with a source ({kind}); "
        f"not carried: {len(done.wrong)}{f'; not read: {len(done.left_out)}' if done.left_out else ''}"
    )


def _sentence(one: Checked) -> str:
    return _PRIVATE.sub("[number]", one.sentence.text)[:300]


def check_as_json(done: PaperCheck) -> dict[str, Any]:
    """What the program found, for programs."""
    return {
        "source": done.source,
        "sentences": len(done.sentences),
        "numbers": done.numbers,
        "by_reference": done.by_reference,
        "whole": done.whole,
        "left_out": [list(row) for row in done.left_out],
        "differs": done.differs,
        "wrong": [
            {"part": one.sentence.part, "sentence": _sentence(one), "problems": list(one.problems)}
            for one in done.wrong
        ],
    }
