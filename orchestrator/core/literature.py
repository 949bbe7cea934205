"""A query for papers, what was found, and what each engine did for it; references to check."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

ENGINES = ("openalex", "semanticscholar", "arxiv")
"""The engines that find papers; Crossref only checks references."""

LONGEST_QUERY = 300  # characters
LONGEST_TITLE = 500  # characters
LONGEST_ABSTRACT = 4000  # characters that are kept of an abstract
MOST_AUTHORS = 100  # names that are kept of a paper's authors


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRef:
    """A paper that a source knows. ``bibtex`` is a whole entry under ``key``, if the source has one.

    ``doi`` is bare and in lower case, ``arxiv`` without its version, ``openalex`` begins with W, ``s2`` is
    Semantic Scholar's hash. ``source`` are the names of the sources, joined by ``+``. ``citations`` is how
    often it is cited, None where no engine said. A paper without authors or year cannot be cited.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    venue: str = ""
    abstract: str = ""
    bibtex: str = ""
    source: str = ""
    doi: str = ""
    arxiv: str = ""
    openalex: str = ""
    s2: str = ""
    url: str = ""
    pdf: str = ""
    citations: int | None = None
    retracted: bool = False

    @property
    def id(self) -> str:
        """What names this paper to everybody; empty if no source said one."""
        if self.doi:
            return f"doi:{self.doi}"
        if self.arxiv:
            return f"arXiv:{self.arxiv}"
        if self.openalex:
            return f"OpenAlex:{self.openalex}"
        return f"S2:{self.s2}" if self.s2 else ""


EngineState = Literal[
    "answered",  # with papers, or with none that match
    "slow",  # no answer, or no turn, before the deadline
    "busy",  # it asks for fewer requests
    "spent",  # its budget of today is used up
    "refused",  # it does not take the key, the request or this machine
    "unreachable",  # no connection
    "unreadable",  # what it sent is not in its format
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAnswer:
    """What one engine did for a search. ``seconds`` include waiting for its turn; ``usd`` is what the
    engine's own budget was charged; ``age`` in seconds is of an answer that was kept from an earlier search.
    """

    engine: str
    state: EngineState = "answered"
    papers: int = 0
    calls: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    age: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The papers of a search, best first, each once; what each engine did; the titles of retracted ones."""

    papers: tuple[PaperRef, ...] = ()
    engines: tuple[EngineAnswer, ...] = ()
    retracted: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether any source searched at all."""
        return any(one.state == "answered" for one in self.engines)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedReference:
    """A reference of a paper, as it stands there; ``id`` as :attr:`PaperRef.id`."""

    key: str
    title: str
    year: int | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class References:
    """References whose title and year are to be checked."""

    references: tuple[StatedReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReference:
    """What a registry says of a reference: it agrees, it differs in ``why``, it has no such id, or nobody
    answered. ``by`` is the registry.
    """

    key: str
    state: Literal["agrees", "differs", "unknown", "not checked"]
    by: str = ""
    why: str = ""
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a paper is cited: in which section, and which search had found it."""

    why: str
    section: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedReference:
    """A row of ``citations.json``: a reference of a finished paper, where it came from, why it is cited, and
    what registries say of it.
    """

    reference: StatedReference
    source: str
    reasons: tuple[Reason, ...]
    checked: CheckedReference


def bare_title(title: str) -> str:
    """A title for comparison: letters and digits alone, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", title).casefold()
    return re.sub(r"[\W_]", "", "".join(c for c in plain if not unicodedata.combining(c)))
