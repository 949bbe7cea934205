"""The scripted model server: what it answers, its faults, its script, and its command."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import BadFile
from orchestrator.core.model import Ask, Message
from orchestrator.models.failures import RetryTiming
from orchestrator.models.litellm import open_model
from orchestrator.research.loopback.answers import Fail
from orchestrator.research.loopback.author import from_model, loopback_author
from orchestrator.research.loopback.script import server_script, with_faults
from orchestrator.research.loopback.server import ModelServer
from tests.support.places import ROOT

ASK = Ask(purpose="review.reflect", messages=(Message("user", "Look again."),))


def purposes() -> set[str]:
    """Every purpose that the program's code names."""
    named = r'(?:purpose=|_PURPOSE = |edit_files\(study, \w+, )"([a-z.]+)"|"((?:ideas|review)\.reflect)"'
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "orchestrator").rglob("*.py"))
    return {one or other for one, other in re.findall(named, code)}


def test_every_step_that_the_program_asks_has_an_answer() -> None:
    script = from_model(loopback_author())
    message = {"role": "user", "content": ""}
    said = {p: script({"purpose": p, "messages": [message]}) for p in (*purposes(), "wrong.step")}
    none = {
        p
        for p, one in said.items()
        if isinstance(one, Fail) and "no scripted reply expects" in one.message
    }
    assert none == {"wrong.step", "instruments.edit"}
    assert len(said) > 15


# --- the script ---------------------------------------------------------------------------


def scripted(folder: Path, text: str) -> ModelServer:
    path = folder / "script.yaml"
    path.write_text(text, "utf-8")
    own = server_script(path)
    return ModelServer(with_faults(from_model(loopback_author(own.answers)), own.faults))


def asked(server: ModelServer, ask: Ask = ASK, times: int = 1) -> tuple[list[str], list[float]]:
    """The replies to some requests through litellm, and the pauses before those that were repeated."""
    pauses: list[float] = []
    timing = RetryTiming(sleep=pauses.append, clock=lambda: 0.0, jitter=lambda: 0.0)
    with server.running():
        model = open_model("openai/x", environ={"OPENAI_API_BASE": server.url}, timing=timing)
        replies = [model.complete(ask, FOREVER) for _ in range(times)]
    return [f"{one.text} ({one.finish})" for one in replies], pauses


def test_own_answers_come_first_and_the_authors_after_them(tmp_path: Path) -> None:
    server = scripted(
        tmp_path,
        "answers:\n"
        "  - {purpose: review.form, text: never}\n"
        "  - {contains: elsewhere, text: never}\n"
        "  - {contains: again, text: mine, times: 2, finish: length}\n",
    )
    assert asked(server, times=3)[0] == ["mine (length)", "mine (length)", "DONE (stop)"]


def test_a_script_in_json_is_read_too(tmp_path: Path) -> None:
    text = 'a \\ "b"\n{c} é'
    server = scripted(tmp_path, json.dumps({"answers": [{"text": text}]}, indent=1))
    assert asked(server)[0] == [f"{text} (stop)"]


@pytest.mark.parametrize(
    ("fault", "pauses"),
    [
        ("{at: 2, status: 429, retry_after: 7}", [7.0]),
        ("{at: 1, status: 500, times: 2}", [1.0, 2.0]),
        ("{purpose: review.reflect, at: 3, drop: true}", [1.0]),
        ("{at: 1, raw: <html>}", [1.0]),
        ("{at: 2, hang: 0.1}", [1.0]),
        ("{purpose: plan.make, at: 1, status: 500}", []),
        ("{at: 4, status: 500}", []),
    ],
)
def test_a_fault_comes_at_its_request_and_the_answer_after_it(
    tmp_path: Path, fault: str, pauses: list[float]
) -> None:
    server = scripted(tmp_path, f"faults: [{fault}]")
    assert asked(server, times=3) == (["DONE (stop)"] * 3, pauses)
    assert len(server.requests()) == 3 + len(pauses)


def test_a_cut_answer_ends_at_its_limit(tmp_path: Path) -> None:
    server = scripted(tmp_path, "faults: [{at: 2, cut: 2}]")
    assert asked(server, times=2)[0] == ["DONE (stop)", "DO (length)"]


def test_the_script_in_the_documentation_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs/models.md").read_text("utf-8").partition("## A scripted server")[2]
    (tmp_path / "s.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    own = server_script(tmp_path / "s.yaml")
    assert (len(own.answers), len(own.faults)) == (1, 6)


@pytest.mark.parametrize(
    ("text", "where", "what", "todo"),
    [
        ("faults: [{at: 1}]", "1:10", "not none", "write one of them"),
        ("faults: [{at: 1, status: 500, drop: true}]", "1:10", "status and drop", "write one of them"),
        ("faults: [{at: 1, drop: true, retry_after: 3}]", "1:10", "belongs to a status", "add `status`"),
        ("faults: [{at: 0, drop: true}]", "1:11", "1 or more", ""),
        ("faults: [{at: 1, status: 200}]", "1:18", "400 or more", ""),
        ("answers: [{purpose: plan.make}]", "1:11", "text", ""),
        ("answers: []\nfault: []", "2:1", "unknown key 'fault'", "faults"),
        ("[]", "1:1", "not a mapping", "key: value"),
    ],
)  # fmt: skip
def test_a_wrong_script_is_refused_with_the_place(
    tmp_path: Path, text: str, where: str, what: str, todo: str
) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(BadFile) as caught:
        server_script(tmp_path / "s.yaml")
    assert what in caught.value.what + caught.value.why
    assert f"s.yaml:{where}" in caught.value.where
    assert todo in caught.value.todo


# --- over the wire ------------------------------------------------------------------------


def posted(server: ModelServer, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", int(server.url.split(":")[2].split("/")[0]))
    try:
        line.request("POST", path, body, {name.replace("_", "-"): v for name, v in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    finally:
        line.close()


def test_a_streamed_reply_is_the_same_reply() -> None:
    """litellm asks for no stream; a test of one's own may."""
    body = {"model": "x", "stream": True, "messages": [{"role": "user", "content": "Look."}]}
    with ModelServer(["All of it."]).running() as server:
        status, text = posted(server, "/v1/chat/completions", json.dumps(body).encode())
    *events, last = [row.removeprefix("data: ") for row in text.split("\n\n") if row]
    parts: list[Any] = [json.loads(event) for event in events]
    assert (status, last) == (200, "[DONE]")
    said = [part["choices"][0]["delta"].get("content", "") for part in parts[:-1]]
    assert "".join(said) == "All of it."
    assert parts[-2]["choices"][0]["finish_reason"] == "stop"
    assert parts[-1]["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/v1/embeddings", b"{}", 404, "only POST /v1/chat/completions"),
        ("/v1/chat/completions", b"{", 400, "chat format"),
        ("/v1/chat/completions", b'{"messages": [{"role": "user"}]}', 400, "messages.0.content"),
        ("/v1/chat/completions", b'{"messages": []}', 400, "add a reply for it"),
    ],
)
def test_what_is_no_request_of_the_format_is_refused_in_words(
    path: str, body: bytes, status: int, said: str
) -> None:
    with ModelServer(from_model(loopback_author())).running() as server:
        found = posted(server, path, body)
    assert found[0] == status
    assert said in json.loads(found[1])["error"]["message"]


# --- the command --------------------------------------------------------------------------

COMMAND = [sys.executable, "-m", "orchestrator.research.loopback"]


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True, cwd=ROOT) as one:
        try:
            yield one
        finally:
            one.send_signal(signal.SIGTERM)


@pytest.mark.program
def test_the_command_says_its_address_and_each_request_and_logs_before_it_answers(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.jsonl"
    with started("--log", str(log)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        environ = {"OPENAI_API_BASE": url, "OPENAI_API_KEY": "sk-secret-0123456789abcdef"}
        assert open_model("openai/x", environ=environ).complete(ASK, FOREVER).text == "DONE"
        (line,) = log.read_text().splitlines()
        assert process.stdout.readline() == "1 review.reflect: 2 + 1 tokens\n"
        taken = subprocess.run(
            [*COMMAND, "--port", url.split(":")[2].split("/")[0]],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
    assert process.returncode == 130
    assert json.loads(line)["purpose"] == "review.reflect"
    assert "sk-secret" not in line
    assert (taken.returncode, taken.stdout) == (2, "")
    assert "choose another port" in taken.stderr
