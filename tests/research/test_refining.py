"""The second look: one request for the whole paper, which changes the passages and sections that it names and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import WrongFormat
from orchestrator.record.ports import Ports
from orchestrator.research.paper.word_count import prose_words
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.refining import corrected_sections, refined
from orchestrator.research.stages.writeup import write_sections
from orchestrator.research.sweep.wording import json_reply
from tests.support import paper_rig as rig

METHOD = "It changes one constant and leaves all others as they are. " * 9 + "How, the code tells."


AGAIN = METHOD.replace("changes", "varies")
PASSAGE = {"section": "Method", "old": "one constant", "new": "a single constant"}
NOTHING = json_reply({"corrections": []})


def second_look(folder: Path, *replies: str) -> tuple[Study, Study, tuple[str, ...], rig.Writer]:
    """A paper before and after its author's second look, what changed, and the author."""
    left = list[str]()
    author = rig.Writer(lambda _, text: left.pop(0) if left else text)
    here: Ports = rig.ports(folder, model=author)
    before = write_sections(rig.study(here.blobs), here.within("writeup"))
    texts = tuple((name, METHOD if name == "method" else text) for name, text in before.sections)
    before = replace(before, sections=texts)
    left += replies
    after, changed = refined(before, here.within("again"))
    assert left == []
    return before, after, changed, author


def test_a_section_that_is_named_is_written_again_and_the_others_stay(tmp_path: Path) -> None:
    reply = (
        f"I read all of it.\n\n%% SECTION method\n\n{AGAIN}\n\n%% SECTION title\n\nAnother Title"
    )
    before, after, changed, _ = second_look(tmp_path, reply)
    assert changed == ("method", "title")
    assert dict(after.sections) == dict(before.sections) | {
        "method": AGAIN.strip(),
        "title": "Another Title",
    }
    assert [name for name, _ in after.sections] == [name for name, _ in before.sections]


def test_an_empty_list_alone_changes_nothing(tmp_path: Path) -> None:
    before, after, changed, author = second_look(tmp_path, NOTHING)
    assert (after.sections, changed) == (before.sections, ())
    assert [*author.asked[-1].messages, after.said[-1]] == list(after.said)


def test_a_passage_that_is_named_changes_and_nothing_else(tmp_path: Path) -> None:
    passage = PASSAGE | {"old": "How, the", "new": "The"}
    before, after, changed, _ = second_look(tmp_path, json_reply({"corrections": [passage]}))
    assert changed == ("method",)
    want = METHOD.replace("How, the", "The")
    assert dict(after.sections) == dict(before.sections) | {"method": want}


def test_passages_and_whole_sections_come_in_one_answer(tmp_path: Path) -> None:
    again = METHOD.replace("one constant", "two constants", 1)
    passage = PASSAGE | {"old": "two constants", "new": "a single constant"}
    reply = f"{json_reply({'corrections': [passage]})}\n\n%% SECTION method\n\n{again}\n\n%% SECTION title\n\nAnother Title"
    before, after, changed, _ = second_look(tmp_path, reply)
    assert changed == ("method", "title")
    assert dict(after.sections) == dict(before.sections) | {
        "method": METHOD.replace("one constant", "a single constant", 1).strip(),
        "title": "Another Title",
    }
    assert "a single constant" in corrected_sections(after), "a later request shows it as it stands"


def test_a_passage_that_cannot_be_used_is_recorded_and_leaves_its_section(tmp_path: Path) -> None:
    """One that stands nine times, one that takes a table away, one of a section that is none."""
    wrong = [
        PASSAGE,
        {"section": "results", "old": "RESULTS TABLE HERE", "new": ""},
        {"section": "appendix", "old": "a", "new": "b"},
    ]
    before, after, changed, _ = second_look(tmp_path, json_reply({"corrections": wrong}))
    assert (after.sections, changed) == (before.sections, ())
    recorded = (tmp_path / "journal.jsonl").read_text()
    for why in ("stands 9 times", "must stand 1 times", "stands 0 times in section 'appendix'"):
        assert why in recorded


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (AGAIN, "it holds no JSON object that has an end"),
        (
            f"{NOTHING}\n\n%% SECTION method\n\n\\section{{Method}} {AGAIN}",
            "method: leave out",
        ),
        (
            f"%% SECTION method\n\n{AGAIN}\n\n{NOTHING}",
            "the object with `corrections` stands before the first section",
        ),
        (f"%% SECTION appendix\n\n{AGAIN}", "no section is named 'appendix'"),
        (
            f"%% SECTION method\n\n{AGAIN} \\citep{{ghost2024}}",
            "method: \\cite asks for 'ghost2024'",
        ),
        ("%% SECTION method\n\nShort.", "method: the section says next to nothing"),
        (f"%% SECTION results\n\n{AGAIN}", "results: the line 'RESULTS TABLE HERE' must stand 1"),
    ],
)
def test_a_rule_that_is_broken_is_told_and_the_whole_answer_asked_for_again(
    tmp_path: Path, reply: str, why: str
) -> None:
    *_, changed, author = second_look(tmp_path, reply, f"%% SECTION method\n\n{AGAIN}")
    assert changed == ("method",)
    told = author.asked[-1].messages[-1].content
    assert why in told
    assert "whole text again" in told


def test_an_answer_that_stays_unusable_leaves_the_stage(tmp_path: Path) -> None:
    with pytest.raises(WrongFormat, match="requested format"):
        second_look(tmp_path, *["Nothing of use."] * 3)


def test_the_request_shows_figures_lengths_and_what_was_corrected_since(tmp_path: Path) -> None:
    before, *_, author = second_look(tmp_path, NOTHING)
    asked = author.asked[-1]
    task = asked.messages[-1].content
    assert asked.purpose == "writeup.read"
    assert METHOD.strip() in task
    assert dict(before.sections)["results"] not in task
    lengths = data_blocks(task)["lengths"]
    words = prose_words(dict(before.sections)["method"])
    assert lengths["method"].endswith(f" words, now {words}")
    assert [*lengths][:3] == ["title", "abstract", "introduction"], "as the paper prints them"
    assert all(f'"{one.name}"' in task for one in before.pictures)
