"""A library is data from outside: read strictly, ranked by rules, written out safely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import BadFile
from orchestrator.core.files import shipped_root
from orchestrator.core.literature import Query
from orchestrator.core.tree import canonical
from orchestrator.literature.bibtex.strict import entries
from orchestrator.literature.bibtex.tex_text import plain_text
from orchestrator.literature.library.local import LocalLibrary

SHIPPED = shipped_root() / "templates" / "grokking" / "library.json"
BIB = r"""
Words outside entries are comments.
@Comment{ {so} is this }
@article{godel1931,
  title = {{\"U}ber formal unentscheidbare S{\"a}tze},
  author = "G{\"o}del, Kurt", year = 1931,
  journal = {Monatshefte f\"ur Mathematik}, month = jan,
  keywords = {\input{/etc/passwd} is a field that is not kept}
}
@inproceedings{poole_2020:x, title={On 100% of R&D in $a_b^\alpha$ and c_d^e},
  author={Poole, A. and Lee, {B}ob}, year={c. 2020}, booktitle={Proc.~of {X}--{Y}},
  url={https://example.org/a_b%20c#d}}
"""


def read_library(path: Path) -> LocalLibrary:
    return LocalLibrary.from_bytes(path.read_bytes(), str(path))


def library(*papers: dict[str, Any]) -> LocalLibrary:
    whole = [{"authors": ["A. Author"], "year": 2020} | paper for paper in papers]
    return LocalLibrary.from_bytes(json.dumps(whole).encode(), "library.json")


def found(source: LocalLibrary, text: str, limit: int = 10) -> list[str]:
    return [paper.key for paper in source.search(Query(text, limit))]


# --- searching ----------------------------------------------------------------------------


def test_the_paper_with_more_and_rarer_words_of_the_query_comes_first() -> None:
    books = library(
        {"key": "common", "title": "Training networks"},
        {"key": "both", "title": "Training with weight decay"},
        {"key": "rare", "title": "Decay of weights in reactors", "abstract": "No networks."},
        {"key": "none", "title": "Fishing"},
    )
    assert found(books, "How does weight decay act in training?")[0] == "both"
    assert "none" not in found(books, "How does weight decay act in training?")


def test_a_title_counts_more_than_an_abstract() -> None:
    books = library(
        {"key": "a", "title": "Cats", "abstract": "grokking"},
        {"key": "b", "title": "Grokking", "abstract": "cats"},
    )
    assert found(books, "grokking") == ["b", "a"]


def test_plural_and_capitals_do_not_matter() -> None:
    books = library({"key": "a", "title": "Optimizers"}, {"key": "b", "title": "Fish"})
    assert found(books, "OPTIMIZER") == ["a"]


def test_equal_scores_are_in_the_order_of_keys_and_the_limit_holds() -> None:
    books = library(*({"key": f"k{n}", "title": "Same words"} for n in (3, 1, 2)))
    assert found(books, "same words") == ["k1", "k2", "k3"]
    assert found(books, "same words", limit=2) == ["k1", "k2"]
    assert found(books, "same words", limit=0) == []


@pytest.mark.parametrize("text", ["", "the of and", "!!! \x1b[31m", "x" * 100_000])
def test_a_query_without_known_words_finds_nothing(text: str) -> None:
    assert found(library({"key": "a", "title": "Fish"}), text) == []


def test_an_empty_library_finds_nothing() -> None:
    assert found(LocalLibrary([]), "anything") == []


@given(st.text(max_size=200), st.integers(-1, 30))
def test_any_query_is_answered_the_same_twice(text: str, limit: int) -> None:
    books = read_library(SHIPPED)
    first = books.search(Query(text, limit))
    assert first == read_library(SHIPPED).search(Query(text, limit))
    assert len(first) <= max(limit, 0)


# --- the shipped library ------------------------------------------------------------------


def test_the_shipped_library_is_whole_and_every_entry_is_bibtex() -> None:
    papers = read_library(SHIPPED).papers
    assert 15 <= len(papers) <= 25
    for paper in papers:
        assert paper.abstract.endswith(".")
        assert paper.venue
        (entry,) = entries(paper.bibtex, paper.key)
        assert entry.key == paper.key
        assert plain_text(entry.get("title")) == paper.title
        assert entry.get("year") == str(paper.year)
        assert canonical(paper)


def test_the_shipped_library_knows_what_delays_generalisation() -> None:
    books = read_library(SHIPPED)
    assert "power2022grokking" in found(books, "grokking small algorithmic datasets")[:2]
    assert "loshchilov2019decoupled" in found(books, "decoupled weight decay AdamW")[:2]


# --- BibTeX -------------------------------------------------------------------------------


def test_bibtex_is_read_for_people_and_written_anew_for_tex(tmp_path: Path) -> None:
    path = tmp_path / "mine.bib"
    path.write_text(BIB)
    first, second = read_library(path).papers
    assert (first.key, first.year, first.source) == ("godel1931", 1931, "template")
    assert first.title == "Über formal unentscheidbare Sätze"
    assert first.authors == ("Gödel, Kurt",)
    assert first.venue == "Monatshefte für Mathematik"
    assert second.authors == ("Poole, A.", "Lee, Bob")
    assert (second.year, second.venue) == (2020, "Proc. of X–Y")


def test_what_is_written_has_known_fields_only_and_nothing_that_tex_acts_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.bib"
    path.write_text(BIB)
    first, second = read_library(path).papers
    assert "input" not in first.bibtex
    assert r"title = {On 100\% of R\&D in $a_b^\alpha$ and c\_d\^{}e}" in second.bibtex
    assert "url = {https://example.org/a_b%20c#d}" in second.bibtex


def test_what_is_written_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "mine.bib"
    path.write_text(BIB)
    before = read_library(path).papers
    path.write_text("\n".join(paper.bibtex for paper in before))
    assert read_library(path).papers == before


def test_a_json_paper_without_bibtex_gets_a_plain_entry() -> None:
    books = library({"key": "a", "title": "R&D at 100% for $5", "venue": "J. of X_Y"})
    (entry,) = entries(books.papers[0].bibtex, "")
    assert entry.get("title") == r"R\&D at 100\% for \$5"
    assert (entry.kind, entry.get("journal")) == ("article", r"J. of X\_Y")


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("\n@article{a, title={x}", "mine.bib:2", "not closed"),
        ("@article{a b, title={x}}", "mine.bib:1", "cannot be an entry's key"),
        ("@article{../x, title={x}}", "mine.bib:1", "cannot be an entry's key"),
        ("@string{x = {y}}", "mine.bib:1", "kind @string are not supported"),
        ('@preamble{"\\input{x}"}', "mine.bib:1", "kind @preamble are not supported"),
        ("@article{a, title=x}", "a.title", "neither in braces"),
        ("@article{a, title}", "mine.bib:1:13: a", "not a field"),
        ("@article{a, title={x}, Title={y}}", "mine.bib:1:30: a.title", "occurs twice"),
        ("@article{a, title={\\input{/etc/passwd}}}", "mine.bib:1:19: a.title", "unknown command"),
        ("@article{a, title={\\write18{ls}}}", "mine.bib:1:19: a.title", "unknown command"),
        ("@article{a, title={\\ifx}}", "mine.bib:1:19: a.title", "unknown command"),
        ("@article{a, title={cost: $x}}", "mine.bib:1:19: a.title", "odd number"),
        ("@article{a, title={^^5cinput{x}}}", "mine.bib:1:19: a.title", "hidden characters"),
        ("@article{a, title={$\\def\\x{y}$}}", "mine.bib:1:19: a.title", "unknown command"),
        ("@article{a, title={x\x07}}", "mine.bib:1:19: a.title", "control character"),
        ("@article{a, title={" + "x" * 20_001 + "}}", "mine.bib:1:19: a.title", "longer than"),
        ("@article{a, title={x}, year=2020}", "mine.bib: a", "an entry has no author"),
        ("@article{a, title={x}, author={y}, year={soon}}", "mine.bib: a", "an entry has no year"),
    ],
)
def test_bad_bibtex_is_refused_where_it_stands(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    path = tmp_path / "mine.bib"
    path.write_text(text)
    with pytest.raises(BadFile) as caught:
        read_library(path)
    assert where in caught.value.where
    assert what in caught.value.what


def test_a_quoted_value_with_loose_braces_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.bib"
    path.write_text('@article{a, title="x} y{"}')
    with pytest.raises(BadFile):
        read_library(path)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"nonsense", "library.json"),
        (b"{}", "library.json"),
        (b'[{"key": "a", "title": "x", "authors": ["y"]}]', "0.year"),
        (b'[{"key": "a", "title": "x", "authors": ["y"], "year": "2020"}]', "0.year"),
        (b'[{"key": "a", "title": "x", "authors": [], "year": 2020}]', "0.authors"),
        (b'[{"key": "a/b", "title": "x", "authors": ["y"], "year": 2020}]', "0.key"),
        (b'[{"key": "a", "title": "x", "authors": ["y"], "year": 2020, "z": 1}]', "0.z"),
        (
            b'[{"key": "a", "title": "\\\\end{x", "authors": ["y"], "year": 2020}]',
            "library.json: a",
        ),
        (
            (
                b'[{"key": "a", "title": "x", "authors": ["y"], "year": 1999,'
                b' "bibtex": "@misc{b, title={x}}"}]'
            ),
            "library.json: a",
        ),
        (b"[" * 100_000, "library.json"),
        (b" " * (16 * 2**20 + 1), "library.json"),
    ],
)
def test_a_bad_json_library_is_refused_where_it_is_bad(data: bytes, where: str) -> None:
    with pytest.raises(BadFile) as caught:
        LocalLibrary.from_bytes(data, "library.json")
    assert where in caught.value.where


def test_one_key_for_two_papers_is_refused_and_the_same_paper_twice_is_one() -> None:
    with pytest.raises(BadFile, match="names two papers"):
        library({"key": "a", "title": "One"}, {"key": "a", "title": "Two"})
    twice = library({"key": "a", "title": "One"}, {"key": "a", "title": "One"})
    assert len(twice.papers) == 1


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(BadFile, match=r"a \.bib or a \.json"):
        LocalLibrary.from_bytes(b"", "library.txt")
