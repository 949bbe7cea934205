"""``aisci check paper``: which sentences of a paper no result carries, how each was read, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from orchestrator.api.papers import PaperCheck, check_paper
from orchestrator.console import output as out
from orchestrator.research.claims.check import Checked

_PRIVATE = re.compile(r"[\ue000-\uf8ff]+")


def print_paper_check(
    folder: Path, scale: str, *, as_json: bool, results: Path | None = None
) -> int:
    """Check a paper and say what is wrong; returns the exit code: 1 if anything is."""
    done = check_paper(folder, scale, results)
    out.as_json(check_as_json(done)) if as_json else say_check(done)
    return 1 if done.wrong else 0


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
    kind = "by reference and typed" if done.by_reference else "typed"
    out.say(
        f"{done.source}: {len(done.sentences)} sentences, {done.numbers} numbers with a source ({kind}); "
        f"not carried: {len(done.wrong)}"
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
        "wrong": [
            {"part": one.sentence.part, "sentence": _sentence(one), "problems": list(one.problems)}
            for one in done.wrong
        ],
    }
