"""A benchmark that asks a reviewer: each paper once, through interrupts; nothing dropped silently."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.agreement.joining import Uncounted
from orchestrator.agreement.review_log import REVIEWS
from orchestrator.api.review_bench import NUMBERS, PAGE, BenchOutcome, bench_reviewer
from orchestrator.core.errors import (
    AisciError,
    BadFile,
    KeyRefused,
    ResultsExist,
    StageLeft,
    UserError,
)
from orchestrator.core.papers import Review

PAPERS = ("a", "b", "c", "d", "e", "f")


class Scripted:
    """A reviewer whose overall score is the digit in a paper; it counts, and fails where told to."""

    def __init__(self, **failures: BaseException) -> None:
        self.failures, self.asked = failures, list[str]()

    def __call__(self, path: Path) -> Review:
        self.asked.append(path.stem)
        if failure := self.failures.get(path.stem):
            raise failure
        score = int(path.read_text().removeprefix("score "))
        decision = "Accept" if score > 5 else "Reject"
        return Review(
            summary="s", strengths=("x",), weaknesses=(), scores=(("Quality", 3),),
            overall=score or None, decision=decision if score else "",
        )  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., BenchOutcome]:
    """A benchmark of six papers in a folder; ``reviewer`` and ``resume`` as given."""
    rows = [
        f"{name}\t{n + 2}.0\t{'Accept (Oral)' if n > 2 else 'Reject'}\n"
        for n, name in enumerate(PAPERS)
    ]
    ratings, papers = tmp_path / "ratings.tsv", tmp_path / "papers"
    ratings.write_text("paper_id\t0\tdecision\n" + "".join(rows) + "g\t5.0\tUnknown\n")
    papers.mkdir()
    for n, name in enumerate(PAPERS):
        (papers / f"{name}.txt").write_text(f"score {n + 3}")

    def run(review: Scripted, reviewer: str = "scripted", *, resume: bool = False) -> BenchOutcome:
        return bench_reviewer(
            ratings, papers, tmp_path / "out", reviewer=reviewer, review=review, resume=resume
        )

    return run


def test_each_paper_is_reviewed_once_and_held_against_people(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    review = Scripted()
    done = bench(review)
    assert review.asked == list(PAPERS)
    assert done.agreement.decided["accuracy"].value == 1.0
    assert done.left_out == (Uncounted("g", "people's decision is unknown"),)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {REVIEWS, PAGE, NUMBERS}


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), KeyRefused("no", where="x", todo="y")])
def test_an_interrupted_benchmark_goes_on_where_it_stopped(
    stop: BaseException, bench: Callable[..., BenchOutcome]
) -> None:
    with pytest.raises((KeyboardInterrupt, KeyRefused)):
        bench(Scripted(d=stop))
    with pytest.raises(ResultsExist, match="there are reviews already"):
        bench(Scripted())
    review = Scripted()
    assert bench(review, resume=True).agreement.papers == 6
    assert review.asked == ["d", "e", "f"]


def test_a_torn_last_line_is_cut_off_and_its_paper_reviewed_again(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    whole = bench(Scripted()).agreement
    log = tmp_path / "out" / REVIEWS
    kept = log.read_bytes()
    for end in (len(kept) - 1, len(kept) - 40, 5):
        log.write_bytes(kept[:end])
        review = Scripted()
        assert bench(review, resume=True).agreement == whole
        assert review.asked == (["f"] if end > 5 else list(PAPERS))
        assert log.read_bytes() == kept


def test_papers_without_a_usable_review_are_listed_and_asked_for_again(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    (tmp_path / "papers" / "a.txt").unlink()
    (tmp_path / "papers" / "b.txt").write_text("score 0")
    (tmp_path / "papers" / "f.txt").unlink()
    (tmp_path / "papers" / "f.txt").symlink_to("e.txt")
    done = bench(
        Scripted(
            c=BadFile("this PDF cannot be read", where="c", why="it may be a scan", todo="x"),
            d=StageLeft("no review", where="d", todo="x"),
        )
    )
    assert {one.paper_id: (one.why, one.detail) for one in done.left_out} == {
        "a": ("it has no file", ""),
        "b": ("the review has no score and no decision", ""),
        "c": ("it could not be reviewed", "this PDF cannot be read: it may be a scan"),
        "d": ("it could not be reviewed", "no review"),
        "f": ("it has no file", ""),
        "g": ("people's decision is unknown", ""),
    }
    assert done.agreement.papers == 1
    review = Scripted()
    bench(review, resume=True)
    assert review.asked == ["c", "d"]


def test_a_paper_whose_file_changed_is_reviewed_again(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    bench(Scripted())
    (tmp_path / "papers" / "a.txt").write_text("score 9")
    for asked in (["a"], []):
        review = Scripted()
        assert bench(review, resume=True).agreement.confusion.fp == 1
        assert review.asked == asked


def test_reviews_of_another_reviewer_or_other_ratings_do_not_mix(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    bench(Scripted())
    with pytest.raises(UserError, match="of another reviewer"):
        bench(Scripted(), "another", resume=True)
    ratings = tmp_path / "ratings.tsv"
    ratings.write_text(ratings.read_text() + "h\t5.0\tReject\n")
    with pytest.raises(UserError, match="of other ratings"):
        bench(Scripted(), resume=True)


@pytest.mark.parametrize("line", [b"{}", b"not JSON", b'{"paper_id":1}', b"\xff"])
def test_a_line_that_is_no_review_is_refused_with_its_number(
    line: bytes, bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    bench(Scripted())
    log = tmp_path / "out" / REVIEWS
    first, *rest = log.read_bytes().splitlines()
    log.write_bytes(b"\n".join([first, line, *rest, b""]))
    with pytest.raises(AisciError) as caught:
        bench(Scripted(), resume=True)
    assert caught.value.where == f"{log}:2"


def test_a_pdf_goes_before_a_text_of_the_same_name(
    bench: Callable[..., BenchOutcome], tmp_path: Path
) -> None:
    (tmp_path / "papers" / "a.pdf").write_text("score 9")
    assert bench(Scripted()).agreement.confusion.fp == 1
