"""The engines by name, and the port Literature over those that a run asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.literature import ENGINES
from orchestrator.core.problems import nearest
from orchestrator.core.secrets import without_user
from orchestrator.literature.engines.arxiv import ARXIV
from orchestrator.literature.engines.checking import Registry
from orchestrator.literature.engines.crossref import CROSSREF
from orchestrator.literature.engines.engine import Caller, SearchEngine, SearchService, Service
from orchestrator.literature.engines.kept_answers import KeptAnswers
from orchestrator.literature.engines.limiter import Clock
from orchestrator.literature.engines.openalex import OPENALEX
from orchestrator.literature.engines.semantic_scholar import SEMANTIC_SCHOLAR
from orchestrator.literature.library.own_library import OwnLibrary
from orchestrator.literature.sources import SEARCH_SECONDS, Shelf, Sources

SEARCHED: Mapping[str, SearchService] = {
    one.name: one for one in (OPENALEX, SEMANTIC_SCHOLAR, ARXIV)
}
SERVICES: Mapping[str, Service] = {**SEARCHED, CROSSREF.name: CROSSREF}
assert tuple(SEARCHED) == ENGINES


def chosen_engines(text: str) -> tuple[str, ...]:
    """The engines that ``openalex,arxiv``, ``all`` or ``none`` names. Raises :class:`UnknownName`."""
    names = tuple(dict.fromkeys(filter(None, (part.strip().lower() for part in text.split(",")))))
    if names in {("none",), ()}:
        return ()
    if "all" in names:
        return ENGINES
    for name in names:
        if name not in SEARCHED:
            more = "Crossref only checks references; " if name == CROSSREF.name else ""
            raise UnknownName(
                f"no engine is named {name[:60]!r}",
                where="--engine",
                why=f"{more}there are {', '.join(ENGINES)}",
                todo=nearest(name, (*ENGINES, "all", "none")),
            )
    return names


def server_of(name: str, environ: Mapping[str, str]) -> str:
    """The address that ``AISCI_OPENALEX_URL`` and its like give a service; empty for its own.

    Raises :class:`UserError` for an address that a record could not hold.
    """
    variable = f"AISCI_{name.upper()}_URL"
    address = environ.get(variable, "").strip()
    if address and not re.fullmatch(r"https?://[^\s/@?#]+[^\s@?#]*", address):
        raise UserError(
            "this is not the address of a literature service",
            where=variable,
            why=f"{without_user(address)[:120]!r} is not http(s)://HOST/PATH, without user and query",
            todo="give the address alone; a key belongs in the variable of the service's key",
        )
    return address.rstrip("/")


def own_shelf(library: OwnLibrary | None = None) -> list[tuple[str, Shelf]]:
    """The user's own library as a source, if it has papers."""
    library = library or OwnLibrary()
    return [("library", library)] if len(library) else []


def open_sources(
    engines: Iterable[tuple[str, str]],
    environ: Mapping[str, str],
    shelves: Sequence[tuple[str, Shelf]] = (),
    *,
    folder: Path | None = None,
    seconds: float = SEARCH_SECONDS,
    clock: Clock = Clock(),  # noqa: B008 - a frozen value
    fresh: bool = False,
) -> Sources:
    """The port Literature over ``shelves`` and ``engines``, which are (name, server). ``folder`` is where
    limits and answers are kept, the machine's by default; ``fresh`` asks again what is kept.
    """
    limits, answers = (folder / "limits", folder / "answers") if folder else (None, None)
    chosen = []
    for name, server in engines:
        caller = Caller(SEARCHED[name], environ, server=server, limits=limits, clock=clock)
        chosen.append(SearchEngine(caller, SEARCHED[name], None if fresh else KeptAnswers(answers)))
    registry = None
    if chosen:
        known = {engine.service.name: engine.caller for engine in chosen}
        crossref, openalex = (
            known.get(one.name)
            or Caller(one, environ, server=server_of(one.name, environ), limits=limits, clock=clock)
            for one in (CROSSREF, OPENALEX)
        )
        registry = Registry(crossref, openalex)
    return Sources(shelves, chosen, registry, seconds=seconds, clock=clock)
