"""A paper's source as it came, split into sections that an author can write again."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestrator.core.research import Figure
from orchestrator.research.claims.section_kinds import is_of_others
from orchestrator.research.importing.values import SplitPaper
from orchestrator.research.paper import latex
from orchestrator.research.paper.latex import BEGIN, END
from orchestrator.research.paper.visible import visible_text
from orchestrator.research.stages.sections import SECTIONS, Section, section_named

_TITLE = re.compile(r"\\title\s*(?=\{)")
_ABSTRACT = (r"\begin{abstract}", r"\end{abstract}")
_HEADING = re.compile(
    r"\\section\*?\s*(?:\[[^\]]{0,400}\]\s*)?\{((?:[^{}]|\{(?:[^{}]|\{[^{}]{0,200}\}){0,200}\}){0,200})\}"
)
_AFTER = re.compile(
    r"\\(?:bibliographystyle|bibliography|appendix|printbibliography)\b|\\begin\{thebibliography\}"
)
_CAPTION = re.compile(r"\\caption\s*(?:\[[^\]]{0,500}\])?\s*(?=\{)")
_BIBLIOGRAPHY = re.compile(r"\\bibliography\s*\{\s*([\w.-]{1,80})\s*\}")
_TARGETS = (
    "\\providecommand{\\hypertarget}[2]{#2}\n"  # our appendix has them, with or without hyperref
)
_NAMES: tuple[tuple[str, str], ...] = (
    ("introduction", r"introduction"),
    ("related", r"related|prior work"),
    ("background", r"background|preliminar"),
    ("setup", r"set-?\s?up|experimental design"),
    ("results", r"results?|experiments?|evaluation|findings"),
    ("method", r"methods?|methodology|approach"),
    ("discussion", r"discussion|limitation"),
    ("conclusion", r"conclusions?|conclusion and|summary"),
)
"""What a heading says, for each of our sections; the first that fits counts."""
_OTHERS = ("related", "background")
"""Sections about other people's work, of which no heading is that has a word of ours too."""


def split_paper(tex: str) -> SplitPaper:
    """The source as skeleton and sections. A text that is itself a placeholder was never written: it is no
    section. Raises ValueError for what is no paper.
    """
    if tex.count(BEGIN) != 1 or END not in tex:
        raise ValueError(r"it has no \begin{document} with its end")
    preamble, _, rest = tex.partition(BEGIN)
    body, _, after = rest.partition(END)
    texts: dict[str, str] = {}
    body, kept = _with_sections_out(latex.uncommented(body), texts)
    body = _abstract_out(body, texts)
    preamble, body = _title_out(preamble, body, texts)
    order = [section.name for section in SECTIONS]
    sections = tuple(sorted(texts.items(), key=lambda pair: order.index(pair[0])))
    return SplitPaper(preamble + _TARGETS + BEGIN + body + END + after, sections, kept)


def _with_sections_out(body: str, texts: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    stop = _AFTER.search(body)
    end = stop.start() if stop else len(body)
    heads = [match for match in _HEADING.finditer(body) if match.start() < end]
    ends = [*(match.start() for match in heads[1:]), end]
    parts, kept, at = [], [], 0
    for head, last in zip(heads, ends, strict=True):
        name, text = section_of(head[1]), body[head.end() : last]
        label = re.match(r"\s*(?:\\label\{[^{}]{0,100}\})?\s*", text)
        first = head.end() + (label.end() if label else 0)
        if name is None or name.name in texts:
            kept.append(visible_text(head[1]).strip())
        elif _put(name, body[first:last], texts):
            parts += [body[at:first], f"{name.placeholders[0]}\n\n"]
            at = last
    return "".join([*parts, body[at:]]), tuple(kept)


def section_of(heading: str) -> Section | None:
    """The section of ours that a heading names."""
    said = visible_text(heading).lower()
    names = [name for name, pattern in _NAMES if re.search(rf"\b(?:{pattern})", said)]
    if is_of_others(said):
        found: str | None = next((name for name in names if name in _OTHERS), _OTHERS[0])
    else:
        own = [name for name in names if name not in _OTHERS]
        found = next(iter(own or names), None)
    return section_named(found) if found else None


def _put(section: Section, text: str, texts: dict[str, str]) -> bool:
    """Whether ``text`` was written, and is now in ``texts``."""
    text = text.strip()
    if not text or text in {name for one in SECTIONS for name in one.placeholders}:
        return False
    texts[section.name] = _tame(text)
    return True


def _tame(text: str) -> str:
    """``text`` in which no words are taken for a placeholder or for a table of ours."""
    return re.sub(r"\b([A-Z ]{4,40}) HERE\b", r"\1 here", text)


def _abstract_out(body: str, texts: dict[str, str]) -> str:
    before, begin, rest = body.partition(_ABSTRACT[0])
    text, end, after = rest.partition(_ABSTRACT[1])
    section = section_named("abstract")
    if not end or not _put(section, text, texts):
        return body
    return f"{before}{begin}\n{section.placeholders[0]}\n{end}{after}"


def _title_out(preamble: str, body: str, texts: dict[str, str]) -> tuple[str, str]:
    section, parts = section_named("title"), [preamble, body]
    for place, part in enumerate(parts):
        if (match := _TITLE.search(part)) is None:
            continue
        end = latex.closing(part, match.end())
        if part[end : end + 1] == "}" and _put(section, part[match.end() + 1 : end], texts):
            parts[place] = f"{part[: match.end()]}{{{section.placeholders[0]}{part[end:]}"
            break
    return parts[0], parts[1]


def with_own_references(tex: str, files: Mapping[str, bytes]) -> str:
    r"""``tex`` with the ``.bib`` file that it names as a block of its own, if it has no such block."""
    named = _BIBLIOGRAPHY.search(latex.uncommented(tex))
    if latex.bibliography_span(tex) is not None or named is None:
        return tex
    name = named[1].removesuffix(".bib")
    data = files.get(f"latex/{name}.bib")
    if data is None:
        return tex
    entries = data.decode("utf-8", errors="replace").replace("\\end{", "\\ end{").strip()
    return f"\\begin{{filecontents}}{{{name}.bib}}\n{entries}\n\\end{{filecontents}}\n{tex}"


def captions(tex: str, names: frozenset[str]) -> tuple[Figure, ...]:
    """The figures of ``tex`` among ``names``, in their order, each with the caption beside it."""
    body, found = latex.uncommented(latex.body(tex)), dict[str, str]()
    for start, end in latex.environments(body, ("figure", "figure*", "wrapfigure")):
        part = body[start:end]
        caption = _CAPTION.search(part)
        text = part[caption.end() + 1 : latex.closing(part, caption.end())] if caption else ""
        for name in latex.graphics(part):
            found.setdefault(name, " ".join(visible_text(text).split())[:1000])
    found |= {name: "" for name in latex.graphics(body) if name not in found}
    return tuple(Figure(name=name, caption=text) for name, text in found.items() if name in names)
