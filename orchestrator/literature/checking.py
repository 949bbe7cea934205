"""Whether a reference exists: a registry is asked for its id, and title and year are compared.

Crossref knows what its publishers registered; OpenAlex is asked for all else, by id and free of charge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.literature import CheckedReference, PaperRef, StatedReference, bare_title
from orchestrator.literature.engine import Caller, Counted
from orchestrator.literature.limiter import LeftOut
from orchestrator.literature.services import crossref, openalex
from orchestrator.literature.words import STOP_WORDS

_ALIKE = 0.75  # share of a title's words that both have
_YEARS = 1  # between a preprint and its publication
_MAIN = re.compile(r"[:?!]|\s[-–—]\s|\.\s")
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
        return caller.ask(crossref.lookup(caller.server, name), crossref.read_one, until, counted)
    caller = registry.openalex
    known = {"doi": f"doi:{name}", "arXiv": f"doi:10.48550/arxiv.{name}"}.get(kind, name)
    return caller.ask(openalex.lookup(caller.server, known), openalex.read_one, until, counted)


def _difference(one: StatedReference, known: PaperRef) -> str:
    """What the registry says otherwise; empty where it agrees."""
    parts = []
    if not alike(one.title, known.title):
        parts.append(f"its title there is {known.title[:120]!r}")
    if one.year and known.year and abs(one.year - known.year) > _YEARS:
        parts.append(f"its year there is {known.year}")
    return "; ".join(parts)


def alike(title: str, other: str) -> bool:
    """Whether two titles name one paper: the shorter may lack a subtitle."""
    a, b = _words(title), _words(other)
    if not a or not b:
        return bare_title(title) == bare_title(other)
    if a == _words(_MAIN.split(other)[0]) or b == _words(_MAIN.split(title)[0]):
        return True
    small, large = sorted((a, b), key=len)
    return len(small & large) / len(small) >= _ALIKE and (
        small == large or len(small) >= 3 or len(large) - len(small) <= 1
    )


def _words(title: str) -> set[str]:
    """Those that say something: titles of different papers have the others in common."""
    plain = unicodedata.normalize("NFKD", title).casefold()
    found = set(re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c))))
    return found - STOP_WORDS or found
