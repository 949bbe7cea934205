"""What a study takes from a results folder of the AI Scientist, and what was left out or missing there."""

from __future__ import annotations

from orchestrator.core.papers import Review
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.reading import IdeaFacts

NOT_MEASURED = "These runs were imported: no container of this program measured them, and there is no evidence for them."


def imported_section(facts: IdeaFacts) -> list[Child]:
    """Nothing of a study whose runs were made here."""
    known, pin = facts.imported, facts.pins.imported if facts.pins else None
    if known is None:
        return []
    read = len(pin.files.files) if pin else 0
    left = pin.left_out if pin else ()
    named = {name for name, _ in left}  # with the reason; it is not also missing
    missing = tuple(row for row in known.missing if row[0] not in named)
    more = f", and {pin.more} more" if pin and pin.more else ""
    about = (
        f"From the folder {known.folder}: {read} files were read, {len(known.runs)} runs among them; the "
        f"idea is that of {known.idea_from}. Nothing of the folder was run or unpickled."
    )
    return [
        el("p", el("strong", NOT_MEASURED)),
        el("p", about),
        _table("Missing in the folder", "what", missing),
        _table(f"Left out: {len(left)} files{more}", "file", left),
        *(_review(number, one) for number, one in enumerate(known.reviews, start=1)),
    ]


def _table(title: str, what: str, rows: tuple[tuple[str, str], ...]) -> Html | None:
    return fold(title, data_table((what, "why"), rows)) if rows else None


def _review(number: int, review: Review) -> Html:
    """A review of the folder as it came; the first is of the last version."""
    of = "the last version" if number == 1 else "an earlier version"
    overall = "no overall score" if review.overall is None else f"overall {review.overall} of 10"
    return fold(f"Imported review of {of}: {overall}", el("p", review.summary))
