"""The description of a run is found however a model marks its line."""

from __future__ import annotations

import pytest

from orchestrator.research.looking.run_line import MOST_DESCRIBED, described
from tests.contracts.editor import block


@pytest.mark.parametrize(
    "line",
    [
        "RUN: half the step",
        "**RUN:** half the step",
        "**RUN**: half the step",
        "**RUN: half the step**",
        "Run: half the step",
        "RUN 1: half the step",
        "**Run 12:** half the step",
        "   RUN:   half the step  ",
        "- `RUN:` half the step",
        "> ### RUN : half the step\r",
        "RUN:\n\nRUN: half the step",
    ],
)
def test_a_marked_line_is_read_without_its_marks(line: str) -> None:
    reply = f"I halve it.\n\n{line}\n" + block("experiment.py", "x = 1\n", "x = 2\n")
    assert described(reply) == "half the step"


def test_marks_inside_a_description_stay() -> None:
    assert described("**RUN:** `lr` is **halved**, not `wd`") == "`lr` is **halved**, not `wd`"
    assert described("RUN: no `wd`") == "no `wd`"
    assert described("RUN: lr is **halved**") == "lr is **halved**"


def test_the_first_line_of_all_replies_describes_the_run() -> None:
    assert described("RUN: first\n\nA repair.\n\nRUN: second") == "first"


def test_prose_gives_way_to_the_line_that_was_asked_for() -> None:
    assert described("Run: it as before.\nRUN: half the step") == "half the step"


def test_a_long_description_is_cut_and_not_dropped() -> None:
    found = described("RUN: " + "word " * 100)
    assert len(found) <= MOST_DESCRIBED
    assert found.startswith("word word")
    assert found.endswith("…")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "The run: it is good.",
        "RUN:",
        "RUN:\nthe next line is another one",
        "run: int = 3",
        "RUNNING: fast",
        block("experiment.py", "x = 1\n", "RUN: str = 'x'\n"),
        "<<<<<<< SEARCH\nRUN: cut off",
    ],
)
def test_without_such_a_line_there_is_no_description(reply: str) -> None:
    assert described(reply) == ""


def test_a_large_reply_is_read_at_once() -> None:
    assert described("RUN" + " " * 30_000 + "*_`" * 10_000) == ""
