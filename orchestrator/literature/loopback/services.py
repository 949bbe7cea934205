"""What the four services do with a request: their paths, parameters, keys and refusals."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence

from orchestrator.core.literature import PaperRef, bare_title
from orchestrator.literature.loopback.faults import (
    FAULTS,
    Fault,
    in_text,
    rate_headers,
    said,
    spent,
)
from orchestrator.literature.loopback.forms import (
    JsonObject,
    arxiv_error,
    arxiv_feed,
    crossref_work,
    dois,
    drawn,
    found_words,
    has_term,
    openalex_id,
    ranked,
    s2_id,
)
from orchestrator.literature.loopback.graphs import FILTERS, S2_FIELDS, openalex_work, s2_paper

Parameters = Mapping[str, str]

PATHS = {
    "openalex": "/openalex",
    "semanticscholar": "/semanticscholar/graph/v1",
    "arxiv": "/arxiv/api/query",
    "crossref": "/crossref/works",
}
"""The services and the path of each one's base address."""

_SEARCH, _LIST = 10, 1  # credits
_ARXIV_ID = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z.-]+/\d{7})(?:v\d+)?", re.ASCII | re.IGNORECASE)


class Services:
    """Answers requests about ``papers``; OpenAlex's budget of the day and its key are kept here."""

    def __init__(self, papers: Sequence[PaperRef], usd: float, keys: Mapping[str, str]) -> None:
        self._papers, self._keys = tuple(papers), keys
        self._budget = self._left = round(usd * 10_000)
        self._lock = threading.Lock()

    def answer(
        self, engine: str, path: str, query: Parameters, headers: Mapping[str, str]
    ) -> Fault:
        """The right answer to a request; ``path`` is what follows the base address."""
        serve: dict[str, Callable[[str, Parameters, Mapping[str, str]], Fault]] = {
            "openalex": self._openalex,
            "semanticscholar": self._semanticscholar,
            "arxiv": self._arxiv,
            "crossref": self._crossref,
        }
        return serve[engine](path, query, headers)

    def _wrong_key(self, engine: str, given: str) -> bool:
        right = self._keys.get(engine)
        return bool(given) and right is not None and given != right

    def _openalex(self, path: str, query: Parameters, headers: Mapping[str, str]) -> Fault:
        key = headers.get("authorization", "").removeprefix("Bearer ") or query.get("api_key", "")
        if self._wrong_key("openalex", key):
            return FAULTS["openalex"]["bad key"]
        if path.startswith("/works/"):
            return self._openalex_work(path.removeprefix("/works/"), query)
        if path != "/works":
            return self._billed(FAULTS["openalex"]["not found"], 0)
        size, page = _number(query, "per_page", 25), _number(query, "page", 1)
        if not (1 <= size <= 100 and page >= 1):
            why = "per_page must be a number between 1 and 100, page one from 1"
            return said(400, {"error": "Invalid query parameters error.", "message": why})
        found: Sequence[PaperRef] = self._papers
        for part in filter(None, query.get("filter", "").split(",")):
            name, _, value = part.partition(":")
            if name not in FILTERS:
                why = f"Unknown filter field: {name}"
                return said(400, {"error": "Invalid filter", "message": why})
            found = [paper for paper in found if FILTERS[name](paper, value)]
        if search := query.get("search", ""):
            found = ranked(found, found_words(search))
        return self._openalex_page(found, search, query, (page, size))

    def _openalex_page(
        self, found: Sequence[PaperRef], search: str, query: Parameters, part: tuple[int, int]
    ) -> Fault:
        page, size = part
        cost = _SEARCH if search else _LIST
        rows: list[JsonObject] = []
        for at, paper in enumerate(found[(page - 1) * size : page * size]):
            row = openalex_work(paper) | ({"relevance_score": 1000.0 / (at + 1)} if search else {})
            rows.append(_selected(row, query))
        meta: JsonObject = {
            "count": len(found), "db_response_time_ms": 10, "page": page, "per_page": size,
            "groups_count": None, "cost_usd": cost / 10_000, "x_query": None,
        }  # fmt: skip
        if "cursor" in query:
            meta |= {"page": None, "next_cursor": None}
        return self._billed(said(200, {"meta": meta, "results": rows, "group_by": []}), cost)

    def _openalex_work(self, name: str, query: Parameters) -> Fault:
        wanted = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:|https?://openalex\.org/)", "", name)
        for paper in self._papers:
            if wanted.lower() in (*dois(paper), openalex_id(paper).lower()):
                return self._billed(said(200, _selected(openalex_work(paper), query)), 0)
        return self._billed(FAULTS["openalex"]["not found"], 0)

    def _billed(self, answer: Fault, cost: int) -> Fault:
        """The answer with the headers that all have, or the refusal if the budget is spent."""
        with self._lock:
            if cost > self._left:
                return spent(self._budget, self._left, cost)
            self._left -= cost
            rates = rate_headers(self._budget, self._left, cost)
        return Fault(status=answer.status, headers={**answer.headers, **rates}, body=answer.body)

    def _semanticscholar(self, path: str, query: Parameters, headers: Mapping[str, str]) -> Fault:
        if self._wrong_key("semanticscholar", headers.get("x-api-key", "")):
            return FAULTS["semanticscholar"]["bad key"]
        given = query.get("fields", "paperId,title").split(",")
        fields = [name.partition(".")[0] for name in given]
        if unknown := [name for name in fields if name not in S2_FIELDS]:
            why = f"Unrecognized or unsupported fields: [{', '.join(unknown)}]"
            return said(400, {"error": why})
        if path == "/paper/search":
            return self._s2_search(query, fields)
        if path == "/paper/search/match":
            return self._s2_match(bare_title(query.get("query", "")), fields)
        name = path.removeprefix("/paper/")
        for paper in self._papers:
            if path.startswith("/paper/") and name.lower() in _s2_names(paper):
                return said(200, s2_paper(paper, fields))
        return said(404, {"error": f"Paper with id {name} not found"})

    def _s2_match(self, title: str, fields: Sequence[str]) -> Fault:
        for paper in self._papers:
            if bare_title(paper.title) == title:
                return said(200, {"data": [s2_paper(paper, fields) | {"matchScore": 200.0}]})
        return said(404, {"error": "Title match not found"})

    def _s2_search(self, query: Parameters, fields: Sequence[str]) -> Fault:
        start, size = _number(query, "offset", 0), _number(query, "limit", 100)
        if not query.get("query"):
            return said(400, {"error": "Missing required parameter: 'query'"})
        if not (1 <= size <= 100 and 0 <= start < 1000):
            return said(400, {"error": "Unacceptable query params: [limit, offset]"})
        found = ranked(self._papers, found_words(query["query"]))
        out: JsonObject = {"total": len(found), "offset": start}
        if len(found) > start + size:
            out["next"] = start + size
        if rows := found[start : start + size]:
            out["data"] = [s2_paper(paper, fields) for paper in rows]
        return said(200, out)

    def _arxiv(self, _path: str, query: Parameters, _headers: Mapping[str, str]) -> Fault:
        start, size = _number(query, "start", 0), _number(query, "max_results", 10)
        ids = [one for one in query.get("id_list", "").split(",") if one]
        wrong = [f"incorrect id format for {one}" for one in ids if not _ARXIV_ID.fullmatch(one)]
        if not 0 <= size <= 2000:
            wrong.append("max_results must be a number up to 2000")
        if start < 0:
            wrong.append("start must be non-negative")
        if wrong:
            return in_text(400, arxiv_error(wrong[0]), "application/atom+xml; charset=utf-8")
        bare = {re.sub(r"v\d+$", "", one.lower()) for one in ids}
        found = [one for one in self._papers if one.arxiv and (not ids or one.arxiv in bare)]
        if search := query.get("search_query", ""):
            plain = search.replace("(", " ").replace(")", " ").strip()
            either = [re.split(r"\s+AND\s+", clause) for clause in re.split(r"\s+OR\s+", plain)]
            every = [one for one in found if any(all(has_term(one, t) for t in c) for c in either)]
            wanted = found_words(re.sub(r"\b[a-z]+:", " ", search))
            first = ranked(every, wanted)
            found = first + [one for one in every if one not in first]
        elif not ids:
            found = []
        feed = arxiv_feed(found[start : start + size], len(found), start, size)
        return in_text(200, feed, "application/atom+xml; charset=utf-8")

    def _crossref(self, path: str, query: Parameters, headers: Mapping[str, str]) -> Fault:
        polite = "mailto" in query or "mailto:" in headers.get("user-agent", "")
        mine = [one for one in self._papers if one.doi and not one.doi.startswith("10.48550/")]
        if name := path.removeprefix("/").lower():
            single = next((one for one in mine if one.doi == name), None)
            answer = FAULTS["crossref"]["not found"]
            if single is not None:
                answer = _message("work", crossref_work(single))
        else:
            answer = _crossref_list(mine, query)
        pool = ("polite" if polite else "public") + ("-single" if name else "-array")
        rates = {
            "x-api-pool": pool, "x-rate-limit-limit": "3" if polite else "1",
            "x-rate-limit-interval": "1s", "x-concurrency-limit": "3" if polite else "1",
        }  # fmt: skip
        return Fault(status=answer.status, headers={**answer.headers, **rates}, body=answer.body)


def _crossref_list(mine: Sequence[PaperRef], query: Parameters) -> Fault:
    rows, start = _number(query, "rows", 20), _number(query, "offset", 0)
    if not (0 <= rows <= 1000 and start >= 0):
        why = "Integer must be a positive integer less than or equal to 1000."
        wrong = {"type": "integer-not-valid", "value": query.get("rows", ""), "message": why}
        failed = {"status": "failed", "message-type": "validation-failure", "message": [wrong]}
        return said(400, failed)
    asked = [value for name, value in query.items() if name.startswith("query")]
    found = ranked(mine, found_words(" ".join(asked))) if asked else list(mine)
    part = [crossref_work(paper) for paper in found[start : start + rows]]
    items = [_selected(work | {"score": 40.0 - at}, query) for at, work in enumerate(part)]
    searched = {"start-index": start, "search-terms": query.get("query")}
    listed: JsonObject = {"facets": {}, "total-results": len(found), "items": items}
    return _message("work-list", listed | {"items-per-page": rows, "query": searched})


def _message(kind: str, message: JsonObject) -> Fault:
    whole = {"status": "ok", "message-type": kind, "message-version": "1.0.0", "message": message}
    return said(200, whole)


def _selected(work: JsonObject, query: Parameters) -> JsonObject:
    """The fields of a work that ``select`` asks for; all without it."""
    asked = [name for name in query.get("select", "").split(",") if name]
    return {name: work[name] for name in asked if name in work} if asked else work


def _number(query: Parameters, name: str, default: int) -> int:
    """A parameter that is a number; -1 if it is none."""
    value = query.get(name, str(default))
    return int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else -1


def _s2_names(paper: PaperRef) -> tuple[str, ...]:
    corpus = f"corpusid:{drawn(paper, 'corpus', 10**9)}"
    return (
        s2_id(paper), corpus, *(f"doi:{one}" for one in dois(paper)),
        *([f"arxiv:{paper.arxiv}"] if paper.arxiv else []),
    )  # fmt: skip
