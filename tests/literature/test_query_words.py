"""A query is data: whatever a model writes, services get plain words, or are not asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.literature import ENGINES, LONGEST_QUERY, Query
from orchestrator.literature.engines.opening import SEARCHED
from orchestrator.literature.engines.query_words import content_words, plain_words
from orchestrator.literature.loopback.server import Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import ask, opened

ATTACKS = [
    'title:"grokking" AND (au:power OR cat:cs.LG) ANDNOT all:decay', "grokking) OR all:*", "ti:a AND NOT b~2",
    "grokking&search_query=all:x&max_results=2000", "grokking#fragment", "../../works?api_key=x", "%22a%22%26b",
    '"a b"~5 "c', "gro*k?ng -decay +weight", "filter=is_oa:true,cited_by_count:>100", "a\x00b\r\nHost: evil",
    "AND OR NOT", "the of and", "\\input{x} $\\alpha$", "[1 TO 2]", "{!func}x", "x^5 || y && !z",
    "и или поиск", "扩散 模型", "тест " * 4000, "word " * 2000, "a" * 10_000, "😀 grokking 😀", "\ud800 lone",
]  # fmt: skip
NOTHING = ["", "   ", "\n\t", "()", '""', "*?~:", "😀", "\x00", "\ud800", "___", "- - -"]


def syntax(text: str) -> bool:
    """Whether a service would see more than words in it."""
    operators = re.search(r"\b(AND|OR|NOT|ANDNOT|NEAR)\b", text)
    return re.search(r"[^\w\s-]|_|\s-|-\s|^-|-$", text) is not None or operators is not None


def sent(engine: str, text: str) -> dict[str, str]:
    service = SEARCHED[engine]
    return dict(service.search(service.home, Query(text)).parameters)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text[:40]))
def test_no_syntax_of_an_engine_comes_through(engine: str, text: str, tmp_path: Path) -> None:
    parameters = sent(engine, text)
    name = {"openalex": "search", "semanticscholar": "query", "arxiv": "search_query"}[engine]
    if engine == "arxiv":
        group = r"\(all:[^\W_]+(?: AND all:[^\W_]+)*\)"  # the program's own syntax around words
        assert re.fullmatch(rf"{group}(?: OR {group})*", parameters[name])
        words = re.sub(r"\ball:|\b(?:AND|OR)\b|[()]", " ", parameters[name]).split()
        assert set(words) <= set(content_words(text))
    else:
        assert not syntax(parameters[name])
        assert len(parameters[name]) <= LONGEST_QUERY
    with Loopback(corpus()) as served:
        answer = ask(opened(served, tmp_path, engine), text)
        assert (answer.state, answer.calls) == ("answered", 1)
        (request,) = served.requests
        assert set(request.query) == set(parameters)
        assert request.query[name] == parameters[name]


@given(st.text(max_size=400))
def test_any_text_becomes_plain_words(text: str) -> None:
    words = plain_words(text)
    assert not syntax(words)
    assert words == " ".join(words.split())
    assert plain_words(words) == words
    assert bool(content_words(text)) == bool(words)
    assert all(re.fullmatch(r"[^\W_]+", word) for word in content_words(text))


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_a_query_without_words_has_no_papers_and_asks_nobody(text: str, tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        found = opened(served, tmp_path, *ENGINES).search(Query(text))
        assert found.papers == ()
        assert [(one.state, one.calls, one.why) for one in found.engines] == [
            ("answered", 0, "")
        ] * 3
        assert served.requests == []
    assert not list(tmp_path.rglob("answers/*/*"))


def test_words_of_other_alphabets_and_names_with_hyphens_are_kept() -> None:
    assert plain_words("Müller-Lyer 扩散模型 e\u0301tude") == "Müller-Lyer 扩散模型 étude"
    assert content_words("The weight-decay of THE weight") == ["weight", "decay"]
    assert sent("semanticscholar", "weight-decay")["query"] == "weight decay"
