"""What the kernel does with a crash, tried where its crash handler may be changed: in the machine.

Not collected by itself: it changes a setting of the whole system.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.sandbox.images.images import resolve_image
from tests.support.controls_rig import bare, held, limits_of
from tests.support.sandbox_rig import docker_bench

PATTERN = Path("/proc/sys/kernel/core_pattern")
CRASH = """
    pid = os.fork()
    if pid == 0: os.abort()
    attempt("crash", lambda: os.WTERMSIG(os.waitpid(pid, 0)[1]))
    print(json.dumps(seen))
    """


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Path]:
    """A file that the handler of crashes writes to, for as long as the test runs."""
    file, handler, before = tmp_path / "told", tmp_path / "handler", PATTERN.read_text()
    handler.write_text(f"#!/bin/sh\necho crashed >>{file}\n")
    handler.chmod(0o755)
    PATTERN.write_text(f"|{handler}")
    try:
        yield file
    finally:
        PATTERN.write_text(before)


def test_a_crash_in_a_job_starts_no_program_of_the_hosts(told: Path, tmp_path: Path) -> None:
    with docker_bench(tmp_path, f"crash-{tmp_path}") as bench:
        assert held(bench, CRASH, limits_of("experiment", image="aisci-storage"))["crash"] == 6
        assert not told.exists()
        image = resolve_image(bench.engine, "aisci-storage")
        none = [{"Name": "core", "Soft": 0, "Hard": 0}]
        assert bare(bench.engine, image, CRASH, network_mode="none", ulimits=none)["crash"] == 6
    assert told.read_text() == "crashed\n"
