"""Marks on the first page of a paper: its numbers are not verified, or its results were imported."""

from __future__ import annotations

from orchestrator.research.paper.latex import escape

_NOTES, _NOTED = 6, 200  # problems that a paper names on its first page, and characters of each


def imported_note(note: str) -> str:
    """A framed paragraph that says where the paper and its results come from, and ``note``."""
    return (
        "\n\\noindent\\fbox{\\parbox{0.96\\linewidth}{\\footnotesize\\raggedright\\textbf{Imported.} "
        "The results come from a folder of The AI Scientist; aisci did not measure them. "
        f"{escape(note[:1].upper() + note[1:])}.}}}}\n"
    )


def not_verified_note(problems: tuple[str, ...]) -> str:
    """A framed paragraph that names the sentences whose numbers have no source, the first of many."""
    rows = [rf"\item {escape(one[:_NOTED])}" for one in problems[:_NOTES]]
    more = rf"\item and {len(problems) - _NOTES} more" if len(problems) > _NOTES else ""
    listed = "\n".join(filter(None, [*rows, more]))
    return (
        "\n\\noindent\\fbox{\\parbox{0.96\\linewidth}{\\footnotesize\\raggedright\\textbf{Not verified.} "
        "A program found no source for these numbers; the report lists them all.\n"
        f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}}}}}\n"
    )
