"""Wrong requests, each answered on one screen that names cause and cure: held to golden screens."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

import pytest

from orchestrator.api import writable
from orchestrator.core.errors import EngineUnavailable, UserError
from orchestrator.sandbox.engine import client
from tests.support import error_screens
from tests.support.error_screens import REQUESTS, SCREENS, prepared, screen

LINES, LONGEST = 32, 270


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("screens"))


@pytest.mark.program
@pytest.mark.parametrize("name", REQUESTS)
def test_a_wrong_request_is_answered_as_its_golden_screen_says(name: str, folder: Path) -> None:
    """Where that is meant to change: ``python -m tests.support.error_screens``."""
    assert screen(REQUESTS[name], folder) == (SCREENS / f"{name}.txt").read_text()


@pytest.mark.parametrize("path", sorted(SCREENS.iterdir()), ids=lambda path: path.stem)
def test_a_screen_belongs_to_a_request_fits_and_says_what_to_do(path: Path) -> None:
    assert path.stem in REQUESTS
    said = path.read_text()
    assert len(said.splitlines()) <= LINES
    assert "do: " in said
    assert "Traceback" not in said
    assert not re.search(r"pydantic|not-shown|String should", said)
    assert re.search(r"exit code [12]\n$", said)
    assert max(map(len, said.splitlines())) <= LONGEST


def test_an_account_that_may_not_use_the_socket_is_told_of_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def connect(self, address: object) -> None:
            raise PermissionError(13, "Permission denied", address)

    monkeypatch.setattr("orchestrator.sandbox.engine.client.socket.socket", Refusing)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(EngineUnavailable) as caught:
        client.connect()
    assert "may not use its socket" in caught.value.what
    assert "group docker" in caught.value.todo
    assert "root's power" in caught.value.todo
    assert "apt-get" not in caught.value.todo, "the engine is there already"


def test_a_folder_of_results_is_tried_and_nothing_is_left(tmp_path: Path) -> None:
    writable.require_writable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for there in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/x")):
        with pytest.raises(UserError, match="cannot write to"):
            writable.require_writable(there)
    if os.geteuid() != 0:
        tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
        with pytest.raises(UserError, match="cannot write to"):
            writable.require_writable(tmp_path)


def test_every_request_has_its_screen() -> None:
    assert {path.stem for path in error_screens.SCREENS.glob("*.txt")} == set(REQUESTS)
