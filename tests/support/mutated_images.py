"""What mutations need besides other settings: changed images, a stand-in world, a careless reader."""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orchestrator.core.files import shipped_root
from orchestrator.proof.probe import load_probe
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.sandbox.engine.reaper import reap
from tests.support.editor_attacks import STOCK

COMPILE = "sed -i '{}' /opt/aisci/latex/compile.py"
INERT = "sed -i '{}' /opt/aisci/latex/inert.py"
GUARD = f"cat >> /opt/aisci/editor/guard.py <<'END'\n{STOCK}END\n"

_ASLEEP = "sandbox/probes/host/killed_orchestrator.py"  # sleeps, and nothing else


@contextmanager
def world(trials: ProbeRunner) -> Iterator[str]:
    """A container with no network, and with the outside world's stand-ins on its loopback."""
    path = shipped_root() / _ASLEEP
    asleep = replace(load_probe(path, path.parent.parent), bare="world")
    with trials.bare_left("experiment", asleep) as made:
        time.sleep(3)  # the stand-ins take a moment to listen
        yield made


def unpickle(trials: ProbeRunner, found: Sequence[bytes], marker: Path) -> None:
    """Load each as a pickle, in a container that has the marker's folder as the host has it."""
    folder = marker.parent / "careless"
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(found):
        (folder / str(number)).write_bytes(data)
    code = (
        "import pathlib, pickle\n"
        f"for path in pathlib.Path({str(folder)!r}).iterdir():\n"
        "    try: pickle.loads(path.read_bytes())\n"
        "    except Exception: pass\n"
    )
    trials.engine.containers.run(
        trials.images("aisci-storage"),
        ["-c", code],
        entrypoint=["python3"],
        network_mode="none",
        volumes={str(marker.parent): {"bind": str(marker.parent), "mode": "rw"}},
        remove=True,
        labels=trials.resources.labels("careless", "bare", seconds=60.0),
    )


@contextmanager
def no_sentinel(trials: ProbeRunner) -> Iterator[None]:
    """Every sentinel of a child of ours is killed as soon as it is there."""
    over, runs = threading.Event(), set[str]()

    def hunt() -> None:
        while not over.wait(0.02):
            for pid, run_id in _sentinels():
                runs.add(run_id)
                os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=hunt)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for run_id in runs:
            reap(trials.engine, run_id)


def _sentinels() -> Iterator[tuple[int, str]]:
    """Sentinels that a child of this process started: their ids, and the runs that they guard."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            said = (path / "cmdline").read_bytes().split(b"\0")
            parent = _parent(path)
            ours = parent and _parent(Path(f"/proc/{parent}")) == os.getpid()
        except OSError:
            continue
        if ours and any(word.endswith(b"sentinel.py") for word in said):
            yield int(path.name), said[4].decode()


def _parent(path: Path) -> int:
    return int((path / "stat").read_text().rpartition(")")[2].split()[1])


def run_id() -> str:
    return f"mutation-{secrets.token_hex(4)}"
