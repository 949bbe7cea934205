"""The second pass: one request for the whole paper, which changes the sections that it names and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import WrongFormat
from orchestrator.record.ports import Ports
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.refining import refined
from orchestrator.research.stages.writeup import write_sections
from tests.support import paper_rig as rig

METHOD = "It changes one constant and leaves all others as they are. " * 9


def second_pass(folder: Path, *replies: str) -> tuple[Study, Study, tuple[str, ...], rig.Writer]:
    """A paper before and after its second pass, what was changed, and the author."""
    left = list(replies)
    author = rig.Writer(lambda ask, text: left.pop(0) if ask.purpose == "writeup.refine" else text)
    here: Ports = rig.ports(folder, model=author)
    before = write_sections(rig.study(here.blobs), here.within("writeup"))
    after, changed = refined(before, here.within("refine"))
    assert left == []
    return before, after, changed, author


def test_a_section_that_is_named_is_written_again_and_the_others_stay(tmp_path: Path) -> None:
    reply = (
        f"I read all of it.\n\n%% SECTION method\n\n{METHOD}\n\n%% SECTION title\n\nAnother Title"
    )
    before, after, changed, _ = second_pass(tmp_path, reply)
    assert changed == ("method", "title")
    assert dict(after.sections) == dict(before.sections) | {
        "method": METHOD.strip(),
        "title": "Another Title",
    }
    assert [name for name, _ in after.sections] == [name for name, _ in before.sections]


def test_keep_changes_nothing(tmp_path: Path) -> None:
    before, after, changed, _ = second_pass(tmp_path, "`KEEP`.")
    assert (after.sections, changed) == (before.sections, ())
    assert after.said[-1].content == "KEEP"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (METHOD, "no line '%% SECTION name' begins a section"),
        (f"%% SECTION appendix\n\n{METHOD}", "no section is named 'appendix'"),
        (
            f"%% SECTION method\n\n{METHOD} \\citep{{ghost2024}}",
            "method: \\cite asks for 'ghost2024'",
        ),
        ("%% SECTION method\n\nShort.", "method: the section says next to nothing"),
        (f"%% SECTION results\n\n{METHOD}", "results: the line 'RESULTS TABLE HERE' must stand 1"),
    ],
)
def test_a_rule_that_is_broken_is_told_and_the_whole_answer_asked_for_again(
    tmp_path: Path, reply: str, why: str
) -> None:
    *_, changed, author = second_pass(tmp_path, reply, f"%% SECTION method\n\n{METHOD}")
    assert changed == ("method",)
    told = author.asked[-1].messages[-1].content
    assert why in told
    assert "whole text again" in told


def test_an_answer_that_stays_unusable_leaves_the_stage(tmp_path: Path) -> None:
    with pytest.raises(WrongFormat, match="refined sections"):
        second_pass(tmp_path, *["Nothing of use."] * 3)


def test_a_section_that_was_corrected_since_is_shown_as_it_stands(tmp_path: Path) -> None:
    author = rig.Writer(lambda ask, text: "KEEP" if ask.purpose == "writeup.refine" else text)
    here = rig.ports(tmp_path, model=author)
    study = write_sections(rig.study(here.blobs), here.within("writeup"))
    rows = tuple((n, "A corrected text." if n == "method" else t) for n, t in study.sections)
    refined(replace(study, sections=rows), here.within("refine"))
    task = author.asked[-1].messages[-1].content
    assert "A corrected text." in task
    assert dict(study.sections)["results"] not in task
    assert '"results": "' in task
