"""The tables of a benchmark: read as the published set has them, refused with every error's place."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agreement.delimited import table_rows
from orchestrator.agreement.joining import Uncounted, join_tables
from orchestrator.agreement.tables import Rated, Scored, read_ratings, read_reviews
from orchestrator.core.errors import BadFile, UserError

RATINGS = (
    "paper_id\t0\t1\t2\tdecision\n"
    "a_1\t6.0\t8.0\t\tAccept (Poster)\n"
    "-b2\t3.0\t\t\tReject\n"
    "c3\t\t\t\tUnknown\n"
)
REVIEWS = (
    "paper_id,Summary,Overall,Confidence,Decision\n"
    'a_1,"It says ""6"",\nand more",6,4,Accept\n'
    "-b2,Short.,,,\n"
    "other,Short.,3,4,Reject\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "table"
    path.write_text(text)
    return path


def test_ratings_of_the_published_form_are_read(tmp_path: Path) -> None:
    first, second, third = read_ratings(written(tmp_path, RATINGS))
    assert first == Rated(paper_id="a_1", accepted=True, ratings=(6.0, 8.0))
    assert (first.rating, second.rating, third.rating) == (7.0, 3.0, None)
    assert (second.accepted, third.accepted) == (False, None)
    assert read_ratings(written(tmp_path, "\ufeff" + RATINGS.replace("\n", "\r\n")))[0] == first


def test_reviews_of_the_published_form_are_read(tmp_path: Path) -> None:
    assert read_reviews(written(tmp_path, REVIEWS)) == (
        Scored(paper_id="a_1", overall=6.0, accepts=True),
        Scored(paper_id="-b2", overall=None, accepts=None),
        Scored(paper_id="other", overall=3.0, accepts=False),
    )


def test_every_error_is_named_with_line_and_column_on_one_screen(tmp_path: Path) -> None:
    text = (
        "paper_id,Summary,Overall,Decision\n"
        'a,"two\nlines",11,Accept\n'
        "../x,s,6,Perhaps\n"
        "a,s,nan,Reject\n"
        "b,s,6\n"
    )
    with pytest.raises(BadFile) as caught:
        read_reviews(written(tmp_path, text))
    found = {(p.place.line, p.place.column, p.what.split(",")[0]) for p in caught.value.problems}
    assert found == {
        (3, 8, "'11' is no score"),
        (4, 1, "'../x' is no id"),
        (4, 10, "'Perhaps' is no decision"),
        (5, 1, "'a' is on line 2 already"),
        (5, 5, "'nan' is no score"),
        (6, 1, "3 fields"),
    }
    many = "paper_id,Overall,Decision\n" + "".join(f"p{n},x,Accept\n" for n in range(90))
    with pytest.raises(BadFile, match="and 78 more") as caught:
        read_reviews(written(tmp_path, many))
    assert len(str(caught.value).splitlines()) <= 24


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the column 'paper_id' is missing"),
        ("paper_id\tdecision\n", "it has no paper"),
        ("paper_id\t0\n", "the column 'decision' is missing"),
        ("paper_id\tdecision\tdecision\na\tReject\tReject\n", "a second column 'decision'"),
        ('paper_id\tdecision\na\t"Reject\n', "this quote does not close its field"),
        ('paper_id\tdecision\na\t"Rej"ect\n', "this quote does not close its field"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read_ratings(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_link_a_missing_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written(tmp_path, RATINGS))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("link", "none", "bytes"):
        with pytest.raises(BadFile):
            read_ratings(tmp_path / name)


_FIELD = st.text(st.sampled_from('ab",\t\n '), max_size=6)


@given(st.lists(st.lists(_FIELD, min_size=2, max_size=4), min_size=1, max_size=5))
def test_any_text_that_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    rows = [["head", "b"], *rows]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    read = table_rows(file.getvalue(), "t")
    assert [[cell.text for cell in row] for row in read] == rows
    lines = file.getvalue().split("\n")
    for cell in (cell for row in read for cell in row):
        found = lines[cell.line - 1][cell.column - 1 :]
        assert found.startswith((cell.text.split("\n", maxsplit=1)[0], '"'))


def test_papers_that_cannot_count_are_listed_with_the_reason(tmp_path: Path) -> None:
    rated = read_ratings(written(tmp_path, RATINGS))
    cases, out = join_tables(rated, read_reviews(written(tmp_path, REVIEWS)))
    assert [(c.accepted, c.accepts, c.overall, c.rating) for c in cases] == [(True, True, 6.0, 7.0)]
    assert out == (
        Uncounted("-b2", "the review has no score and no decision"),
        Uncounted("c3", "people's decision is unknown"),
        Uncounted("other", "reviewed, but not among the ratings"),
    )
    with pytest.raises(UserError, match="no paper has both"):
        join_tables(rated, ())
