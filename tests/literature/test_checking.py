"""A reference is checked by its id: title and year agree, differ, or nobody could say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.literature import (
    CheckedReference,
    PaperRef,
    Query,
    References,
    StatedReference,
)
from orchestrator.literature.engines.checking import alike
from orchestrator.literature.loopback.faults import said
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus, odd
from tests.support.search_rig import Waited, opened

PUBLISHED = [one for one in corpus() if one.doi and not one.doi.startswith("10.48550")][:6]
PREPRINT = next(one for one in corpus() if one.arxiv and not one.doi)
CLEAN = PUBLISHED[0]


def stated(paper: PaperRef, **changes: Any) -> StatedReference:
    plain = StatedReference(key=paper.key, title=paper.title, year=paper.year, id=paper.id)
    return replace(plain, **changes)


def checked(
    served: Loopback, folder: Path, *ones: StatedReference, **more: Any
) -> Sequence[CheckedReference]:
    return opened(served, folder, "openalex", **more).check(References(ones))


def one_checked(folder: Path, one: StatedReference) -> CheckedReference:
    with Loopback((*corpus(), *odd())) as served:
        (found,) = checked(served, folder, one)
        return found


def test_a_reference_that_is_right_agrees_and_says_by_whom(tmp_path: Path) -> None:
    found = one_checked(tmp_path, stated(CLEAN))
    assert found == CheckedReference(key=CLEAN.key, state="agrees", by="crossref")
    found = one_checked(tmp_path, stated(PREPRINT))
    assert (found.state, found.by) == ("agrees", "openalex")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "Quite Another Matter Altogether"}, "its title there is"),
        ({"year": 1901}, "its year there is"),
        ({"title": "Quite Another Matter", "year": 1901}, "; its year there is"),
    ],
)
def test_a_wrong_title_or_year_differs(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    for paper in (CLEAN, PREPRINT):
        found = one_checked(tmp_path, stated(paper, **changes))
        assert found.state == "differs"
        assert said in found.why


def test_a_year_beside_it_and_a_year_that_nobody_states_agree(tmp_path: Path) -> None:
    assert CLEAN.year is not None
    for year in (CLEAN.year - 1, CLEAN.year + 1, None):
        assert one_checked(tmp_path, stated(CLEAN, year=year)).state == "agrees"
    nodate = next(one for one in odd() if one.year is None)
    assert one_checked(tmp_path, stated(nodate, year=2019)).state == "agrees"


def test_an_id_that_no_registry_has_is_unknown_and_both_are_asked(tmp_path: Path) -> None:
    for name, by in (
        ("doi:10.1000/nothing", "crossref+openalex"),
        ("arXiv:2201.99999", "openalex"),
    ):
        found = one_checked(tmp_path, stated(CLEAN, id=name))
        assert (found.state, found.by) == ("unknown", by)
        assert name in found.why


def test_a_doi_that_crossref_does_not_have_is_asked_of_openalex(tmp_path: Path) -> None:
    with Loopback(corpus(), {"crossref": [FAULTS["crossref"]["not found"]]}) as served:
        (found,) = checked(served, tmp_path, stated(CLEAN))
        assert (found.state, found.by) == ("agrees", "openalex")


def test_a_retraction_is_told_by_either_registry(tmp_path: Path) -> None:
    retracted = next(one for one in odd() if one.retracted)
    found = one_checked(tmp_path, stated(retracted))
    assert (found.state, found.by, found.retracted) == ("agrees", "crossref", True)
    with Loopback(odd(), {"crossref": [FAULTS["crossref"]["not found"]]}) as served:
        (found,) = checked(served, tmp_path, stated(retracted))
        assert (found.by, found.retracted) == ("openalex", True)


@pytest.mark.parametrize("name", ["", "S2:" + "a" * 40, "https://example.org/x", "isbn:1"])
def test_a_reference_without_an_id_that_registries_know_is_not_checked(
    name: str, tmp_path: Path
) -> None:
    assert one_checked(tmp_path, stated(CLEAN, id=name)).state == "not checked"


@pytest.mark.parametrize("fault", ["elsewhere", "cut", "slow", "too many", "gone"])
def test_a_registry_that_is_down_is_asked_once_and_not_for_each_reference(
    fault: str, tmp_path: Path
) -> None:
    faults = {
        "gone": Fault(status=403, body=b"no"), "too many": FAULTS["crossref"]["too many"],
        "slow": Fault(hang=30), **{name: FAULTS["any"][name] for name in ("elsewhere", "cut")},
    }  # fmt: skip
    waited = Waited()
    down = {name: [faults[fault]] * 40 for name in ("crossref", "openalex")}
    with Loopback(corpus(), down) as served:
        sources = opened(served, tmp_path, "openalex", clock=waited.clock)
        within = Deadline.after(0.5, "call") if fault == "slow" else FOREVER
        found = sources.check(References(tuple(stated(one) for one in PUBLISHED)), within)
        assert {one.state for one in found} == {"not checked"}
        assert all(one.why for one in found)
        tries = 3 if fault == "too many" else 1
        for name in ("crossref", "openalex"):
            assert len([one for one in served.requests if one.engine == name]) <= tries
    assert waited.waited < 20


def test_one_registry_that_is_down_leaves_the_other_and_a_404_alone_is_not_unknown(
    tmp_path: Path,
) -> None:
    down = [Fault(status=500)] * 40
    with Loopback(corpus(), {"crossref": down}) as served:
        missing = stated(CLEAN, id="doi:10.1000/nothing")
        known, unknown = checked(served, tmp_path, stated(CLEAN), missing)
        assert (known.state, known.by) == ("agrees", "openalex")
        assert unknown.state == "not checked"
        assert unknown.why.startswith("crossref: ")


def test_a_spent_budget_of_searches_does_not_stop_checks_which_are_free(tmp_path: Path) -> None:
    with Loopback(corpus(), usd=0.0) as served:
        sources = opened(served, tmp_path, "openalex")
        assert sources.search(Query("grokking")).engines[0].state == "spent"
        (found,) = sources.check(References((stated(PREPRINT),)))
        assert found.state == "agrees"
        assert sources.search(Query("grokking")).engines[0].calls == 0


WORK = {"status": "ok", "message-type": "work"}
ODD_WORKS = [
    said(200, WORK | {"message": {}}), said(200, WORK | {"message": {"title": []}}), said(200, WORK),
    said(200, {"message": {"title": ["T"]}}), Fault(status=200, body=b"[1]"), FAULTS["any"]["maintenance"],
    said(200, WORK | {"message": {"title": [7], "issued": {"date-parts": [[None]]}, "author": 5}}),
    said(200, WORK | {"message": {"title": "T", "issued": [], "author": [None], "updated-by": {}}}),
]  # fmt: skip


@pytest.mark.parametrize("fault", ODD_WORKS, ids=lambda one: one.body[:60].decode())
def test_a_record_that_says_nothing_is_no_word_on_the_reference(
    fault: Fault, tmp_path: Path
) -> None:
    faults = {"crossref": [fault], "openalex": [FAULTS["openalex"]["not found"]]}
    with Loopback(corpus(), faults) as served:
        first, second = checked(served, tmp_path, stated(CLEAN), stated(PUBLISHED[1]))
        assert first.state == "not checked"
        assert first.why.startswith("crossref: ")
        assert (second.state, second.by) == ("agrees", "crossref"), "asked again for the next"


def test_awkward_ids_are_asked_for_as_they_are(tmp_path: Path) -> None:
    names = (
        "10.1002/(sici)1<1::aid>3.0;2-2",
        "10.1000/a?b#c&d=%41",
        "10.1000/../../x",
        "10.1000/é\ud800",
    )
    ones = [stated(CLEAN, key=str(n), id=f"doi:{name}") for n, name in enumerate(names)]
    papers = [record_with(name) for name in names[:2]]
    with Loopback(papers) as served:
        found = checked(served, tmp_path, *ones)
        assert [one.state for one in found] == ["agrees", "agrees", "unknown", "not checked"]
        assert {one.path.count("?") for one in served.requests} <= {0, 1}


def record_with(doi: str) -> PaperRef:
    return replace(CLEAN, doi=doi, arxiv="")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BERT: Pre-training of Deep Bidirectional Transformers", "BERT"),
        ("Grokking: Generalization Beyond Overfitting on Small Datasets", "Grokking"),
        ("Deep Learning — A Review", "Deep learning"),
        ("Attention Is All You Need", "Attention is all you need."),
        ("Denoising Diffusion Probabilistic Models", "Denoising diffusion probabilistic model"),
        ("Schrödinger’s Équation", "Schrodinger's Equation"),
        ("ImageNet: A large-scale hierarchical image database", "ImageNet: a Large Scale Hierarchical Image Database"),
        ("扩散模型", "扩散模型"),
        ("A + B", "a b"),
    ],
)  # fmt: skip
def test_titles_that_differ_by_subtitle_case_and_signs_are_alike(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A Survey of Transformers", "A Survey of Visual Methods"),
        ("An Introduction to Statistical Learning", "An Introduction to Reinforcement Learning"),
        ("Deep Learning", "Deep Learning for Symbolic Mathematics"),
        ("Attention Is All You Need", "Is All You Need"),
        (
            "Denoising Diffusion Probabilistic Models",
            "Improved Denoising Diffusion Probabilistic Models",
        ),
        ("BERT: Pre-training of Deep Bidirectional Transformers", "BERT: A Review"),
        ("", "A Title"),
        ("扩散模型", "语言模型"),
    ],
)
def test_titles_of_different_papers_are_not_alike(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


def test_no_two_well_known_papers_are_taken_for_each_other() -> None:
    pairs = [
        (a.title, b.title) for a, b in combinations(corpus()[::2], 2) if alike(a.title, b.title)
    ]
    assert pairs == []
