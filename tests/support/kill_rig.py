"""One orchestrator with a one-second job, as a process of its own that a test may kill::

    python -m tests.support.kill_rig FOLDER RUN_ID [HOST:PORT]

With an entry of an allow-list the job has a socket of the host's. It says ``made PREFIX`` when it
begins, and at its end ``ended VERDICT`` or ``error TYPE: …``; anything else is a fault.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.core.errors import AisciError
from orchestrator.sandbox.engine.client import connect
from tests.contracts.sandbox import MIB, Scenario, job_of
from tests.support.places import ROOT
from tests.support.sandbox_rig import DockerBench

SECOND = Scenario(
    "import os, time\nos.mkdir('run_1'); time.sleep(1); open('run_1/done', 'w').write('x')\n"
)
HOST = "api.example.org:443"


@dataclass(slots=True)
class Orchestrator:
    """One such process, with a temporary folder of its own. ``said`` is what it told at its end."""

    folder: Path
    run_id: str
    environ: Mapping[str, str] = field(default_factory=dict)
    allow: str = ""
    prefix: str = ""
    said: str = ""
    _process: subprocess.Popen[str] | None = None

    @property
    def temporary(self) -> Path:
        return self.folder / "t"

    def start(self) -> None:
        self.temporary.mkdir(parents=True)
        argv = [sys.executable, "-m", "tests.support.kill_rig", str(self.folder), self.run_id]
        self._process = subprocess.Popen(
            [*argv, *([self.allow] if self.allow else [])],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(self.temporary)} | dict(self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def begun(self) -> None:
        """Wait until it begins."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._heard(self._process.stdout.readline())

    def kill(self) -> bool:
        """SIGKILL; whether it still ran."""
        assert self._process is not None
        ran = self._process.poll() is None
        self._process.kill()
        return ran

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self, within: float = 240.0) -> str:
        """Its last words, once it has ended by itself or was killed."""
        assert self._process is not None
        for line in self._process.communicate(timeout=within)[0].splitlines(keepends=True):
            self._heard(line)
        return self.said

    def _heard(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "made":
            self.prefix = rest.strip()
        else:
            self.said += line


def lifetime(folder: Path, environ: Mapping[str, str] | None = None) -> tuple[float, float]:
    """How long an undisturbed one takes: in all, and from where it begins; in seconds."""
    one = Orchestrator(folder, folder.name, environ or {})
    started = time.monotonic()
    one.start()
    one.begun()
    began = time.monotonic()
    assert one.end() == "ended finished\n", one.said
    return time.monotonic() - started, time.monotonic() - began


def main() -> None:
    folder, run_id, *hosts = sys.argv[1:]
    try:
        with closing(connect()) as engine:
            bench = DockerBench(engine, Path(folder), run_id)
            print(f"made {bench.depot.prefix}", flush=True)
            job = job_of(bench, SECOND)
            if hosts:  # the forwarder is in the image that experiments run in
                allow = replace(job.limits, image="aisci-sandbox:cpu", network=tuple(hosts))
                job = replace(job, limits=replace(allow, memory=256 * MIB))
            with bench.sandbox.pool:
                result = bench.sandbox.run(job)
            print(f"ended {result.verdict}", flush=True)
    except AisciError as error:
        print(f"error {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
