"""Records of one paper become one, and different papers stay apart, whatever order they come in."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.literature import PaperRef
from orchestrator.literature.bibtex.entries import entry
from orchestrator.literature.bibtex.strict import KEY, entries
from orchestrator.literature.merging import gathered, merged, same_paper
from tests.support.search_rig import record

BIBTEX = "@misc{mine,\n  title = {My Own Spelling},\n  author = {One, Ada},\n  year = {2019}\n}"


def own(**changes: object) -> PaperRef:
    plain: dict[str, object] = {
        "title": "A title, of words", "key": "mine", "source": "library", "bibtex": BIBTEX, "year": 2019,
    }  # fmt: skip
    return record(**(plain | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"doi": "10.1000/a"}, {"doi": "10.1000/a", "title": "Another", "year": 1990}),
        ({"arxiv": "2201.02177"}, {"arxiv": "2201.02177", "title": "Another", "year": 1990}),
        ({"doi": "10.1000/a", "arxiv": "2201.02177"}, {"doi": "10.1000/a", "arxiv": "2201.99999"}),
        ({"title": "A Títle: of words!"}, {"title": "a title of Words"}),
        ({"year": 2020}, {"year": 2021}),
        ({"year": None}, {"year": 2021}),
        ({"doi": "10.1000/a"}, {"arxiv": "2201.02177"}),
    ],
)
def test_the_same_paper_is_known_by_doi_by_arxiv_id_and_by_title_and_year(
    one: dict[str, object], other: dict[str, object]
) -> None:
    a, b = record(**one), record(**other)  # type: ignore[arg-type]
    assert same_paper(a, b)
    assert same_paper(b, a)
    assert len(merged([[a], [b]])) == len(merged([[a, b]])) == len(gathered([a], [b])) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"doi": "10.1000/a"}, {"doi": "10.1000/b"}),
        ({"arxiv": "2201.02177"}, {"arxiv": "2201.02178"}),
        ({"year": 2020}, {"year": 2022}),
        ({"title": "A Title of Words"}, {"title": "A Title of Other Words"}),
        ({"title": "???"}, {"title": "!!!"}),
        ({"title": "扩散模型"}, {"title": "模型扩散"}),
    ],
)
def test_different_papers_stay_two(one: dict[str, object], other: dict[str, object]) -> None:
    a, b = record(**one), record(**other)  # type: ignore[arg-type]
    assert not same_paper(a, b)
    assert len(merged([[a], [b]])) == len(merged([[a, b]])) == len(gathered([a], [b])) == 2


def test_a_record_without_ids_does_not_join_papers_of_different_ids() -> None:
    a, b, bare = record(doi="10.1000/a"), record(doi="10.1000/b"), record()
    for lists in permutations([[a], [b], [bare]]):
        papers = merged(lists)
        assert sorted(one.doi for one in papers) in (
            ["10.1000/a", "10.1000/b"],
            ["", "10.1000/a", "10.1000/b"],
        )
        assert len({one.doi for one in papers}) == len(papers) == 2


def test_a_record_that_has_the_ids_of_two_others_joins_them() -> None:
    published = record("The Published Title", doi="10.1000/a")
    preprint = record("The Title Before", arxiv="2201.02177", source="arxiv", year=2017)
    both = record(
        "The Published Title", doi="10.1000/a", arxiv="2201.02177", source="semanticscholar"
    )
    for lists in permutations([[published], [preprint], [both]]):
        (one,) = merged(lists)
        assert (one.title, one.doi, one.arxiv) == ("The Published Title", "10.1000/a", "2201.02177")
        assert (one.year, one.source) == (2020, "openalex+semanticscholar+arxiv")


def test_each_field_comes_from_the_best_source_that_has_it() -> None:
    openalex = record(doi="10.1000/a", year=2021, citations=5, openalex="W1", venue="A Journal")
    s2 = record(
        s2="a" * 40, year=2020, citations=9, abstract="A long abstract.", source="semanticscholar"
    )
    arxiv = record(
        arxiv="2201.02177",
        year=2020,
        abstract="Short.",
        source="arxiv",
        pdf="https://x/p",
        venue="V",
    )
    for lists in permutations([[openalex], [s2], [arxiv]]):
        (one,) = merged(lists)
        assert (one.doi, one.arxiv, one.openalex, one.s2) == (
            "10.1000/a",
            "2201.02177",
            "W1",
            "a" * 40,
        )
        assert (one.year, one.citations, one.venue, one.pdf) == (
            2021,
            9,
            "A Journal",
            "https://x/p",
        )
        assert one.abstract == "A long abstract."
        assert one.source == "openalex+semanticscholar+arxiv"


def test_ones_own_entry_and_key_are_kept_with_what_engines_add() -> None:
    found = record(doi="10.1000/a", citations=7, abstract="More.", retracted=True)
    for lists in ([[own()], [found]], [[found], [own()]]):
        (one,) = merged(lists)
        assert (one.key, one.bibtex, one.title) == ("mine", BIBTEX, "A title, of words")
        assert (one.year, one.doi, one.citations) == (2019, "10.1000/a", 7)
        assert one.retracted, "an engine's word on a retraction counts for all"
        assert one.source == "library+openalex"


def test_papers_that_several_sources_rank_high_come_first() -> None:
    a, b, c = (record(f"Paper number {n}", doi=f"10.1000/{n}", key=n) for n in "abc")
    assert [one.key for one in merged([[a, b, c], [b, c], [c, b]])] == ["b", "c", "a"]
    assert [one.key for one in merged([[a, b, b, b]])] == ["a", "b"], "a list counts a paper once"
    assert [one.key for one in merged([[a], [b], [c]])] == ["a", "b", "c"], (
        "equal ones as they come"
    )
    assert merged([]) == merged([[], []]) == ()


def test_a_key_that_stands_keeps_its_paper_and_others_get_letters() -> None:
    papers = [record(f"Paper number {n}", doi=f"10.1000/{n}") for n in range(30)]
    once = gathered([], papers)
    keys = [one.key for one in once]
    assert keys[:3] == ["one2020title", "one2020titlea", "one2020titleb"]
    assert keys[26:29] == ["one2020titlez", "one2020titleaa", "one2020titleab"]
    assert [one.key for one in gathered(once, reversed(papers))] == keys
    upper = record("Another", doi="10.1000/x", key="ONE2020TITLE")
    assert gathered(once[:1], [upper])[1].key == "ONE2020TITLEa", "BibTeX tells no capitals"
    long = record("Another", doi="10.1000/x", key="k" * 64)
    last = gathered([record(key="k" * 64, title="First")], [long])[1]
    assert KEY.fullmatch(last.key)


def test_a_paper_found_again_joins_the_one_of_its_id_before_one_of_its_title() -> None:
    known = gathered([], [record(year=2018), record(year=2020, doi="10.1000/a")])
    again = gathered(known, [record(year=2019, doi="10.1000/a", abstract="More.")])
    assert [(one.doi, one.abstract) for one in again] == [("", ""), ("10.1000/a", "More.")]


def test_an_entry_is_renamed_with_its_key() -> None:
    other = own(title="Another", doi="10.1000/b")
    known = gathered([own()], [other])
    assert [one.key for one in known] == ["mine", "minea"]
    assert [one.key for paper in known for one in entries(entry(paper), "x")] == ["mine", "minea"]


def test_an_entry_that_is_found_later_is_used_under_the_key_that_stands() -> None:
    first = gathered([], [record(doi="10.1000/a")])
    (one,) = gathered(first, [own(doi="10.1000/a")])
    assert one.key == "one2020title"
    (written,) = entries(entry(one), "x")
    assert (written.key, written.get("title")) == ("one2020title", "My Own Spelling")


RECORDS = st.builds(
    record,
    title=st.sampled_from(["A b", "a B", "C d", "Ω"]),
    year=st.sampled_from([None, 2020, 2021, 2023]),
    doi=st.sampled_from(["", "10.1000/a", "10.1000/b"]),
    arxiv=st.sampled_from(["", "2201.02177", "2201.02178"]),
    source=st.sampled_from(["openalex", "arxiv", "library"]),
    key=st.sampled_from(["a", "A", "b"]),
)


@given(st.lists(st.lists(RECORDS, max_size=5), max_size=4))
def test_no_doi_is_lost_or_given_to_two_papers(lists: list[list[PaperRef]]) -> None:
    papers = merged(lists)
    every = [one for part in lists for one in part]
    known = [one.doi for one in papers if one.doi]
    assert sorted(known) == sorted({one.doi for one in every if one.doi})
    assert {one.title for one in papers} <= {one.title for one in every}
    assert merged(lists) == papers


@given(st.lists(st.lists(RECORDS, max_size=4), max_size=4))
def test_keys_never_change_and_are_never_given_twice(searches: list[list[PaperRef]]) -> None:
    known: tuple[PaperRef, ...] = ()
    for found in searches:
        more = gathered(known, merged([found]))
        assert [one.key for one in more[: len(known)]] == [one.key for one in known]
        known = more
    assert len({one.key.lower() for one in known}) == len(known)
