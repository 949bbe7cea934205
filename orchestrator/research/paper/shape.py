"""The shape of a paper, which no correction changes; and the mark of one whose numbers are not verified."""

from __future__ import annotations

import re

from orchestrator.research.paper.latex import escape, uncommented

_NOTES, _NOTED = 6, 200  # problems that a paper names on its first page, and characters of each
_BACKBONE = re.compile(
    r"(\\maketitle|\\(?:begin|end)\{abstract\}|\\section\*?\{[^}]*\}|\\appendix"
    r"|\\bibliography\{[^}]*\}|\\begin\{thebibliography\})"
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


def backbone(tex: str) -> tuple[str, ...]:
    """The parts that no correction removes, in order: title, abstract, sections, references."""
    return tuple(_BACKBONE.findall(uncommented(tex)))


def emptied_parts(before: str, after: str) -> tuple[str, ...]:
    """The parts of two sources with one backbone that lost more than half of their words."""
    parts = zip(backbone(before), _parts(before), _parts(after), strict=False)
    return tuple(name for name, old, new in parts if len(new.split()) < len(old.split()) / 2)


def _parts(tex: str) -> list[str]:
    return _BACKBONE.split(uncommented(tex))[2::2]
