"""Telling of a run's end: what is sent, to whom, and that no secret is in it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.notify import RunEnding, ending_of_error, notify, require_target
from orchestrator.core.errors import AisciError, Interrupted, UserError

KEY = "k-3f9a7c5e1b2d4f60"
ENVIRON = {"OPENAI_API_KEY": KEY, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
ENDING = RunEnding(
    event="finished", run="results/a/1", said=f"one: finished, {KEY}", ideas=(("one", "finished"),)
)


class Server:
    def __init__(self, status: int) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, json.loads(body)))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/hook?token=t0ken-of-mine"


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(getattr(request, "param", 200))
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_an_address_gets_the_ending_as_json_without_the_key(server: Server) -> None:
    assert notify(server.address, ENDING, ENVIRON) == ""
    ((path, message),) = server.got
    assert path == "/hook?token=t0ken-of-mine"
    assert message["event"] == "finished"
    assert message["run"] == "results/a/1"
    assert message["ideas"] == [{"name": "one", "status": "finished"}]
    assert message["text"] == "aisci: finished: one: finished, [OPENAI_API_KEY]: results/a/1"
    assert KEY not in json.dumps(message)


@pytest.mark.parametrize(("server"), [500, 302], indirect=True)
def test_a_server_that_refuses_or_points_elsewhere_is_told_once_and_not_followed(
    server: Server,
) -> None:
    why = notify(server.address, ENDING, ENVIRON)
    assert why.startswith("the server answered ")
    assert "t0ken" not in why
    assert len(server.got) == 1


def test_a_server_that_is_not_there_is_a_reason_without_its_address() -> None:
    why = notify("http://127.0.0.1:9/t0ken", ENDING, ENVIRON)
    assert why
    assert "t0ken" not in why


@pytest.mark.program
def test_a_command_gets_the_line_the_json_and_no_key(tmp_path: Path) -> None:
    script = tmp_path / "tell.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "got = [sys.argv[1:], json.load(sys.stdin), dict(os.environ)]\n"
        f"pathlib.Path({str(tmp_path / 'got')!r}).write_text(json.dumps(got))\n"
    )
    assert notify(f"{sys.executable} {script} 'two words'", ENDING, ENVIRON) == ""
    words, message, environ = json.loads((tmp_path / "got").read_text())
    assert words == ["two words", message["text"]]
    assert message["event"] == "finished"
    assert "OPENAI_API_KEY" not in environ
    assert KEY not in json.dumps([words, message, environ])


@pytest.mark.program
@pytest.mark.parametrize(
    ("command", "why"),
    [("false", "exit code 1"), ("/no/such/program", "No such file"), ("/", "Permission denied")],
)
def test_a_command_that_fails_is_a_reason(command: str, why: str) -> None:
    assert why in notify(command, ENDING, ENVIRON)


@pytest.mark.parametrize("target", ["", "  ", "a 'b", "https:///path"])
def test_what_is_neither_a_command_nor_an_address_is_refused_before_a_run(target: str) -> None:
    with pytest.raises(UserError, match="nobody can be told"):
        require_target(target)


def test_a_run_that_wants_a_person_says_what_to_do() -> None:
    error = AisciError("the budget is\nspent", where="run", todo="`aisci resume R --max-usd 5`")
    told = ending_of_error(error, "R")
    assert (told.event, told.said, told.todo) == (
        "stopped",
        "the budget is spent",
        "`aisci resume R --max-usd 5`",
    )
    assert ending_of_error(Interrupted("x", where="y", todo="z"), "R").event == "interrupted"
