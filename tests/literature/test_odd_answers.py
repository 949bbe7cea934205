"""Answers of no known form are told as unreadable, read as far as they go, and never an error or slow."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.literature import ENGINES, Query
from orchestrator.literature.engines.atom import read_feed
from orchestrator.literature.loopback.server import Fault, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import ask, opened

ODD_JSON = [
    b"null", b"[]", b"7", b'""', b"\xff\xfe", b"{}", b'{"results": {}}', b'{"data": {"a": 1}}',
    b'{"data": "text", "total": 1}', b"[" * 100_000, b'{"results": NaN}', b'{"results": 1e999}',
    b'{"results": [], "results": []}', b'{"total": 1, "data": ' + b"9" * 5000 + b"}",
]  # fmt: skip
ODD_XML = [
    b"<feed", b"<html/>", b"<a>" * 100_000, b"<feed>" + b"<a/>" * 300_000 + b"</feed>", b"\x00",
    b'<?xml version="1.0" encoding="unknown-to-all"?><feed/>',
    b'<?xml version="1.0" encoding="hex"?><feed/>', b'<?xml version="1.0" encoding="utf-16"?><feed/>',
    b'<?xml version="1.0" encoding="shift_jis"?><feed/>', b"<feed>&undefined;</feed>", b"<feed>\xff</feed>",
    b'<!DOCTYPE feed SYSTEM "http://elsewhere.invalid/x"><feed/>',
    b'<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>',
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_odd_answers_are_unreadable_and_never_an_error(engine: str, tmp_path: Path) -> None:
    odd = ODD_XML if engine == "arxiv" else ODD_JSON
    with Loopback(corpus(), {engine: [Fault(status=200, body=one) for one in odd]}) as served:
        sources = opened(served, tmp_path, engine, fresh=True)
        for one in odd:
            assert ask(sources).state == "unreadable", one[:80]
        assert ask(sources).state == "answered"


@pytest.mark.parametrize("body", ODD_XML, ids=lambda body: repr(body[:60]))
def test_a_reader_of_feeds_has_one_error_for_all_of_them(body: bytes) -> None:
    with suppress(ValueError):
        assert read_feed(body).name != "feed"


def test_a_feed_in_many_pieces_is_read_once_over() -> None:
    """Joining text that grows, piece by piece, would take minutes here."""
    body = b"<feed><title>" + b"a<!---->" * 500_000 + b"</title></feed>"
    assert read_feed(body).said("title") == "a" * 500_000


ROWS: list[Any] = [
    None, 7, "text", [], {}, {"title": 7}, {"display_name": ["a"]}, {"title": "", "display_name": ""},
    {"title": "T", "display_name": "T", "authors": "x", "authorships": {"a": 1}, "year": "2020",
     "publication_year": 1e300, "externalIds": [], "ids": 5, "doi": {}, "primary_location": "x",
     "locations": {"x": 1}, "abstract_inverted_index": {"a": "b", "c": [True, -1, 10**20, None]},
     "cited_by_count": True, "citationCount": "many", "is_retracted": "yes", "venue": 5, "journal": [],
     "publicationVenue": "x", "openAccessPdf": [], "best_oa_location": 1, "paperId": 1, "id": 1},
]  # fmt: skip


@pytest.mark.parametrize("engine", ["openalex", "semanticscholar"])
def test_rows_of_a_wrong_form_are_left_out_or_read_as_far_as_they_go(
    engine: str, tmp_path: Path
) -> None:
    body = json.dumps({"results": ROWS, "data": ROWS, "total": 1}).encode()
    with Loopback(corpus(), {engine: [Fault(status=200, body=body)]}) as served:
        found = opened(served, tmp_path, engine).search(Query("grokking"))
        (paper,) = found.papers
        assert (paper.title, paper.authors, paper.year) == ("T", (), None)
        assert (paper.citations, paper.retracted, paper.id) == (None, False, "")
