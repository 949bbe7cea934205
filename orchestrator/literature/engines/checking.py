"""Whether a reference exists: a registry is asked for its id, and title and year are compared.

Crossref knows what its publishers registered; OpenAlex is asked for all else, by id and free of charge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from orchestrator.core.literature import CheckedReference, PaperRef, StatedReference, bare_title
from orchestrator.literature.engines import crossref, openalex
from orchestrator.literature.engines.engine import Caller, Counted
from orchestrator.literature.engines.limiter import LeftOut

_ALIKE = 0.95  # share of the letters of two titles that stand in both, in their order
_TELLING = 30  # letters that few titles begin with
_YEARS = 1  # between a preprint and its publication
_SUBTITLE = re.compile(r"[:?!]|\s[-–—]\s|\.\s")
"""What stands between a title and its subtitle."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Who is asked about references."""

    crossref: Caller
    openalex: Caller


def check_references(
    registry: Registry, references: Iterable[StatedReference], until: float
) -> tuple[CheckedReference, ...]:
    """What the registries say of each; one that does not answer is not asked for the others."""
    gone: dict[str, str] = {}
    return tuple(_checked(registry, one, until, gone) for one in references)


def _checked(
    registry: Registry, one: StatedReference, until: float, gone: dict[str, str]
) -> CheckedReference:
    """What the registries say of a reference; the second is asked if the first does not know it."""
    kind, _, name = one.id.partition(":")
    asked = {"doi": ("crossref", "openalex"), "arXiv": ("openalex",), "OpenAlex": ("openalex",)}
    by = asked.get(kind, ())
    if not by:
        return CheckedReference(
            key=one.key, state="not checked", why="it has no DOI and no arXiv id"
        )
    why, unknown = "", []
    for place in by:
        if place in gone:
            why = gone[place]
            continue
        try:
            known = _asked(registry, place, kind, name, until)
        except UnicodeError:
            why = "its id is no text that an address can hold"
            continue
        except LeftOut as out:
            why = f"{place}: {out.why}"
            if out.state != "unreadable":
                gone[place] = why
            continue
        if known is None:
            unknown.append(place)
            continue
        trouble = _difference(one, known)
        return CheckedReference(
            key=one.key,
            state="differs" if trouble else "agrees",
            by=place,
            why=trouble,
            retracted=known.retracted,
        )
    if unknown and not why:
        said = f"{' and '.join(unknown)} have no {one.id}"
        return CheckedReference(key=one.key, state="unknown", by="+".join(unknown), why=said)
    return CheckedReference(key=one.key, state="not checked", why=why)


def _asked(registry: Registry, place: str, kind: str, name: str, until: float) -> PaperRef | None:
    """The registry's own record. Raises :class:`LeftOut`."""
    counted = Counted()
    if place == "crossref":
        caller = registry.crossref
        return caller.ask(crossref.doi_call(caller.server, name), crossref.read_doi, until, counted)
    caller = registry.openalex
    known = {"doi": f"doi:{name}", "arXiv": f"doi:10.48550/arxiv.{name}"}.get(kind, name)
    return caller.ask(openalex.work_call(caller.server, known), openalex.read_work, until, counted)


def _difference(one: StatedReference, known: PaperRef) -> str:
    """What the registry says otherwise; empty where it agrees."""
    parts = []
    if not alike(one.title, known.title):
        parts.append(f"its title there is {known.title[:120]!r}")
    if one.year and known.year and abs(one.year - known.year) > _YEARS:
        parts.append(f"its year there is {known.year}")
    return "; ".join(parts)


def alike(title: str, other: str) -> bool:
    """Whether two titles name one paper: either may lack its subtitle, or have a slip of the pen."""
    a, b = bare_title(title), bare_title(other)
    if a == b or (a and a == _main(other)) or (b and b == _main(title)):
        return True
    short, long = sorted((a, b), key=len)
    if len(short) >= _TELLING and long.startswith(short):
        return True
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE


def _main(title: str) -> str:
    """The letters of a title before its subtitle."""
    return bare_title(_SUBTITLE.split(title)[0])
