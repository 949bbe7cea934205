"""What a service says of a paper comes in bounds, on one line, and with ids in their plain form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.literature import LONGEST_ABSTRACT, LONGEST_TITLE, MOST_AUTHORS
from orchestrator.literature.engines.openalex import abstract_of
from orchestrator.literature.paper_door import address, arxiv_of, doi_of, line, received, year_of


@given(st.one_of(st.text(), st.text(st.sampled_from("<b>&lt;amp;#x0d1 \n\x1b\u202e\ud800é"))))
def test_any_text_is_one_printable_line_in_bounds(text: str) -> None:
    found = line(text, 40)
    assert found.isprintable()
    assert len(found) <= 40
    assert found == found.strip()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A <i>x</i> &amp; <sub>2</sub>", "A x & 2"),
        ("<jats:p>One</jats:p>\n  two", "One two"),
        ("1 &lt; 2 &amp;amp; 3", "1 < 2 & 3"),
        ("a < b and c > d", "a < b and c > d"),
        ("red\x1b[31m \u202eback", "red [31m back"),
        ("cafe\u0301", "café"),
        (None, ""), (7, ""), (["a"], ""),
    ],
)  # fmt: skip
def test_tags_entities_and_characters_that_act_are_left_out(text: Any, plain: str) -> None:
    assert line(text, 100) == plain


@pytest.mark.parametrize(
    ("value", "doi"),
    [
        ("https://doi.org/10.1000/ABC", "10.1000/abc"),
        ("doi:10.1000/a.b.", "10.1000/a.b"),
        ("10.1000/a b", "10.1000/a"),
        ("10.１０００/abc", ""), ("10.1000/é", ""), ("10.1/x", ""), (None, ""), (5, ""), ("x" * 9999, ""),
    ],
)  # fmt: skip
def test_a_doi_is_bare_ascii_in_lower_case(value: Any, doi: str) -> None:
    assert doi_of(value) == doi


@pytest.mark.parametrize(
    ("value", "arxiv"),
    [
        ("http://arxiv.org/abs/1605.08386v1", "1605.08386"),
        ("https://arxiv.org/pdf/2201.02177.pdf", "2201.02177"),
        ("arXiv:cs/0001001v2", "cs/0001001"),
        ("math.GT/0309136", "math.GT/0309136"),
        ("1605.08386 or so", ""), ("１６０５.08386", ""), ("ſſ/0001001", ""), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_an_arxiv_id_has_no_version(value: Any, arxiv: str) -> None:
    assert arxiv_of(value) == arxiv


@pytest.mark.parametrize(
    "value",
    [
        "javascript:x",
        "http://a b",
        "http://é",
        'http://a"b',
        "ftp://a",
        None,
        "http://" + "a" * 999,
    ],
)
def test_what_is_no_plain_web_address_is_left_out(value: Any) -> None:
    assert address(value) == ""


@pytest.mark.parametrize("value", [True, "2020", 20.0, None, -1, 99999, 10**30, [2020]])
def test_what_is_no_year_is_none(value: Any) -> None:
    assert year_of(value) is None


def test_a_paper_of_arxiv_is_named_by_its_arxiv_id_whatever_its_doi_says() -> None:
    found = received(source="x", title="T", authors=[], year=2020, doi="10.48550/arXiv.2201.02177")
    assert found is not None
    assert (found.doi, found.arxiv, found.id) == ("", "2201.02177", "arXiv:2201.02177")


def test_a_record_of_any_size_becomes_one_in_bounds() -> None:
    found = received(
        source="x", title="t" * 10**6, authors=["a" * 10**4] * 10**4, year=2020, abstract="x " * 10**6,
        venue="v" * 10**5, openalex="W" + "1" * 99, s2="a" * 41, citations=10**12,
    )  # fmt: skip
    assert found is not None
    assert (len(found.title), len(found.abstract)) == (LONGEST_TITLE, LONGEST_ABSTRACT)
    assert (len(found.authors), len(found.authors[0]), len(found.venue)) == (MOST_AUTHORS, 120, 300)
    assert (found.openalex, found.s2, found.citations) == ("", "", None)


def test_an_abstract_is_put_in_order_and_has_an_end() -> None:
    assert abstract_of({"world": [1], "hello": [0, 2]}) == "hello world hello"
    assert abstract_of({"far": [10**9, -5, True], "a": [0]}) == "a far"
    assert len(abstract_of({str(n): [n] for n in range(9000)}).split()) == 2000
    assert abstract_of(None) == abstract_of([]) == abstract_of({"a": 5}) == ""
