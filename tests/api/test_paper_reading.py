"""``aisci check paper --model``: a model over HTTP reads a paper beside its results, and its doubts are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.api.paper_reading import ReadingRequest, read_paper
from orchestrator.console.paper_reading import print_paper_reading
from orchestrator.core.errors import BudgetSpent, UserError
from orchestrator.research.loopback.answers import ChatBody, Fail, ServerAnswer
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.prompts import data_blocks
from tests.api.test_check_paper import foreign

TRUE = "The loss falls from 0.5 to 0.25."
FALSE = "The weights are trained with Nesterov momentum."
VAGUE = "The second program stops half as early."


def reader(body: ChatBody) -> ServerAnswer:
    """A reader that doubts one sentence."""
    rows = data_blocks(str(body["messages"][-1]["content"]))["sentences"]
    wrong = [row["number"] for found in rows.values() for row in found if FALSE in row["text"]]
    doubts = [{"number": n, "why": "the code has\x1b[31m no optimiser"} for n in wrong]
    return f"```json\n{json.dumps({'doubts': doubts})}\n```"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    made = ModelServer(reader, tmp_path / "requests.jsonl")
    with made.running():
        monkeypatch.setenv("OPENAI_API_BASE", made.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        yield made


def request(tmp_path: Path, text: str, max_usd: float | None = None) -> ReadingRequest:
    folder = tmp_path / "theirs"
    if not folder.exists():
        foreign(folder, text)
    return ReadingRequest(
        paper=folder,
        model="openai/reader",
        price="1,4",
        max_usd=max_usd,
        results=tmp_path / "results",
    )


def printed(tmp_path: Path, text: str, *, as_json: bool) -> int:
    one = request(tmp_path, text)
    return print_paper_reading(one.paper, one.model, one.results, price=one.price, as_json=as_json)


def test_a_sentence_that_prints_no_number_is_doubted_by_what_the_code_says(
    tmp_path: Path, server: ModelServer
) -> None:
    done = read_paper(request(tmp_path, f"{TRUE} {FALSE}"))
    assert [(one.text, why) for one, why in done.doubted] == [
        (FALSE, "the code has\x1b[31m no optimiser")
    ]
    assert done.check.wrong == ()
    assert not done.holds
    asked = str(server.requests()[0]["body"]["messages"][-1]["content"])
    assert "DECAY = 0.1" in asked
    assert "+DECAY = 0.2" in asked
    assert '"baseline"' in asked


def test_a_typed_number_that_the_program_cannot_trace_is_settled_by_the_reader(
    tmp_path: Path, server: ModelServer
) -> None:
    done = read_paper(request(tmp_path, "The loss is lower by 61\\%."))
    assert len(done.check.wrong) == 1
    assert (done.doubted, done.settled, done.holds) == ((), 1, True)
    assert len(server.requests()) == 1


def test_a_paper_whose_results_were_not_all_read_does_not_hold(
    tmp_path: Path, server: ModelServer
) -> None:
    asked = request(tmp_path, TRUE)
    assert read_paper(asked).holds
    (tmp_path / "theirs/run_2").symlink_to("run_1")
    done = read_paper(asked)
    assert (done.doubted, done.holds) == ((), False)
    assert len(server.requests()) == 1


def test_reading_again_asks_nobody_and_a_changed_paper_does(
    tmp_path: Path, server: ModelServer
) -> None:
    first = read_paper(request(tmp_path, f"{TRUE} {FALSE}"))
    again = read_paper(request(tmp_path, ""))
    assert (again.read, again.usage, again.folder) == (first.read, first.usage, first.folder)
    assert len(server.requests()) == 1
    paper = tmp_path / "theirs/latex/template.tex"
    paper.write_text(paper.read_text().replace(FALSE, VAGUE))
    assert read_paper(request(tmp_path, "")).doubted == ()
    assert len(server.requests()) == 2


def test_the_budget_holds_before_anything_is_asked(tmp_path: Path, server: ModelServer) -> None:
    with pytest.raises(BudgetSpent):
        read_paper(request(tmp_path, TRUE, max_usd=0.000001))
    assert server.requests() == []


def test_the_sweep_reads_no_paper(tmp_path: Path) -> None:
    foreign(tmp_path / "theirs", TRUE)
    with pytest.raises(UserError, match="cannot read a paper"):
        read_paper(ReadingRequest(paper=tmp_path / "theirs", model="builtin/sweep"))


def test_the_screen_and_the_json_tell_doubts_without_their_control_characters(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(tmp_path, f"{TRUE} {FALSE}", as_json=False) == 1
    shown = capsys.readouterr()
    assert "\x1b[31m" not in shown.out
    assert "no optimiser" in shown.out
    assert "it doubts: 1" in shown.out
    assert printed(tmp_path, "", as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["sentence"] for one in told["doubts"]] == [FALSE]
    assert (told["model"], told["holds"], told["settled"]) == ("openai/reader", False, 0)
    assert server.requests()


def test_a_wait_for_a_busy_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [Fail(429, headers=(("retry-after", "1"),))]

    def answers(body: ChatBody) -> ServerAnswer:
        return busy.pop() if busy else reader(body)

    told: list[str] = []
    with ModelServer(answers).running() as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        read_paper(request(tmp_path, TRUE), told.append)
    assert told[0] == "openai/reader reads 2 sentences"
    assert [line for line in told[1:] if "429" in line or "waiting" in line]
