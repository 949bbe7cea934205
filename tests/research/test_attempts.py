"""An idea whose edits crash, time out and fill the disk before one works: real parts throughout.

The model is a real HTTP server behind litellm; its experiment edits are scripted, everything
else it answers as builtin/sweep. Aider, Docker and the container's limits are the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.decode import decode
from orchestrator.core.job import JobResult, Verdict
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Answered, Event, Noted
from orchestrator.record.notes import FilesRestored, read_note
from orchestrator.research.loopback.answers import ServerAnswer
from orchestrator.research.loopback.author import from_model
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.sweep import SweepModel
from tests.research.test_kill import journals
from tests.support import run_rig as rig

pytestmark = pytest.mark.engine

FIRST = "runs = [fit(seed) for seed in SEEDS]\n"
CRASH = f'{FIRST}raise SystemExit("the first edit crashes")\n'
SLEEP = f"{FIRST}import time\n\ntime.sleep(3600)\n"
FILL = (
    f'{FIRST}with open("big", "wb") as file:\n    while True:\n        file.write(bytes(1 << 20))\n'
)
FIXED = FIRST.replace("SEEDS", "reversed(SEEDS)")


FIXED_FILE = "seed_ideas.json"  # as the template's manifest says


def block(old: str, new: str, path: str = "experiment.py") -> str:
    return (
        f"RUN: the seeds in another order\n\n{path}\n```\n"
        f"<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    )


TOO_FAR = block("", "[]\n", FIXED_FILE)  # Aider is told of it, and asks once more
EDITS = (TOO_FAR, block(FIRST, CRASH), block(CRASH, SLEEP), block(SLEEP, FILL), block(FILL, FIXED))


@dataclass
class Author:
    """Gives the scripted experiment edits in turn, then completes; else answers as sweep."""

    edits: Iterator[str]

    def __call__(self, body: dict[str, Any]) -> ServerAnswer:
        if body["purpose"] == "experiment.edit":
            return next(self.edits, "ALL_COMPLETED")
        return from_model(SweepModel())(body)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event], str]:
    """The run's folder, its journal lines and what its process said."""
    base = tmp_path_factory.mktemp("attempts")
    policy = base / "short.yaml"
    text = Path(rig.POLICY).read_text().replace("wall: 60s, cpu: 90s", "wall: 8s, cpu: 16s")
    policy.write_text(text.replace("name: quick", "name: short"))
    with ModelServer(Author(iter(EDITS)), base / "requests.jsonl").running() as server:
        done = rig.start_process(
            base / "run",
            environ={
                "AISCI_TEST_MODEL": "openai/scripted",
                "AISCI_TEST_POLICY": str(policy),
                "OPENAI_API_BASE": server.url,
                "OPENAI_API_KEY": "sk-" + "t" * 24,
            },
        )
    return base / "run", journals(base / "run"), done.stdout + done.stderr


def verdicts(events: list[Event]) -> list[Verdict]:
    """How each attempt of run 1 ended, in order."""
    return [
        decode(JobResult, event.body.inline).verdict
        for event in events
        if isinstance(event, Answered)
        and event.port == "sandbox"
        and "/experiments/run_1/" in event.scope
    ]


def test_each_attempt_has_the_right_verdict_and_the_fourth_counts(
    run: tuple[Path, list[Event], str],
) -> None:
    folder, events, said = run
    assert verdicts(events) == [
        Verdict.FAILED,
        Verdict.TIMED_OUT,
        Verdict.OUT_OF_STORAGE,
        Verdict.FINISHED,
    ], said
    assert said.startswith("finished")
    assert len(list(folder.glob("*/run_1/final_info.json"))) == 1


def test_what_went_wrong_is_told_to_the_next_attempt(
    run: tuple[Path, list[Event], str],
) -> None:
    texts = (run[0].parent / "requests.jsonl").read_text()
    for words in ("the first edit crashes", "timed out", "out of storage"):
        assert words in texts


def test_a_fixed_file_that_an_edit_changed_is_put_back_and_that_is_said(
    run: tuple[Path, list[Event], str],
) -> None:
    folder, events, _ = run
    blobs = BlobStore(folder / "blobs", *(BlobStore(path) for path in folder.glob("*/blobs")))
    noted = [read_note(event.body.read(blobs)) for event in events if isinstance(event, Noted)]
    restored = [note for note in noted if isinstance(note, FilesRestored)]
    assert restored == [FilesRestored(files=(FIXED_FILE,))]
    (left,) = folder.glob(f"*/{FIXED_FILE}")
    assert left.read_bytes() == (Path(rig.QUICK) / FIXED_FILE).read_bytes()
    words = f"fixed files that the edit changed were put back: {FIXED_FILE}"
    assert words in (folder.parent / "requests.jsonl").read_text()
    assert f"put back: {FIXED_FILE}" in next(folder.glob("*/report.html")).read_text()


def test_the_reports_say_how_each_attempt_ended(
    run: tuple[Path, list[Event], str],
) -> None:
    page = next(run[0].glob("*/report.html")).read_text()
    for words in ("timed out", "out of storage", "failed"):
        assert words in page


def test_no_key_is_in_anything_that_the_run_left(
    run: tuple[Path, list[Event], str],
) -> None:
    for path in run[0].rglob("*"):
        if path.is_file():
            assert b"sk-tttt" not in path.read_bytes(), path
