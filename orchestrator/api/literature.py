"""Searching for papers, and the library of one's own: what the command and a notebook call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.api.pdf_text import pdf_papers
from orchestrator.core.deadline import FOREVER
from orchestrator.core.literature import EngineAnswer, Found, PaperRef, Query
from orchestrator.literature.engines import crossref, openalex
from orchestrator.literature.engines.engine import Caller, Counted
from orchestrator.literature.engines.limiter import LeftOut
from orchestrator.literature.engines.opening import (
    SEARCHED,
    SERVICES,
    chosen_engines,
    open_sources,
    own_shelf,
    server_of,
)
from orchestrator.literature.library.files import read_papers
from orchestrator.literature.library.own_library import Added, OwnLibrary

COMMAND_SECONDS = 30.0  # of a search that a person waits for
_KNOWN_WORK = "10.1038/nature14539"
"""A work that Crossref and OpenAlex have, for a call that costs nothing."""


def search_papers(
    text: str,
    engine: str = "none",
    limit: int = 10,
    *,
    fresh: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Found:
    """Search the engines, and the user's own library. Raises :class:`UnknownName`, :class:`UserError`."""
    engines = [(name, server_of(name, environ)) for name in chosen_engines(engine)]
    sources = open_sources(engines, environ, own_shelf(), seconds=COMMAND_SECONDS, fresh=fresh)
    return sources.search(Query(text, limit), FOREVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFiles:
    """What was added to the library, and how many papers it has now."""

    added: Added
    papers: int


def add_files(
    paths: Sequence[Path], say: Callable[[str], None] = lambda _: None, policy: str | None = None
) -> AddedFiles:
    """Add the papers of BibTeX, JSON lines and PDF files: of all, or of none.

    The text of a PDF is read in a container. Raises :class:`BadFile` with all errors of a file.
    """
    rows: list[tuple[PaperRef, str]] = []
    pdfs = [path for path in paths if path.suffix.lower() == ".pdf"]
    for path in paths:
        if path not in pdfs:
            rows += [(paper, "") for paper in read_papers(path)]
    if pdfs:
        rows += pdf_papers(pdfs, say, policy)
    library = OwnLibrary()
    return AddedFiles(added=library.add(rows), papers=len(library))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """A service as it answers now: the variable of its key, empty without one, and what is left today in
    US dollars, None where the service does not say.
    """

    name: str
    title: str
    key: str
    variables: tuple[str, ...]
    answer: EngineAnswer
    usd_left: float | None = None


def service_states(environ: Mapping[str, str] = os.environ) -> tuple[ServiceState, ...]:
    """Each service, asked once; the calls cost nothing or a hundredth of a cent."""
    return tuple(_state(name, environ) for name in SERVICES)


def _state(name: str, environ: Mapping[str, str]) -> ServiceState:
    service, began = SERVICES[name], time.time()
    caller = Caller(service, environ, server=server_of(name, environ))
    counted, until, state = Counted(), began + COMMAND_SECONDS, EngineAnswer(engine=name)
    try:
        if name == openalex.OPENALEX.name:
            call = openalex.work_call(caller.server, f"doi:{_KNOWN_WORK}")
            found = int(caller.ask(call, openalex.read_work, until, counted) is not None)
        elif name == crossref.CROSSREF.name:
            call = crossref.doi_call(caller.server, _KNOWN_WORK)
            found = int(caller.ask(call, crossref.read_doi, until, counted) is not None)
        else:
            searched = SEARCHED[name]
            call = searched.search(caller.server, Query("deep learning", 1))
            found = len(caller.ask(call, searched.read, until, counted))
        state = replace(state, papers=found, calls=counted.calls)
    except LeftOut as out:
        state = replace(state, state=out.state, why=out.why, calls=counted.calls)
    variables = service.keys
    return ServiceState(
        name=name,
        title=service.title,
        key=next((one for one in variables if environ.get(one)), ""),
        variables=variables,
        answer=state,
        usd_left=caller.limiter.usd_left,
    )
