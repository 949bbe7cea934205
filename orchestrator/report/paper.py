"""The paper as pictures, its verified numbers, its review, and the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from orchestrator.core.files import slug
from orchestrator.core.papers import HIDDEN_KINDS, HiddenText
from orchestrator.core.research import Figure
from orchestrator.record.notes import FiguresInspected
from orchestrator.record.paths import PAPER_PDF
from orchestrator.report.html import Child, Html, data_table, el, fold, picture
from orchestrator.report.page import bullet_list, pill
from orchestrator.report.reading import IdeaFacts

_MAX_PICTURES = 20  # pages, and figures, that one report shows
_MAX_BYTES = 16 * 1024 * 1024  # of all pages, and of all figures
_PAGE = re.compile(r"latex/out/page-(\d+)\.png")


def figures_section(facts: IdeaFacts) -> list[Child]:
    """The figures of the plot container; the browser, not this program, decodes them."""
    known = facts.reached.tree.as_dict()
    names = {name: known[name] for name in facts.reached.figures if name in known}
    if not names:
        return []
    said = {one.name: one for one in facts.reached.captions}
    shown = [
        el("figure", drawn, _figcaption(name, said.get(name)))
        for name, drawn in zip(names, _pictures(facts, names), strict=False)
    ]
    rest = _rest(len(names) - len(shown), "figures are in the idea's folder")
    return [el("div", shown, class_="figures"), rest, *_figure_notes(facts)]


def _figcaption(name: str, figure: Figure | None) -> Html:
    caption = f" {figure.caption}" if figure else ""
    seen = figure.description if figure else ""
    return el(
        "figcaption", el("code", name), caption, fold("What is drawn", seen) if seen else None
    )


def _figure_notes(facts: IdeaFacts) -> Iterator[Child]:
    """What the author left out, and what is still wrong, of the last time that figures were drawn."""
    for note in facts.journal.notes(FiguresInspected, below="idea")[-1:]:
        left = bullet_list(tuple(f"{name}: {why}" for name, why in note.left_out))
        yield fold(f"Drawn and not shown: {len(note.left_out)}", left) if left else None
        flaws = bullet_list(note.problems)
        yield (
            fold(f"Flaws that remain in the figures: {len(note.problems)}", flaws)
            if flaws
            else None
        )


def paper_section(facts: IdeaFacts) -> list[Child]:
    """Pictures of the pages, a link to the PDF, and the warnings of LaTeX."""
    if facts.reached.paper is None:
        return []
    files = facts.reached.paper.files.as_dict()
    numbered = sorted((int(m[1]), files[p]) for p in files if (m := _PAGE.fullmatch(p)))
    shown = _pictures(facts, {f"page {number}": sha256 for number, sha256 in numbered})
    name = f"{slug(facts.idea.name)}.pdf"
    link = el("a", name, href=quote(name)) if PAPER_PDF in files else "no PDF"
    paper = facts.reached.paper
    pages, warnings = len(paper.layer or paper.pages), paper.warnings
    return [
        el("p", f"{pages} page{'s' * (pages != 1)}, written by ", facts.author, ": ", link),
        el("div", shown, class_="pages"),
        _rest(len(numbered) - len(shown), "pages are in the PDF"),
        fold(f"Warnings of LaTeX and chktex: {len(warnings)}", bullet_list(warnings))
        if warnings
        else None,
        _hidden(paper.hidden),
    ]


def _hidden(hidden: tuple[HiddenText, ...]) -> Html | None:
    """What the PDF says and no reader sees; the reviewer was not given it."""
    rows = [
        (str(one.page), HIDDEN_KINDS[one.kind], el("td", one.text, class_="small"))
        for one in hidden
    ]
    title = f"Text that no reader sees, kept from the reviewer: {len(rows)}"
    return fold(title, data_table(("page", "how", "text"), rows)) if rows else None


def _pictures(facts: IdeaFacts, named: dict[str, str]) -> list[Html]:
    """The first pictures, up to the limits of a page."""
    shown: list[Html] = []
    room = _MAX_BYTES
    for alt, sha256 in named.items():
        data = facts.blob(sha256)
        room -= len(data)
        if room < 0 or len(shown) == _MAX_PICTURES:
            break
        shown.append(picture(data, alt))
    return shown


def _rest(count: int, where: str) -> Html | None:
    return el("p", f"{count} more {where}.", class_="small quiet") if count > 0 else None


def claims_section(facts: IdeaFacts) -> list[Child]:
    """Every number of the paper with its source, and what a reader doubted before it was printed."""
    if not facts.reached.claims:
        return [_unverified(facts), *_doubts(facts)]
    lost = [claim for claim in facts.reached.claims if not claim.source]
    lacks = pill("resolves to nothing", "bad")
    rows = [
        (one.text, el("td", one.where, class_="small quiet"), one.source or lacks)
        for one in facts.reached.claims
    ]
    summary = (
        f"{len(facts.reached.claims)} numbers, each resolved to a result, a setting or a reference."
    )
    if lost:
        summary = f"{len(lost)} of {len(facts.reached.claims)} numbers resolve to nothing."
    elif facts.unverified:
        summary = (
            f"{len(facts.reached.claims)} numbers resolve to a result, a setting or a reference."
        )
    shown = fold("All numbers and their sources", data_table(("number", "where", "source"), rows))
    return [_unverified(facts), el("p", summary), shown, *_doubts(facts)]


def _unverified(facts: IdeaFacts) -> Child:
    """What the paper says and no result carries: each statement with what is wrong."""
    if facts.unverified is None or facts.unverified in facts.failures:
        return None
    first, *rows = facts.unverified.what.splitlines()
    told = el("p", el("strong", f"Not verified: {first}."))
    return el("div", told, *(el("p", row, class_="small") for row in rows), class_="notice")


def _doubts(facts: IdeaFacts) -> list[Child]:
    """What a model that did not write the paper doubted, and what its author did about it."""
    if not facts.doubts:
        return []
    rows = [
        (one.sentence, one.why, pill("kept", "warn") if one.kept else pill("changed", "good"))
        for one in facts.doubts
    ]
    kept = sum(one.kept for one in facts.doubts)
    told = (
        f"A reader who did not write the paper doubted {len(rows)} of its sentences; its author changed "
        f"{len(rows) - kept} and kept {kept}. A doubt is the word of a model, not of the record."
    )
    heads = ("sentence as it was", "doubt", "author")
    return [el("p", told), fold("The doubts and what came of them", data_table(heads, rows))]
