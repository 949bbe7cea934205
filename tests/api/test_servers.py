"""A server of the user's own: asked before anything starts, known to the record, never swapped for a vendor unsaid."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.api.servers import (
    pinned_models,
    require_pinned_servers,
    require_servers,
    server_notices,
)
from orchestrator.core.errors import MissingKey, ModelBusy
from orchestrator.core.tree import Tree
from orchestrator.models.litellm import open_model
from orchestrator.record.pins import ModelPin
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.pins import pins_of, spec_of
from orchestrator.research.run_spec import RunSpec
from tests.support import run_rig as rig

SECRET = "sk-secret-0123456789abcdef"


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        yield f"http://127.0.0.1:{one.getsockname()[1]}/v1"


def asking(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> RunSpec:
    monkeypatch.setenv("OPENAI_API_BASE", address)
    return prepare(rig.wanted(folder, model="openai/mine")).setup


def test_a_server_that_refuses_connections_is_an_error_within_seconds(
    free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = asking(tmp_path, f"http://me:{SECRET}@127.0.0.1:{free_port}/v1", monkeypatch)
    began = time.monotonic()
    with pytest.raises(ModelBusy, match="nothing was started") as refused:
        require_servers(spec)
    assert time.monotonic() - began < 5
    assert "OPENAI_API_BASE" in refused.value.where
    assert SECRET not in str(refused.value)
    assert "refused" in refused.value.why.lower()


def test_a_server_that_says_nothing_is_an_error_within_seconds(
    mute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.models.own_server.SECONDS", 0.5)
    with pytest.raises(ModelBusy) as refused:
        require_servers(asking(tmp_path, mute, monkeypatch))
    assert refused.value.why


def test_any_answer_is_one_and_it_asks_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ModelServer([], tmp_path / "log")
    with server.running():
        require_servers(asking(tmp_path, server.url, monkeypatch))
    assert server.requests() == []


def test_a_run_with_a_fallback_starts_without_its_server(
    free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = asking(tmp_path, f"http://127.0.0.1:{free_port}/v1", monkeypatch)
    behind = ModelPin(name="builtin/sweep", author="builtin/sweep", role="fallback")
    require_servers(replace(spec, roles=(behind,)))


def test_the_record_has_the_address_without_a_key_and_resume_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = asking(tmp_path, f"http://me:{SECRET}@lab.example:8000/v1?key={SECRET}", monkeypatch)
    pins = pins_of(spec, Tree())
    assert pins.model().server == "http://lab.example:8000/v1"
    assert spec_of(pins, spec.template).server == spec.server
    assert server_notices(pins.models) == ()
    monkeypatch.delenv("OPENAI_API_BASE")
    with pytest.raises(MissingKey) as missing:
        require_pinned_servers(pins.models)
    assert "OPENAI_API_BASE" in missing.value.where
    assert missing.value.todo.startswith("export OPENAI_API_BASE=http://lab.example:8000/v1")
    assert "OPENAI_API_KEY" not in str(missing.value)
    require_pinned_servers(pinned_models(pins, "builtin/sweep"))  # a fork with another model
    assert pinned_models(pins, None) == pins.models


def test_another_address_than_at_the_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = pins_of(asking(tmp_path, "http://lab.example:8000/v1", monkeypatch), Tree())
    monkeypatch.setenv("OPENAI_API_BASE", "http://other.example/v1")
    require_pinned_servers(pins.models)
    (line,) = server_notices(pins.models)
    assert "http://other.example/v1" in line
    assert "http://lab.example:8000/v1" in line


def test_a_name_that_no_vendor_lists_is_taken_for_a_server_of_ones_own() -> None:
    with pytest.raises(MissingKey) as missing:
        open_model("openai/mine", environ={})
    assert missing.value.todo.startswith("for a server of your own: export OPENAI_API_BASE=")
    with pytest.raises(MissingKey) as listed:
        open_model("openai/gpt-4o", environ={})
    assert "export OPENAI_API_KEY" in listed.value.todo
