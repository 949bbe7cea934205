"""What a run says at its end: what was left out, what to do; and that no more runs are wanted is no failure."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from orchestrator.api.outcomes import IdeaOutcome, RunOutcome
from orchestrator.api.run_state import RunState
from orchestrator.console import run
from orchestrator.console.log_lines import LogLines
from orchestrator.console.options import View
from orchestrator.core.deadline import MORE_MONEY
from orchestrator.core.decode import encode
from orchestrator.core.edit import Edit
from orchestrator.core.research import Failure
from orchestrator.core.tree import Tree
from orchestrator.record.events import Answered, Body

PEOPLE = View(quiet=False, as_json=False)


def idea(folder: Path, **more: object) -> IdeaOutcome:
    known = {"name": "one", "id": "ab", "status": "finished", "failure": None, "paper": None}
    return IdeaOutcome(folder=folder / "one_ab", **(known | more))  # type: ignore[arg-type]


def said(folder: Path, one: IdeaOutcome, capsys: pytest.CaptureFixture[str]) -> str:
    outcome = RunOutcome(folder=folder, report=folder / "report.html", ideas=(one,))
    run._show(outcome, PEOPLE)
    return capsys.readouterr().out


def test_what_was_left_out_is_named_with_the_command_that_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(tmp_path, idea(tmp_path, left_out="paper"), capsys)
    assert f"left out: the paper; later: aisci writeup {tmp_path}/one_ab" in text
    text = said(tmp_path, idea(tmp_path, left_out="review"), capsys)
    assert f"left out: the review; later: aisci review {tmp_path}/one_ab" in text
    assert "left out" not in said(tmp_path, idea(tmp_path), capsys)


def test_an_idea_whose_budget_is_used_up_is_told_how_to_raise_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure(stage="plots", error="BudgetSpent", what="spent", todo=MORE_MONEY)
    text = said(tmp_path, idea(tmp_path, status="failed", failure=failure), capsys)
    assert "do:       raise it: `aisci resume RUN --max-usd N`" in text


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("ALL_COMPLETED", "no more runs are wanted"),
        ("Let me think.", "no edit after 1.7 s: no block"),
    ],
)
def test_that_no_more_runs_are_wanted_is_no_failed_edit(reply: str, line: str) -> None:
    edit = Edit(files=Tree(), changed=(), reply=reply, why_not="no block")
    page = io.StringIO()
    state = RunState(lambda body: body.inline, lambda: 0.0)
    tell = LogLines(state, lambda body: body.inline, "", page)
    tell(
        Answered(
            port="editor", scope="idea/ab/experiments/run_3/attempt_1", ord=0, request="", seconds=1.7,
            body=Body(inline=encode(Edit, edit)), n=0, prev="", at="2026-01-01T10:00:00+00:00",
        )
    )  # fmt: skip
    assert line in page.getvalue()
