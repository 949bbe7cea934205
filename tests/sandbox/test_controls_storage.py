"""Bytes, inodes and memory are bounded in every place that a container can write to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import SandboxFailed
from orchestrator.core.job import ContainerKind, Verdict
from orchestrator.sandbox.images.images import resolve
from orchestrator.sandbox.job.spec import WORKDIR
from orchestrator.sandbox.storage import volumes
from orchestrator.sandbox.storage.quota import Quota
from tests.contracts.sandbox import MIB
from tests.support.controls_rig import bare, held, job, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

TWICE = 32 * MIB  # twice the workspace, and four times tmp and shm: see `limits_of`

# Every mount point that the kernel knows of, and the root; in each a file is made where it can be.
EVERYWHERE = f"""
    places = sorted({{line.split()[1] for line in open("/proc/mounts")}} | {{"/"}})
    for place in places:
        if not os.path.isdir(place): continue
        wrote = 0
        try:
            for number in range(4):  # several files: none reaches the limit of a single one
                with open(f"{{place}}/fill-{{number}}", "wb", buffering=0) as file:
                    while file.tell() < {TWICE // 4}:
                        got = file.write(bytes(1 << 20))
                        wrote += got
                        if got < 1 << 20: raise OSError(28, "No space left on device")
        except OSError as error: why = error.strerror
        else: why = ""
        for number in range(4):
            try: os.unlink(f"{{place}}/fill-{{number}}")
            except OSError: break
        seen[place] = [wrote, why]
    print(json.dumps(seen))
    """


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("storage")
    with docker_bench(folder, f"storage-{folder}") as bench:
        yield bench


@pytest.mark.parametrize("kind", ["experiment", "latex", "editor"])
def test_twice_the_quota_goes_into_no_place_at_all(bench: DockerBench, kind: ContainerKind) -> None:
    limits, before = limits_of(kind), shutil.disk_usage("/").free
    seen = held(bench, EVERYWHERE, limits, kind=kind)
    took = {place: wrote for place, (wrote, _) in seen.items() if wrote}
    most = {WORKDIR: limits.workspace, "/tmp": limits.tmp, "/dev/shm": limits.shm}
    assert took.keys() == most.keys(), "there is no other place that takes a byte"
    assert {place: wrote for place, wrote in took.items() if wrote > most[place]} == {}
    assert {seen[place][1] for place in took} == {"No space left on device"}
    assert before - shutil.disk_usage("/").free < 512 * MIB


def test_twice_the_quota_goes_into_the_places_of_a_bare_container(bench: DockerBench) -> None:
    seen = bare(
        bench.engine, resolve(bench.engine, "aisci-storage"), EVERYWHERE, network_mode="none"
    )
    assert {place for place, (wrote, _) in seen.items() if wrote == TWICE} >= {"/", "/dev/shm"}


def test_a_multitude_of_empty_files_fits_nowhere(bench: DockerBench) -> None:
    """A million, scaled: eight times what may be there, in each place with an inode limit."""
    seen = held(
        bench,
        f"""
        for place in ("{WORKDIR}", "/tmp"):
            made = 0
            try:
                while made < 4096: open(f"{{place}}/{{made}}", "w").close(); made += 1
            except OSError as error: seen[place] = [made, error.strerror]
            for number in range(made): os.unlink(f"{{place}}/{{number}}")
        print(json.dumps(seen))
        """,
        limits_of("experiment"),
    )
    assert {why for _, why in seen.values()} == {"No space left on device"}
    assert all(made <= 512 for made, _ in seen.values())


def test_a_million_empty_files_in_shared_memory_are_charged_to_the_jobs_memory(
    bench: DockerBench,
) -> None:
    """There an inode is memory, and counts as such: the job is ended, the host is not filled."""
    floods = """
        number = 0
        while number < 1_000_000: open(f"/dev/shm/{number}", "w").close(); number += 1
        print(json.dumps({"made": number}))
        """
    result = bench.sandbox.run(job(bench, floods, limits_of("experiment", memory=64 * MIB)))
    assert result.verdict is Verdict.OUT_OF_MEMORY
    assert result.attestation.peaks.memory <= 64 * MIB


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_memory_cannot_be_had_through_files_and_nothing_is_swapped_out(
    bench: DockerBench, place: str
) -> None:
    """Both may hold 128 MiB by their own size, the job 64 in all."""
    fills = f"""
        with open("{place}/x", "wb") as file:
            for _ in range(96): file.write(bytes(1 << 20))
        """
    limits = limits_of("experiment", memory=64 * MIB, tmp=128 * MIB, shm=128 * MIB, file=256 * MIB)
    result = bench.sandbox.run(job(bench, fills, limits))
    assert result.verdict is Verdict.OUT_OF_MEMORY
    assert dict(result.attestation.seen)["limit swap"] == "0"
    assert bench.sandbox.run(
        job(bench, fills, limits_of("experiment", tmp=128 * MIB, shm=128 * MIB, file=256 * MIB))
    ).ok


def test_no_way_of_taking_space_goes_round_the_quota(bench: DockerBench) -> None:
    """Reserved without writing, appended, or held open after deletion: all the same."""
    seen = held(
        bench,
        f"""
        def reserve():
            with open("a", "wb") as file: os.posix_fallocate(file.fileno(), 0, {11 * MIB})
            with open("b", "wb") as file: os.posix_fallocate(file.fileno(), 0, {11 * MIB})
        def past_one_file():
            with open("c", "wb") as file: os.posix_fallocate(file.fileno(), 0, {13 * MIB})
        def deleted():
            held = []
            while len(held) < 4:
                file = open("d", "wb", buffering=0); held.append(file); os.unlink("d")
                if file.write(bytes({10 * MIB})) < {10 * MIB}: raise OSError(28, "No space left on device")
        attempt("reserved", reserve)
        for name in ("a", "b"): os.path.exists(name) and os.unlink(name)
        attempt("one file", past_one_file)
        attempt("deleted", deleted)
        def append():
            with open("e", "ab", buffering=0) as file:
                for _ in range(20): file.write(bytes(1 << 20))
        attempt("appended", append)
        print(json.dumps(seen))
        """,
        limits_of("experiment"),
    )
    assert seen == {
        "reserved": "No space left on device",
        "one file": "File too large",
        "deleted": "No space left on device",
        "appended": "File too large",
    }


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
