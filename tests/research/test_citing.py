"""Citations: chosen with a reason, placed against the draft, checked, kept with the paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.literature import (
    CheckedReference,
    EngineAnswer,
    Found,
    PaperRef,
    Query,
    References,
)
from orchestrator.core.model import Ask
from orchestrator.literature.sources import Sources
from orchestrator.record.literature_notes import CitationsChosen, ReferencesChecked
from orchestrator.record.paths import CITATIONS
from orchestrator.record.ports import Ports
from orchestrator.research.paper.placing import with_citation, with_sentence
from orchestrator.research.paper.references import cited, references
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import paper_source
from orchestrator.research.stages.sections import PRINT_ORDER
from orchestrator.research.stages.writeup import write_sections
from tests.support import paper_rig as rig

ANSWERED = (EngineAnswer(engine="openalex", calls=1),)
CLOCK = PaperRef(
    key="zhong2023clock", title="The Clock & the Pizza: 50% of $x_1$", authors=("Ziqian Zhong", "Łukasz Ó"),
    year=2023, venue="Advances in Neural Information Processing Systems", doi="10.1000/clock_1",
    abstract="Two algorithms for modular addition are told apart.", source="openalex",
)  # fmt: skip
NO_YEAR = replace(CLOCK, key="nobody", title="Of No Year", year=None, doi="10.1000/none")


class Scripted:
    """A literature port that finds these papers and says this of references."""

    def __init__(self, *papers: PaperRef, state: str = "agrees") -> None:
        self.papers, self.state, self.queries = papers, state, list[str]()

    def search(self, query: Query, within: Deadline = FOREVER) -> Found:  # noqa: ARG002 - the port's
        self.queries.append(query.text)
        return Found(papers=self.papers, engines=ANSWERED)

    def check(
        self,
        references: References,
        within: Deadline = FOREVER,  # noqa: ARG002 - the port's
    ) -> tuple[CheckedReference, ...]:
        return tuple(
            CheckedReference(key=one.key, state="differs", by="crossref", why="its year is 1999")
            if one.key == CLOCK.key
            else CheckedReference(key=one.key, state="agrees", by="crossref")
            for one in references.references
        )


def fenced(value: object) -> str:
    return f"```json\n{json.dumps(value)}\n```"


def written(
    folder: Path, change: Callable[[Ask, str], str], source: Scripted
) -> tuple[Study, Ports, rig.Writer]:
    model = rig.Writer(change)
    here = rig.ports(folder, model=model, literature=source)
    return write_sections(rig.study(here.blobs), here), here, model


def rounds(*answers: object) -> Callable[[Ask, str], str]:
    """An author that answers the rounds against the draft so, and all else as the sweep does."""
    left = list(answers)

    def change(ask: Ask, text: str) -> str:
        return fenced(left.pop(0)) if ask.purpose == "cite.draft" else text

    return change


def placed(section: str, after: str, **more: str) -> dict[str, str]:
    return {"key": CLOCK.key, "section": section, "after": after, "why": "its task", **more}


MEANS = "Means and standard errors are taken over the seeds of the template"


def test_papers_are_chosen_with_a_reason_before_a_word_is_written(tmp_path: Path) -> None:
    def change(ask: Ask, text: str) -> str:
        if ask.purpose != "cite.pick":
            return text
        rows = [{"key": CLOCK.key, "why": "the task"}, {"key": "made2024up", "why": "none"}]
        return fenced({"citations": rows})

    study, here, model = written(tmp_path, change, Scripted(CLOCK, NO_YEAR))
    (pick,) = (ask for ask in model.asked if ask.purpose == "cite.pick")
    shown = data_blocks(pick.messages[-1].content)["papers"]
    assert [one["key"] for one in shown] == [CLOCK.key], "what cannot be cited is not offered"
    assert shown[0]["abstract"] == CLOCK.abstract
    (note,) = here.journal.notes(CitationsChosen, below="idea")
    assert [(one.paper.key, one.why) for one in note.citations] == [(CLOCK.key, "the task")]
    assert note.refused == ("made2024up was not found",)
    facts = data_blocks(study.said[1].content)["citations"]
    (fact,) = (one for one in facts if one["key"] == CLOCK.key)
    assert (fact["abstract"], fact["why"]) == (CLOCK.abstract, "the task")


def test_a_citation_is_placed_in_the_draft_and_its_reason_kept_beside_the_paper(
    tmp_path: Path,
) -> None:
    change = rounds(
        {"searches": ["modular addition"], "cites": [], "done": False},
        {"searches": [], "cites": [placed("setup", MEANS)], "done": False},
        {"searches": [], "cites": [], "done": False},
    )
    source = Scripted(CLOCK)
    pick_none = lambda ask, text: (  # noqa: E731 - a local short form
        fenced({"citations": []}) if ask.purpose == "cite.pick" else change(ask, text)
    )
    study, here, model = written(tmp_path, pick_none, source)
    assert rf"{MEANS}~\citep{{{CLOCK.key}}}." in dict(study.sections)["setup"]
    asked = [ask for ask in model.asked if ask.purpose == "cite.draft"]
    assert len(asked) == 3, "a round without a wish is the last"
    assert data_blocks(asked[1].messages[-1].content)["papers"][0]["key"] == CLOCK.key
    tex = paper_source(study, here)
    (entry,) = (one for one in references(tex) if one.key == CLOCK.key)
    assert r"The Clock \& the Pizza: 50\% of \$x\_1\$" in entry.text
    assert r"{\L}ukasz {\'{O}}" in entry.text
    assert entry.text.isascii()
    assert set(cited(tex)) <= {one.key for one in references(tex)}, "every cited key exists"
    kept = json.loads(here.text(study.tree.as_dict()[CITATIONS]))
    rows = {row["reference"]["key"]: row for row in kept}
    row = rows[CLOCK.key]
    assert (row["reference"]["id"], row["source"]) == ("doi:10.1000/clock_1", "openalex")
    assert row["reasons"] == [{"why": "its task", "section": "setup", "query": "modular addition"}]
    assert (row["checked"]["state"], row["checked"]["why"]) == ("differs", "its year is 1999")
    (checked,) = here.journal.notes(ReferencesChecked, below="idea")
    assert {one.key for one in checked.references} == set(rows)


@pytest.mark.parametrize(
    ("cite", "why"),
    [
        (placed("setup", "words that do not stand there"), "stand 0 times"),
        (placed("setup", MEANS, key="made2024up"), "was not found"),
        (placed("abstract", "the"), "takes citations"),
        (placed("nowhere", MEANS), "takes citations"),
        (placed("setup", "RUNS TABLE HERE"), "RUNS TABLE"),
    ],
)
def test_a_citation_that_fits_nowhere_is_refused_and_its_author_told(
    cite: dict[str, str], why: str, tmp_path: Path
) -> None:
    change = rounds({"cites": [cite]}, {"done": True})
    study, here, model = written(tmp_path, change, Scripted(CLOCK))
    plain, _, _ = written(tmp_path / "plain", rounds({"done": True}), Scripted(CLOCK))
    if why != "RUNS TABLE":  # a citation behind the marker of a table is no harm
        assert study.sections == plain.sections, "nothing changed"
        second = [ask for ask in model.asked if ask.purpose == "cite.draft"][1]
        (told,) = data_blocks(second.messages[-1].content)["round"]["not_placed"]
        assert why in told
        assert here.journal.notes(CitationsChosen, below="idea")[-1].refused == (told,)


def test_the_draft_stands_in_the_order_of_print_and_the_choice_is_among_what_was_found(
    tmp_path: Path,
) -> None:
    _, _, model = written(tmp_path, rounds({"done": True}), Scripted(CLOCK))
    (draft,) = (ask for ask in model.asked if ask.purpose == "cite.draft")
    sections = [*data_blocks(draft.messages[-1].content)["sections"]]
    assert sections == [name for name in PRINT_ORDER if name in sections]
    assert sections[:2] == ["introduction", "related"]
    (pick,) = (ask for ask in model.asked if ask.purpose == "cite.pick")
    assert "At most 1. " in pick.messages[-1].content
    many = [replace(CLOCK, key=f"k{n}", title=f"T{n}", doi=f"10.1/{n}") for n in range(25)]
    _, _, model = written(tmp_path / "many", rounds({"done": True}), Scripted(*many))
    (pick,) = (ask for ask in model.asked if ask.purpose == "cite.pick")
    assert "At most 25, 10 to 20 as a rule. " in pick.messages[-1].content


def test_rounds_end_early_and_at_their_limit(tmp_path: Path) -> None:
    again = {"searches": ["more"], "cites": [], "done": False}
    _, _, model = written(tmp_path, lambda ask, text: (
        fenced(again) if ask.purpose == "cite.draft" else text), Scripted(CLOCK))  # fmt: skip
    asked = [ask for ask in model.asked if ask.purpose == "cite.draft"]
    assert len(asked) == 8, "a small study's paper has fewer rounds than a large one's"
    assert "This is the last round." in asked[-1].messages[-1].content


def test_without_any_engine_references_are_said_to_be_unchecked(tmp_path: Path) -> None:
    here = rig.ports(tmp_path, literature=Sources([("template", rig.Shelf())]))
    study = write_sections(rig.study(here.blobs), here)
    rows = json.loads(here.text(study.tree.as_dict()[CITATIONS]))
    assert rows
    assert {row["checked"]["state"] for row in rows} == {"not checked"}


@pytest.mark.parametrize(
    ("text", "after", "becomes"),
    [
        ("It was seen before. Then", "seen before.", r"It was seen before~\citep{k}. Then"),
        (r"Seen~\citep{a}. Then", "Seen", r"Seen~\citep{a,k}. Then"),
        (r"Seen \citep{a, b}.", "Seen", r"Seen \citep{a, b,k}."),
        (r"As \citet{a} says, it is", "says,", r"As \citet{a} says~\citep{k}, it is"),
        (r"Set $x$ to one.", "Set $x$", r"Set $x$~\citep{k} to one."),
        ("last words", "last words", r"last words~\citep{k}"),
    ],
)
def test_a_citation_stands_before_the_stop_and_joins_one_that_is_there(
    text: str, after: str, becomes: str
) -> None:
    assert with_citation(text, after, "k") == becomes


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("one one", "one"),
        ("text", "other"),
        ("", "x"),
        (r"see \citep{known2020} there", r"\citep{known"),
        (r"the \emph{word of it} there", "word of"),
        (r"the \textbf here", r"\text"),
        (r"so $a + b$ is", "$a +"),
        (r"Seen~\citep{k}.", "Seen"),
        (r"by \val{run}{data}{metric} there", "{data}"),
    ],
)
def test_words_that_no_citation_can_follow_are_refused(text: str, after: str) -> None:
    with pytest.raises(ValueError, match=r"stand|end inside|already"):
        with_citation(text, after, "k")


@pytest.mark.parametrize(
    ("text", "after", "becomes"),
    [
        ("One is so. Two is so.", "One is", "One is so. NEW Two is so."),
        ("One is so.", "One is so.", "One is so. NEW"),
        ("It is 0.5 and so. Next.", "It is", "It is 0.5 and so. NEW Next."),
        ("One ends here\n\nNext paragraph.", "ends", "One ends here NEW\n\nNext paragraph."),
        ("no stop", "no stop", "no stop NEW"),
    ],
)
def test_a_new_sentence_stands_after_the_one_with_the_words(
    text: str, after: str, becomes: str
) -> None:
    new = r"\citet{key} saw it."
    assert with_sentence(text, after, new, "key") == becomes.replace("NEW", new)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("It says nothing.", "does not cite"),
        (r"\citep{other} said it.", "does not cite"),
        ("\\citep{key} said.\n\nAnother paragraph.", "one sentence"),
        (r"\citep{key} said. \begin{figure}", "one sentence"),
    ],
)
def test_a_sentence_that_does_not_cite_or_is_more_than_one_is_refused(
    sentence: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        with_sentence("Some text.", "Some text", sentence, "key")


def test_a_sentence_of_its_own_goes_into_the_draft(tmp_path: Path) -> None:
    new = rf"\citet{{{CLOCK.key}}} tell two algorithms apart."
    cite = placed("setup", MEANS, sentence=new)
    study, _, _ = written(tmp_path, rounds({"cites": [cite]}, {"done": True}), Scripted(CLOCK))
    assert f"{MEANS}. {new}" in dict(study.sections)["setup"]


def test_a_paper_never_gets_the_key_of_another_that_the_template_lists(tmp_path: Path) -> None:
    """Both would be made by the same rule: family name, year, first word."""
    other = replace(CLOCK, key="power2022grokking", title="Grokking of Something Else", year=2022)

    def change(ask: Ask, text: str) -> str:
        rows = [{"key": other.key, "why": "the other one"}]
        return fenced({"citations": rows}) if ask.purpose == "cite.pick" else text

    study, _, _ = written(tmp_path, change, Scripted(other))
    facts = {one["key"]: one for one in data_blocks(study.said[1].content)["citations"]}
    assert "Beyond Overfitting" in facts["power2022grokking"]["title"]
    assert "why" not in facts["power2022grokking"]
    assert facts["power2022grokkinga"]["title"] == other.title
    assert facts["power2022grokkinga"]["why"] == "the other one"


def test_a_paper_that_the_template_lists_under_another_key_is_cited_under_that_one(
    tmp_path: Path,
) -> None:
    known = "Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets"
    same = replace(CLOCK, key="power2021grokking", title=known, year=2022)
    cite = placed("setup", MEANS, key="power2022grokking")
    change = rounds({"searches": ["grokking"]}, {"cites": [cite]}, {"done": True})
    study, _, model = written(tmp_path, change, Scripted(same))
    asked = [ask for ask in model.asked if ask.purpose == "cite.draft"]
    assert len(asked) == 3
    assert rf"{MEANS}~\citep{{power2022grokking}}." in dict(study.sections)["setup"]
    assert [one.paper.key for one in study.citations][-1] == "power2022grokking"
