"""The changes of each run: its attempts, and the difference to the code of the previous run."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from orchestrator.core.research import Run
from orchestrator.record.calls import Step
from orchestrator.record.plan_notes import RunsCompleted
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.page import pill
from orchestrator.report.reading import IdeaFacts

_MAX_LINES = 600  # of one file's diff
_MAX_BYTES = 256 * 1024  # of a file that is compared
_LOOKS = {"+": "add", "-": "del", "@": "at"}


def changes_section(facts: IdeaFacts) -> list[Child]:
    """Every run besides the baseline, and the attempts of unfinished runs."""
    parts: list[Child] = []
    runs = {run.number: run for run in facts.runs}
    before = runs.get(0)
    for number in sorted({*runs, *_tried(facts)} - {0}):
        parts.append(_run(facts, number, runs.get(number), before))
        before = runs.get(number, before)
    return parts


def _tried(facts: IdeaFacts) -> Iterator[int]:
    """The numbers of attempted runs, except the one that the author declined."""
    completed = [note.after + 1 for note in facts.journal.notes(RunsCompleted, below="idea")]
    for step in facts.of("editor"):
        parts = step.place.split("/")
        number = parts[1][4:] if parts[0] == "experiments" and len(parts) > 1 else ""
        if number.isdecimal() and int(number) not in completed:
            yield int(number)


def _run(facts: IdeaFacts, number: int, run: Run | None, before: Run | None) -> Html:
    title = f"Run {number}: {run.description if run else 'never finished'}"
    attempts = [step for step in facts.steps if step.place.startswith(f"experiments/run_{number}/")]
    diff: Child = None
    if run is not None and before is not None and run.code.files and before.code.files:
        diff = list(_diffs(facts, before, run)) or el("p", "The code is the same.", class_="quiet")
    return el("div", el("h3", title), _attempts(attempts), diff)


def _attempts(steps: list[Step]) -> Html | None:
    """A table of the attempts if one of them failed or changed a fixed file; else None."""
    rows = [row for step in steps if (row := _attempt(step)) is not None]
    restored = any(step.edit.refused for step in steps if step.port == "editor" and step.answer)
    plain = all(step.error is None for step in steps) and len(rows) <= 2 and not restored
    return None if plain else data_table(("attempt", "what", "how it ended", ""), rows)


def _attempt(step: Step) -> tuple[Child, ...] | None:
    place = step.place.split("/", 2)[-1].replace("_", " ")
    if step.port == "model":
        return None
    if step.error is not None:
        return place, step.port, pill(step.error.type, "bad"), step.error.what
    if step.answer is None:
        return place, step.port, pill("no answer recorded", "warn"), ""
    if step.port == "editor":
        edit = step.edit
        ended = pill("edited", "good") if edit.changed else pill("no change", "warn")
        restored = f"; restored: {', '.join(edit.refused)}" if edit.refused else ""
        return place, "edit", ended, (", ".join(edit.changed) or edit.why_not) + restored
    result = step.result
    look = "good" if result.ok else "bad"
    last = result.stderr.strip().splitlines()[-1:] if not result.ok else []
    return place, "run", pill(str(result.verdict), look), el("span", last, class_="small quiet")


def _diffs(facts: IdeaFacts, before: Run, run: Run) -> Iterator[Html]:
    old, new = before.code.as_dict(), run.code.as_dict()
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path) and path != "notes.txt":
            texts = _text(facts, old.get(path)), _text(facts, new.get(path))
            names = f"before/{path}", f"after/{path}"
            rows = list(difflib.unified_diff(*texts, *names, lineterm=""))[2:]
            count = sum(row[:1] in "+-" for row in rows)
            spans = [
                el("span", row or " ", class_=_LOOKS.get(row[:1])) for row in rows[:_MAX_LINES]
            ]
            if len(rows) > _MAX_LINES:
                spans.append(el("span", f"… {len(rows) - _MAX_LINES} more lines", class_="at"))
            head = [el("code", path), f"  {count} changed lines"]
            yield fold(head, el("pre", spans, class_="diff"), opened=count <= 60)


def _text(facts: IdeaFacts, sha256: str | None) -> list[str]:
    data = facts.blob(sha256) if sha256 else b""
    if len(data) > _MAX_BYTES or b"\0" in data:
        return [f"({len(data)} bytes, not compared as text)"]
    return data.decode("utf-8", errors="replace").splitlines()
