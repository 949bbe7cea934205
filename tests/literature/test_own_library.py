"""A library of one's own: each paper once, found by its words, whole after whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import DiskFull, UserError
from orchestrator.core.literature import LONGEST_ABSTRACT, LONGEST_TITLE, PaperRef, Query
from orchestrator.literature.bibtex.strict import entries
from orchestrator.literature.library import base as library_base
from orchestrator.literature.library import own_library, stored_paper
from orchestrator.literature.library import search_index as library_search
from orchestrator.literature.library.own_library import Added, OwnLibrary


@pytest.fixture
def library(tmp_path: Path) -> OwnLibrary:
    return OwnLibrary(tmp_path / "deep" / "library.sqlite3")


def paper(key: str, title: str = "Grokking", **more: Any) -> PaperRef:
    return PaperRef(**{"key": key, "title": title, "authors": ("A. Author",), "year": 2020, **more})


def add(library: OwnLibrary, *papers: PaperRef, text: str = "") -> Added:
    return library.add((one, text) for one in papers)


def found(library: OwnLibrary, text: str, limit: int = 10) -> list[str]:
    return [one.key for one in library.search(Query(text, limit))]


# --- storing ------------------------------------------------------------------------------


def test_what_is_added_is_there_in_the_next_process_as_it_was(library: OwnLibrary) -> None:
    whole = paper(
        "a", "On ε", venue="V", abstract="Abstract.", bibtex="@misc{a,\n  title = {On ε}\n}\n",
        doi="10.1/x", arxiv="2201.02177", openalex="W1", s2="f" * 40, url="https://example.org",
        pdf="https://example.org/a.pdf", citations=3, retracted=True, source="library",
    )  # fmt: skip
    assert add(library, whole) == Added(new=1)
    assert OwnLibrary(library.path).papers() == (whole,)
    assert len(library) == 1


def test_a_library_that_is_not_there_is_empty_and_is_not_made_by_reading(
    library: OwnLibrary,
) -> None:
    assert (len(library), library.papers(), found(library, "x"), library.remove("a")) == (
        0,
        (),
        [],
        False,
    )
    assert not library.path.exists()


def test_by_default_it_is_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert OwnLibrary().path == tmp_path / "aisci" / "literature" / "library.sqlite3"


def test_papers_are_listed_by_key_in_pages(library: OwnLibrary) -> None:
    add(library, *(paper(f"k{n}", f"Title {n}") for n in (3, 1, 2)))
    assert [one.key for one in library.papers(2, 0)] == ["k1", "k2"]
    assert [one.key for one in library.papers(2, 2)] == ["k3"]
    assert library.papers(-1, -1) == library.papers(0, 10**30) == ()


def test_a_removed_paper_is_not_found_again(library: OwnLibrary) -> None:
    add(library, paper("a"), paper("b", "Grokking again"))
    assert library.remove("a")
    assert not library.remove("a")
    assert not library.remove("' OR 1=1 --")
    assert not library.remove("\ud800")
    assert (found(library, "grokking"), len(library)) == (["b"], 1)


# --- each paper once ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "later",
    [
        paper("b", "Other words", doi="10.1/X"),
        paper("b", "Other words", arxiv="2201.02177"),
        paper("b", "GROKKING!"),
    ],
)
def test_the_same_paper_by_doi_or_arxiv_or_title_and_year_is_stored_once(
    library: OwnLibrary, later: PaperRef
) -> None:
    add(library, paper("a", doi="10.1/x", arxiv="2201.02177"))
    assert add(library, later) == Added(known=1)
    assert [one.key for one in library.papers()] == ["a"]


@pytest.mark.parametrize(
    "other",
    [
        paper("b", doi="10.1/other"),
        paper("b", year=2021),
        paper("b", year=None),
        paper("b", "Grokking II"),
    ],
)
def test_papers_that_differ_in_doi_or_in_title_and_year_are_two(
    library: OwnLibrary, other: PaperRef
) -> None:
    add(library, paper("a", doi="10.1/x"))
    assert add(library, other) == Added(new=1)


def test_titles_without_letters_are_compared_as_they_are(library: OwnLibrary) -> None:
    assert add(library, paper("a", "???"), paper("b", "!!!"), paper("c", "???")) == Added(2, 1)


def test_a_later_record_fills_in_what_the_earlier_lacks(library: OwnLibrary) -> None:
    add(library, paper("a", abstract="Short.", venue="V", citations=3))
    later = paper("b", abstract="A longer abstract.", venue="W", doi="10.1/x", citations=5)
    assert add(library, later) == Added(replaced=1)
    (one,) = library.papers()
    assert (one.key, one.abstract, one.venue) == ("a", "A longer abstract.", "V")
    assert (one.doi, one.citations) == ("10.1/x", 5)
    assert found(library, "longer") == ["a"]
    assert add(library, later) == Added(known=1)


def test_a_paper_keeps_its_own_bibtex_and_its_key(library: OwnLibrary) -> None:
    entry = "@misc{mine,\n  title = {Grokking},\n  author = {A. Author},\n  year = {2020}\n}\n"
    add(library, paper("made2020grokking", abstract="From a PDF."))
    add(library, paper("mine", "grokking", bibtex=entry))
    add(library, paper("third", bibtex=entry.replace("mine", "third")))
    (one,) = library.papers()
    assert (one.key, one.bibtex, one.abstract) == ("mine", entry, "From a PDF.")


def test_another_paper_of_the_same_key_gets_a_letter_in_its_entry_too(library: OwnLibrary) -> None:
    entry = "@misc{{{},\n  title = {{T}}\n}}\n"
    papers = [paper("Key", f"Title {n}", bibtex=entry.format("Key")) for n in range(30)]
    assert add(library, *papers) == Added(new=30)
    assert add(library, replace(papers[7], key="kEY")) == Added(known=1)
    kept = {one.title: one for one in library.papers(50)}
    keys = [kept[f"Title {n}"].key for n in range(30)]
    assert keys == [
        "Key",
        *(f"Key{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
        "Keyaa",
        "Keyab",
        "Keyac",
    ]
    assert all(next(entries(one.bibtex, "")).key == one.key for one in kept.values())


# --- searching ----------------------------------------------------------------------------


def test_title_counts_most_and_the_text_is_searched_too(library: OwnLibrary) -> None:
    add(library, paper("abstract", "Cats", abstract="About grokking."), paper("title", "Grokking"))
    library.add([(paper("text", "Dogs"), "deep inside it says grokking")])
    assert found(library, "grokking") == ["title", "abstract", "text"]
    assert len(found(library, "author", 1)) == 1


def test_a_paper_with_a_long_text_is_not_put_behind_those_without(library: OwnLibrary) -> None:
    add(library, *(paper(f"k{n}", f"Fish {n}", abstract="About lakes. " * 20) for n in range(30)))
    add(library, paper("bare", "Lottery tickets of chance", abstract="About lakes. " * 20))
    library.add(
        [(paper("whole", "Lottery tickets in networks"), "lottery tickets " + "lakes " * 20_000)]
    )
    assert found(library, "lottery tickets") == ["whole", "bare"]


def test_plurals_capitals_and_accents_do_not_matter(library: OwnLibrary) -> None:
    add(library, paper("a", "Optimizers", authors=("Kurt Gödel",)))
    assert (
        found(library, "OPTIMIZER") == found(library, "godel") == found(library, "gödel") == ["a"]
    )


def test_equal_scores_are_in_the_order_of_keys_whatever_was_added_first(tmp_path: Path) -> None:
    keys = [f"k{n:02}" for n in range(40)]
    for seed in range(3):
        random.Random(seed).shuffle(keys)
        library = OwnLibrary(tmp_path / str(seed))
        add(library, *(paper(key, "Same words", doi=f"10.1/{key}") for key in keys))
        assert found(library, "same words", 5) == ["k00", "k01", "k02", "k03", "k04"]
        assert found(library, "same", 0) == found(library, "same", -1) == []


def test_common_words_are_ranked_within_bounds_and_rare_ones_come_first(
    library: OwnLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_search, "_ALL_RANKED", 20)
    monkeypatch.setattr(library_search, "_SOME_RANKED", 5)
    many = [paper(f"k{n:03}", f"Learning {n}", abstract="Model of data.") for n in range(100)]
    rare = paper("rare", "Learning grokking", abstract="Nothing else.")
    add(library, *many, rare, paper("title", "Learning a model"))
    assert found(library, "grokking learning model")[0] == "rare"
    assert found(library, "learning model")[0] == "title"
    assert len(found(library, "learning model data", 4)) == 4
    assert len(found(library, "learning")) == 5  # of one step: what is in every paper says nothing


@pytest.mark.parametrize(
    "text",
    [
        '"', '"unclosed', "*", "grok*", "NEAR(a b)", "title:grokking", "{title} : x", "-grokking", "AND",
        "OR NOT", "^grokking", "a + b", "grokking) OR (x", "'; DROP TABLE papers; --", "\x00", "\x1b[31m",
        "\ud800", "", "the of and", "x" * 100_000, "a " * 100_000, "²", "１２", "ﬁ", "ǅ", "한국어", "\U0001f600",
    ],
)  # fmt: skip
def test_a_query_is_words_and_never_syntax(library: OwnLibrary, text: str) -> None:
    add(library, paper("a", "Fish"))
    assert found(library, text) == []
    assert len(library) == 1


def test_words_of_the_syntax_are_searched_as_words(library: OwnLibrary) -> None:
    add(library, paper("a", "Near NOT far"), paper("b", "Fish"))
    assert (
        found(library, "NEAR(far)")
        == found(library, "title:near")
        == found(library, "NOT b")
        == ["a"]
    )


@pytest.fixture(scope="module")
def two_fish(tmp_path_factory: pytest.TempPathFactory) -> OwnLibrary:
    library = OwnLibrary(tmp_path_factory.mktemp("fuzz") / "library")
    add(library, paper("a", "Fish"), paper("b", "Fish and chips"))
    return library


@given(st.text(max_size=80), st.integers(-1, 30))
def test_any_query_is_answered_the_same_twice(two_fish: OwnLibrary, text: str, limit: int) -> None:
    first = two_fish.search(Query(f"fish {text}", limit))
    assert first == two_fish.search(Query(f"fish {text}", limit))
    assert len(first) == min(max(limit, 0), 2)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_stored_replaced_and_removed(
    two_fish: OwnLibrary, title: str, key: str, text: str
) -> None:
    one = paper(key, title, authors=(text,), abstract=text, bibtex=text, doi="10.9/z", arxiv=key)
    before = {kept.key for kept in two_fish.papers()}
    try:
        two_fish.add([(one, text), (replace(one, abstract=text * 2), text * 2)])
        (stored,) = [kept for kept in two_fish.papers() if kept.key not in before]
        for word in library_search.indexed_words(stored.title)[:3]:
            two_fish.search(Query(word))
    finally:
        for kept in two_fish.papers():
            if kept.key not in before:
                assert two_fish.remove(kept.key)


# --- hostile papers -----------------------------------------------------------------------


def test_what_is_stored_is_bounded_and_does_not_act_on_a_terminal(library: OwnLibrary) -> None:
    evil = paper(
        "../etc/passwd",
        "\x1b[31mRed\x07 \u202etitle\ud800\x00" + "x" * 1000,
        authors=tuple(f"N{n}\x1b" for n in range(500)),
        abstract="y" * 10_000_000,
        year=10**30,
        bibtex="@misc{../etc/passwd,\n  title = {x\x1b}\n}\n",
        citations=-1,
    )
    library.add([(evil, "z " * 10_000_000 + "last")])
    (one,) = library.papers()
    assert one.key == "etc_passwd"
    assert one.title.startswith("[31mRed title x")
    assert (len(one.title), len(one.abstract), len(one.authors)) == (
        LONGEST_TITLE,
        LONGEST_ABSTRACT,
        100,
    )
    assert (one.year, one.citations, one.source) == (None, None, "library")
    assert one.bibtex == "@misc{etc_passwd,\n  title = {x}\n}\n"
    assert found(library, "last") == []


def test_a_library_has_an_upper_bound_and_what_exceeds_it_is_refused_whole(
    library: OwnLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_library, "MOST_PAPERS", 2)
    add(library, paper("a", "One"))
    with pytest.raises(UserError, match="at most 2 papers; none of these was added"):
        add(library, paper("b", "Two"), paper("c", "Three"))
    assert [one.key for one in library.papers()] == ["a"]


# --- faults -------------------------------------------------------------------------------


def test_an_error_in_the_middle_leaves_nothing_half_written(
    library: OwnLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(library, paper("a", "One"))
    write = stored_paper.stored_form

    def failing(one: PaperRef) -> str:
        if one.key == "c":
            raise KeyboardInterrupt
        return write(one)

    monkeypatch.setattr("orchestrator.literature.library.own_library.stored_form", failing)
    with pytest.raises(KeyboardInterrupt):
        add(library, paper("b", "Two"), paper("c", "Three"))
    assert [one.key for one in library.papers()] == ["a"]
    assert found(library, "two") == []


def test_a_full_disk_leaves_the_library_as_it_was(
    library: OwnLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(library, paper("a", "One"))
    connect = sqlite3.connect

    def small(*args: Any, **more: Any) -> sqlite3.Connection:
        base: sqlite3.Connection = connect(*args, **more)
        base.execute("PRAGMA max_page_count = 30")
        return base

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(DiskFull, match="as it was before"):
        add(library, *(paper(f"k{n}", f"T{n}", abstract="word " * 500) for n in range(200)))
    assert [one.key for one in library.papers()] == ["a"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"nonsense" * 1000, "damaged"),
        (b"SQLite format 3\x00" + b"\xff" * 5000, "damaged"),
    ],
)
def test_a_file_that_is_no_library_is_refused_with_what_to_do(
    library: OwnLibrary, data: bytes, what: str
) -> None:
    library.path.parent.mkdir()
    library.path.write_bytes(data)
    for act in (
        lambda: len(library),
        lambda: found(library, "x"),
        lambda: add(library, paper("a")),
    ):
        with pytest.raises(UserError, match=what) as caught:
            act()
        assert "mv " in caught.value.todo
        assert str(library.path) in caught.value.where


def test_a_library_with_damaged_pages_is_refused_and_never_a_traceback(library: OwnLibrary) -> None:
    add(library, *(paper(f"k{n}", f"Title number {n}", abstract="word " * 50) for n in range(300)))
    whole = library.path.read_bytes()
    draw = random.Random(1)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        start = draw.randrange(100, len(whole))
        damaged[start : start + 3000] = draw.randbytes(len(damaged[start : start + 3000]))
        library.path.write_bytes(damaged)
        for act in (
            lambda: found(library, "title word"),
            lambda: library.papers(1000),
            lambda: add(library, paper("new", f"New {draw.random()}")),
        ):
            try:
                act()
            except UserError:
                refused += 1
    assert refused > 10


def test_a_stored_paper_that_is_no_paper_is_damage(library: OwnLibrary) -> None:
    add(library, paper("a"))
    with sqlite3.connect(library.path) as base:
        base.execute("UPDATE papers SET body = '[]'")
    base.close()
    with pytest.raises(UserError, match="damaged"):
        library.papers()


@pytest.mark.parametrize("sql", ["PRAGMA user_version = 7", "CREATE TABLE mine (x)"])
def test_another_version_or_another_programs_file_is_refused_and_not_touched(
    library: OwnLibrary, sql: str
) -> None:
    library.path.parent.mkdir()
    base = sqlite3.connect(library.path)
    base.execute(sql)
    base.commit()
    base.close()
    before = library.path.read_bytes()
    for act in (lambda: len(library), lambda: add(library, paper("a"))):
        with pytest.raises(UserError, match="another version"):
            act()
    assert library.path.read_bytes() == before


def test_a_folder_in_its_place_and_a_file_in_its_folders_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "library"):
        with pytest.raises(UserError, match="cannot be opened or written"):
            add(OwnLibrary(path), paper("a"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(library: OwnLibrary) -> None:
    library.path.parent.mkdir(mode=0o500)
    with pytest.raises(UserError, match="cannot be opened or written"):
        add(library, paper("a"))


# --- several processes --------------------------------------------------------------------


@pytest.fixture
def held(library: OwnLibrary, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process is in the middle of adding."""
    add(library, paper("a", "One"))
    monkeypatch.setattr(library_base, "WAIT", 0.05)
    other = sqlite3.connect(library.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.usefixtures("held")
def test_while_one_adds_others_search_and_a_second_that_adds_says_what_it_waits_for(
    library: OwnLibrary,
) -> None:
    assert found(library, "one") == ["a"]
    with pytest.raises(UserError, match="another process is writing"):
        add(library, paper("b", "Two"))
    assert library.papers() == library.papers()


def _add_many(path: Path, start: int) -> None:
    library = OwnLibrary(path)
    for number in range(start, start + 60, 3):
        batch = [paper("same", f"Paper {n}", doi=f"10.1/{n}") for n in range(number, number + 3)]
        assert add(library, *batch).new + add(library, *batch).known == 6


def test_two_processes_that_create_and_add_at_once_lose_nothing(library: OwnLibrary) -> None:
    spawn = multiprocessing.get_context("spawn")
    adders = [spawn.Process(target=_add_many, args=(library.path, start)) for start in (0, 60)]
    for one in adders:
        one.start()
    sizes = []
    while any(one.is_alive() for one in adders):
        sizes.append(len(library))
        found(library, "paper")
    for one in adders:
        one.join()
    assert [one.exitcode for one in adders] == [0, 0]
    assert len({one.key for one in library.papers(1000)}) == len(library) == 120
    assert sizes == sorted(sizes)
    assert all(size % 3 == 0 for size in sizes)


def test_one_library_may_be_used_by_several_threads(library: OwnLibrary) -> None:
    add(library, paper("a", "Fish"))
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append(found(library, "fish"))) for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert results == [["a"]] * 8
