"""A worker that loads Aider ahead of its edit: used once, replaced if it ends, and gone with its run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.protocols import Blobs, Editor
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.editor.worker_process import WarmWorkers
from orchestrator.sandbox.engine.client import connect
from tests.contracts.editor import LIMITS, Bench, Replies
from tests.editor.test_editor import DONE, WORKER_FILE, _runs, rewriting
from tests.support.ahead_rig import AheadBench
from tests.support.sandbox_rig import resources


@pytest.fixture
def bench() -> Bench:
    def make(blobs: Blobs, wanted: Mapping[str, bytes]) -> tuple[Editor, Replies]:
        return ProcessEditor(blobs, WORKER_FILE), rewriting(wanted)

    return Bench(make)


@pytest.mark.program
def test_one_that_waits_has_loaded_aider_and_serves_one_edit(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    script = tmp_path / "waits.py"
    script.write_text(
        "import json, os, sys\nprint('loaded', file=sys.stderr, flush=True)\nsys.stdin.readline()\n"
        "open('experiment.py', 'w').write(str(os.getpid()))\n"
        f"print({json.dumps(json.dumps(DONE))})\n"
    )
    with closing(WarmWorkers(script)) as warm:
        editor, pids = ProcessEditor(bench.blobs, script, warm), set[bytes]()
        warm.want()
        for _ in range(3):
            (log,) = tmp_path.glob("aisci-editor-*/stderr")
            while "loaded" not in log.read_text():
                time.sleep(0.01)
            edit = editor.edit(bench.request(), Replies([]))
            pids.add(bench.blobs.get(edit.files.as_dict()["experiment.py"]))
        assert len(pids) == 3
        assert len(list(tmp_path.glob("aisci-editor-*"))) == 1
    assert list(tmp_path.glob("aisci-editor-*")) == []
    warm.want()
    assert list(tmp_path.glob("aisci-editor-*")) == []


@pytest.mark.program
def test_one_that_ended_while_it_waited_is_replaced(bench: Bench) -> None:
    with closing(WarmWorkers(WORKER_FILE)) as warm:
        warm.want()
        waits = warm._waits
        assert waits
        os.killpg(waits._child.pid, signal.SIGKILL)
        waits._child.wait()
        editor = ProcessEditor(bench.blobs, WORKER_FILE, warm)
        edit = editor.edit(bench.request(), rewriting({"experiment.py": b"x = 3\n"}))
        assert edit.changed


@pytest.mark.program
def test_a_worker_that_waits_ends_with_this_process(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = tmp_path / "waits.py"
    script.write_text(
        f"import os, sys\nopen({str(pids)!r}, 'w').write(str(os.getpid()))\nsys.stdin.readline()\n"
    )
    code = (
        "import os, pathlib, sys, time\nfrom orchestrator.editor.worker_process import WarmWorkers\n"
        f"WarmWorkers(pathlib.Path({str(script)!r})).want()\n"
        f"while not pathlib.Path({str(pids)!r}).is_file(): time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=False, timeout=60)
    until = time.monotonic() + 30
    while _runs(int(pids.read_text() or 0)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(int(pids.read_text()))


@pytest.mark.engine
@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_an_edits_container_has_loaded_aider_before_the_edit_and_makes_the_same_edit(
    runtime: str, tmp_path: Path
) -> None:
    engine = connect()
    made = AheadBench(engine, tmp_path)
    try:
        if runtime not in engine.info()["Runtimes"]:
            pytest.skip("this engine has no gVisor")
        with made.pool:
            bench = Bench(
                lambda blobs, wanted: (
                    ContainerEditor(made.sandbox.open, blobs),
                    rewriting(wanted),
                ),
                made.blobs,
            )
            edits, begun = list[Any](), list[bool]()
            limits = replace(LIMITS, runtime=runtime, pids=256)
            for number in range(3):
                begun += [slot._begun for slot in made.ready()]
                editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\n"})
                request = bench.request(limits=limits, scope=f"idea/warm/{runtime}/{number}")
                edits.append(editor.edit(request, model, FOREVER))
            assert begun == [True, True]
            assert len({edit.attestation.container for edit in edits}) == 3
            assert len({edit.files for edit in edits}) == 1
            assert edits[0].changed
        assert resources(engine, made.run_id) == ()
    finally:
        engine.close()
