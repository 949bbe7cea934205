"""A reader who did not write the paper: what it sees, and what comes of its doubts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.model import Ask, role_of
from orchestrator.record.paper_notes import SentencesDoubted
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.writeup import write_sections
from tests.support import paper_rig as rig

WRONG = "The weights were trained with Nesterov momentum."
RIGHT = "The weights were trained with AdamW."


def fenced(value: object) -> str:
    return f"```json\n{json.dumps(value)}\n```"


def numbers_of(ask: Ask, text: str) -> list[int]:
    """The numbers of the rows that hold ``text``."""
    rows = data_blocks(ask.messages[-1].content)["sentences"]
    return [row["number"] for found in rows.values() for row in found if text in row["text"]]


def written(
    folder: Path, answer: Callable[[Ask], str], asked: list[Ask] | None = None
) -> tuple[Study, Ports]:
    """A paper whose method holds a wrong sentence, which its reader finds; ``answer`` is its author's."""

    def change(ask: Ask, text: str) -> str:
        if asked is not None:
            asked.append(ask)
        if ask.purpose == "writeup.method":
            return f"{text}\n\n{WRONG}"
        if ask.purpose == "doubt.read":
            doubts = [{"number": n, "why": "the code uses AdamW"} for n in numbers_of(ask, WRONG)]
            return fenced({"doubts": doubts})
        return answer(ask) if ask.purpose == "writeup.doubted" else text

    here = rig.ports(folder, model=rig.Writer(change))
    return write_sections(rig.study(here.blobs), here.within("writeup")), here


def corrected(text: str) -> Callable[[Ask], str]:
    return lambda _ask: fenced({"corrections": [{"sentence": "S1", "text": text}]})


def noted(here: Ports) -> list[tuple[str, bool]]:
    (note,) = here.journal.notes(SentencesDoubted, below="idea")
    return [(one.why, one.kept) for one in note.doubts]


def test_a_doubted_sentence_is_corrected_and_the_record_says_so(tmp_path: Path) -> None:
    study, here = written(tmp_path, corrected(RIGHT))
    method = dict(study.sections)["method"]
    assert WRONG not in method
    assert RIGHT in method
    assert noted(here) == [("the code uses AdamW", False)]


def test_an_author_may_keep_a_sentence_and_the_record_says_that_too(tmp_path: Path) -> None:
    study, here = written(tmp_path, lambda _ask: fenced({"corrections": []}))
    assert WRONG in dict(study.sections)["method"]
    assert noted(here) == [("the code uses AdamW", True)]


def test_nobody_is_asked_to_answer_and_nothing_is_noted_where_nothing_is_doubted(
    tmp_path: Path,
) -> None:
    model = rig.Writer(lambda _ask, text: text)
    here = rig.ports(tmp_path, model=model)
    write_sections(rig.study(here.blobs), here.within("writeup"))
    assert [ask.purpose for ask in model.asked].count("doubt.read") == 1
    assert "writeup.doubted" not in {ask.purpose for ask in model.asked}
    assert here.journal.notes(SentencesDoubted, below="idea") == []


def test_a_reader_has_the_facts_and_the_code_and_every_sentence_with_its_numbers_but_not_the_conversation(
    tmp_path: Path,
) -> None:
    asked: list[Ask] = []
    study, _ = written(tmp_path, corrected(RIGHT), asked)
    (read,) = (ask for ask in asked if ask.purpose == "doubt.read")
    assert role_of(read.purpose) == "reviewing"
    assert [one.role for one in read.messages] == ["user", "user"]
    begun = asked[[ask.purpose for ask in asked].index("writeup.setup")]
    assert read.messages[0] == begun.messages[0], "a vendor's cache has it"
    text = "\n".join(one.content for one in read.messages)
    blocks = data_blocks(text)
    rows = blocks["sentences"]
    assert set(rows) == {name for name, _ in study.sections} - {"title"}
    numbers = [row["number"] for found in rows.values() for row in found]
    assert numbers == list(range(1, len(numbers) + 1))
    texts = " ".join(row["text"] for found in rows.values() for row in found)
    assert "⟦" in texts
    assert "\\mean{" not in texts
    assert {"results", "comparisons", "runs"} <= set(blocks)
    assert "experiment.py" in text
    assert "reference list" not in text, "the rules of a paper are its author's"


def test_a_doubt_about_a_row_that_is_not_there_is_dropped(tmp_path: Path) -> None:
    def change(ask: Ask, text: str) -> str:
        doubts = fenced({"doubts": [{"number": 2999, "why": "it is not there"}]})
        return doubts if ask.purpose == "doubt.read" else text

    here = rig.ports(tmp_path, model=rig.Writer(change))
    write_sections(rig.study(here.blobs), here.within("writeup"))
    assert here.journal.notes(SentencesDoubted, below="idea") == []


def test_a_correction_that_breaks_a_rule_is_not_used_and_the_sentence_counts_as_kept(
    tmp_path: Path,
) -> None:
    study, here = written(tmp_path, corrected(r"\section{New} \citep{nobody2020}"))
    assert WRONG in dict(study.sections)["method"]
    assert noted(here) == [("the code uses AdamW", True)]
