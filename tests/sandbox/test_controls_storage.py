"""Bytes, inodes and memory are bounded in every place that a container can write to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import SandboxFailed
from orchestrator.sandbox.storage import volumes
from orchestrator.sandbox.storage.quota import Quota
from tests.contracts.sandbox import MIB
from tests.support.controls_rig import held, job, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("storage")
    with docker_bench(folder, f"storage-{folder}") as bench:
        yield bench


def test_a_message_queue_holds_no_more_than_its_own_small_limit(bench: DockerBench) -> None:
    """/dev/mqueue is the fourth place that a container may write to; the kernel bounds it."""
    seen = held(
        bench,
        """
        made = 0
        try:
            while made < 1000: os.close(os.open(f"/dev/mqueue/{made}", os.O_CREAT | os.O_RDWR)); made += 1
        except OSError as error: why = error.strerror
        limit = resource.getrlimit(resource.RLIMIT_MSGQUEUE if hasattr(resource, "RLIMIT_MSGQUEUE") else 12)
        print(json.dumps({"made": made, "bytes": limit[1]}))
        """,
        limits_of("experiment"),
    )
    assert seen["made"] < 300
    assert seen["bytes"] <= MIB


@pytest.mark.parametrize("backend", ["loop", "tmpfs"])
@pytest.mark.parametrize("wider", ["bytes", "inodes"])
def test_a_quota_that_was_set_and_does_not_hold_is_found_by_writing_and_no_job_runs(
    backend: str, wider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend makes a volume of four times what it was asked for, and says nothing of it."""
    maker = "loop_device" if backend == "loop" else "volume_options"
    made: Callable[..., Any] = getattr(volumes, maker)

    def too_wide(*asked: Any) -> Any:
        return made(*(_wider(one, wider) for one in asked))

    monkeypatch.setattr(volumes, maker, too_wide)
    with docker_bench(tmp_path, f"wide-{tmp_path}", backends=(backend,)) as bench:
        with pytest.raises(SandboxFailed, match="set and did not hold"):
            bench.sandbox.run(job(bench, "print()", limits_of("experiment")))
        assert bench.left_behind() == ()


def _wider(one: Any, what: str) -> Any:
    return replace(one, **{what: 4 * getattr(one, what)}) if isinstance(one, Quota) else one
