"""In the test machine: what one engine's containers are held to, by jobs on the real sandbox."""

from __future__ import annotations

import json
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from orchestrator.core.errors import AisciError
from orchestrator.sandbox.storage.quota import BACKENDS
from tests.contracts.sandbox import MIB, Scenario, job_of
from tests.support.sandbox_rig import DockerBench, docker_bench

BYTES = "open('x', 'wb').write(bytes(40 << 20))"
INODES = "for i in range(2000): open(str(i), 'w').close()"
EATS = "x = []\nwhile True: x.append(bytearray(8 << 20))"
CHILD_EATS = """
    import subprocess, sys, time
    eats = 'x = bytearray(1 << 30); x[:] = b"1" * (1 << 30)'
    child = subprocess.run([sys.executable, '-c', eats])
    time.sleep(0.5); print(child.returncode)
"""
FORKS = """
    import os, time
    while True:
        if os.fork() == 0: time.sleep(20); os._exit(0)
"""
BURNS = "import os\nos.fork()\nwhile True: pass"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, docker_bench(Path(folder), "looked") as bench:
        plain = bench.run(job_of(bench, Scenario("pass")), Scenario("pass"))
        seen = dict(plain.attestation.seen)
        looked: dict[str, Any] = {
            "cgroup": bench.engine.info()["CgroupVersion"],
            "controllers": controllers(),
            "storage": plain.attestation.storage,
            "backends": {name: tried(bench, name) for name in BACKENDS},
            "limits": {key: text for key, text in seen.items() if key.startswith("limit ")},
            "jobs": {
                "bytes": ended(bench, BYTES, file=64 * MIB),
                "inodes": ended(bench, INODES),
                "memory": ended(bench, EATS),
                "memory of a child": ended(bench, CHILD_EATS),
                "pids": ended(bench, FORKS),
                "cpu time": ended(bench, BURNS, cpu_time=1.0),
            },
        }
    print(json.dumps(looked))


def tried(bench: DockerBench, backend: str) -> str:
    """Whether a backend's quota holds here, or why not."""
    try:
        bench.depot.volumes.probe(backend)
    except AisciError as error:
        return f"{error.what} {error.why}".strip()
    return "held"


def controllers() -> list[str]:
    """The unified tree's controllers, or none on another one."""
    path = Path("/sys/fs/cgroup/cgroup.controllers")
    return path.read_text().split() if path.exists() else []


def ended(bench: DockerBench, program: str, **limits: Any) -> dict[str, Any]:
    """How a job ended, and what it was seen to run into."""
    scenario = Scenario(textwrap.dedent(program))
    result = bench.run(job_of(bench, scenario, **limits), scenario)
    peaks = result.attestation.peaks
    return {
        "verdict": str(result.verdict),
        "exit code": result.exit_code,
        "hit": list(result.hit),
        "peak memory": peaks.memory,
        "peak pids": peaks.pids,
        "peak disk": peaks.disk,
        "peak inodes": peaks.inodes,
        "cpu seconds": round(peaks.cpu_time, 2),
    }


if __name__ == "__main__":
    main()
