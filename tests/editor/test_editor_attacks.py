"""Attacks on the editor, through the real worker and the real Aider.

Each attack is tried in the image's container and, guarded only, as a process in a namespace
without network. Stock Aider meets the worst of them too, in the container only: a probe that
does not bite there proves nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.editor.worker_process import AIDER_PYTHON
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from tests.support.editor_attacks import ATTACKS, SECRET, STOCK, TREE, Answer, Attack
from tests.support.places import ROOT
from tests.support.sample import some

WORKER_FILE = ROOT / "sandbox" / "editor" / "worker.py"
RIG = (ROOT / "tests" / "support" / "editor_rig.py").read_text()


@dataclass
class Outcome:
    """What came of one attack."""

    end: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    prompts: list[dict[str, str]] = field(default_factory=list)


class Rig:
    """The program ``editor_rig.py`` at the other end of a pipe."""

    def __init__(self, command: list[str], base: Path, worker: Path) -> None:
        self.base = base
        self.program = subprocess.Popen(
            [*command, "-I", "-c", RIG, str(base), str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.played = 0

    def tell(self, line: object) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write(json.dumps(line).encode() + b"\n")
        self.program.stdin.flush()

    def attempt(self, attack: Attack, *, stock: bool = False) -> Outcome:
        """Play one attack, with Aider under guard or as it comes."""
        order = {
            "type": "edit",
            "instruction": attack.instruction,
            "editable": attack.editable,
            "readable": attack.readable,
            "known": ["plot.py"],
            "new_files": attack.new_files,
        }
        code = STOCK if stock else ""
        steps = TREE + attack.steps
        self.tell({"steps": steps, "stock": code, "order": order, "fresh": attack.fresh})
        outcome, replies = Outcome(), list(attack.replies)
        assert self.program.stdout is not None
        for raw in self.program.stdout:
            said = json.loads(raw)
            if said["type"] == "report":
                outcome.report = said
                break
            if said["type"] != "llm":
                outcome.end = said
                continue
            outcome.prompts += said["messages"]
            self.tell(self.answer(attack, replies))
        self.played += 1
        return outcome

    def answer(self, attack: Attack, replies: list[Answer]) -> dict[str, object]:
        """The next line from the host, once the attack's own steps are done."""
        if attack.error and not replies:
            return {"type": "error", "what": attack.error}
        reply = replies.pop(0) if replies else "I see."
        if not isinstance(reply, str):
            self.tell({"type": "rig", "steps": reply[0]})
            reply = reply[1]
        text = reply.replace("BASE", str(self.base / str(self.played)))
        return {"type": "reply", "text": text, "prompt_tokens": 1, "completion_tokens": 1}

    def close(self) -> None:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.close()
        self.program.stdout.close()
        self.program.wait()


def violations(attack: Attack, outcome: Outcome) -> list[str]:
    """Everything that the guard should have prevented."""
    wrong = [f"seen: {event} {args}" for event, args in outcome.report["seen"]]
    before, after = outcome.report["before"], outcome.report["after"]
    # what an attack swaps in by itself while the worker waits is its own doing
    own = {f"tree/{path}" for path in attack.editable}
    own |= {s[1] for r in attack.replies if not isinstance(r, str) for s in r[0]}
    others = sorted({*before, *after} - own)
    wrong += [f"changed: {path}" for path in others if before.get(path) != after.get(path)]
    wrong += ["leaked" for message in outcome.prompts if SECRET in message["content"]][:1]
    return wrong


@pytest.fixture(scope="module")
def container() -> Iterator[Rig]:
    """As hard as the sandbox makes it, but with the tree laid out inside by the rig."""
    if shutil.which("docker") is None:
        pytest.skip("the rig is started with the docker command, which is not here")
    engine = connect()
    image = resolve_image(engine, "aisci-editor")
    engine.close()
    limits = "--network=none --read-only --cap-drop=ALL --security-opt=no-new-privileges"
    limits += " --user=65534:65534 --memory=1g --pids-limit=64 --tmpfs=/tmp:exec,size=64m"
    command = ["docker", "run", "-i", "--rm", "--init", *limits.split(), image, "python3"]
    rig = Rig(command, Path("/tmp/base"), Path("/opt/aisci/editor/worker.py"))
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Aider beside the tests, with no network."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") is None:
            continue
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("no namespace without network can be made here")
    rig = Rig([*command, str(AIDER_PYTHON)], tmp_path_factory.mktemp("rig"), WORKER_FILE)
    yield rig
    rig.close()


def check(attack: Attack, outcome: Outcome) -> None:
    assert violations(attack, outcome) == []
    assert outcome.end["type"] == attack.ends
    if attack.ends == "done":
        expected = "x = 3\n" if attack.applied else "x = 1\n"
        assert outcome.report["after"]["tree/experiment.py"] == expected


def named(attack: Attack) -> str:
    return attack.name


@pytest.mark.sampled
@pytest.mark.engine
@pytest.mark.parametrize("attack", some(ATTACKS, 12, "editor attacks"), ids=named)
def test_an_attack_is_held_in_the_container(attack: Attack, container: Rig) -> None:
    check(attack, container.attempt(attack))


@pytest.mark.sampled
@pytest.mark.program
@pytest.mark.parametrize("attack", some(ATTACKS, 12, "the guard alone"), ids=named)
def test_an_attack_is_held_by_the_guard_alone(attack: Attack, process: Rig) -> None:
    check(attack, process.attempt(attack))


@pytest.mark.sampled
@pytest.mark.engine
@pytest.mark.parametrize(
    "attack", [a for a in some(ATTACKS, 12, "editor attacks") if a.bite], ids=named
)
def test_the_probe_bites_stock_aider(attack: Attack, container: Rig) -> None:
    """Else the two tests above would prove nothing."""
    seen = violations(attack, container.attempt(attack, stock=True))
    assert [line for line in seen if line.startswith(attack.bite)]
