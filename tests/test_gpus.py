"""GPUs are lent whole and in order, and a container's use is told from its neighbours'.

The driver is scripted: the promises are about lending and counting, and hold on any machine.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from orchestrator import ControlUnavailable, SandboxFailed
from orchestrator.edges.gpu import Device, Driver, Gpus
from tests.contract_sandbox import LIMITS

GIB = 1 << 30
ONE = replace(LIMITS, gpus=1, gpu_memory=8 * GIB)


@dataclass
class ScriptedNvml:
    present: tuple[Device, ...]
    running: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def devices(self) -> tuple[Device, ...]:
        return self.present

    def processes(self, uuid: str) -> tuple[tuple[int, int], ...]:
        return self.running.get(uuid, ())


TWO = (Device("GPU-a", 16 * GIB), Device("GPU-b", 40 * GIB))


def test_a_job_without_gpus_asks_no_driver() -> None:
    with Gpus(ScriptedNvml(())).lease(LIMITS) as lease:
        assert (lease.uuids, lease.meter) == ((), None)


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        ((), {"gpus": 1}),
        (TWO, {"gpus": 3}),
        (TWO, {"gpus": 1, "gpu_memory": 80 * GIB}),
        (TWO, {"gpus": 2, "gpu_memory": 20 * GIB}),
    ],
)
def test_more_than_the_machine_has_is_refused_and_both_are_named(
    present: tuple[Device, ...], wanted: dict[str, int]
) -> None:
    gpus = Gpus(ScriptedNvml(present))
    limits = replace(ONE, **wanted)  # type: ignore[arg-type]  # the fields' own types
    with pytest.raises(ControlUnavailable, match="asks for") as caught, gpus.lease(limits):
        pass
    assert "GPUs of this machine" in str(caught.value)


def test_a_gpu_is_lent_to_one_job_at_a_time_and_a_large_enough_one() -> None:
    gpus = Gpus(ScriptedNvml(TWO))
    with gpus.lease(replace(ONE, gpu_memory=20 * GIB)) as large, gpus.lease(ONE) as small:
        assert (large.uuids, small.uuids) == (("GPU-b",), ("GPU-a",))
    with gpus.lease(replace(ONE, gpus=2)) as both:
        assert set(both.uuids) == {"GPU-a", "GPU-b"}


def test_whoever_asked_first_is_served_first() -> None:
    gpus = Gpus(ScriptedNvml(TWO[:1]))
    order: list[int] = []

    def job(number: int) -> None:
        with gpus.lease(ONE):
            order.append(number)

    threads = [threading.Thread(target=job, args=(number,)) for number in range(4)]
    with gpus.lease(ONE):
        for number, thread in enumerate(threads):
            thread.start()
            while len(gpus._queue) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3]


def test_only_the_containers_own_processes_count_on_its_fullest_gpu() -> None:
    nvml = ScriptedNvml(
        TWO,
        {"GPU-a": ((10, 3 * GIB), (11, 2 * GIB), (12, 9 * GIB)), "GPU-b": ((10, GIB),)},
    )
    of = {10: "/docker/mine", 11: "/docker/mine", 12: "/docker/other"}
    with Gpus(nvml, of.__getitem__).lease(replace(ONE, gpus=2)) as lease:
        assert lease.meter is not None
        assert lease.meter.sample("mine") == (5 * GIB, True)
        assert lease.meter.sample("nobody") == (0, False)


def test_a_machine_without_a_driver_has_no_gpus() -> None:
    devices = Driver().devices()
    if devices:
        pytest.skip("this machine has GPUs")
    assert devices == ()


class Trouble(Exception):
    """What a scripted driver raises."""


@dataclass
class Used:
    pid: int
    usedGpuMemory: int | None  # noqa: N815  # the library's spelling


@dataclass
class ScriptedLibrary:
    """Stands for ``pynvml`` where there is no GPU."""

    running: list[Used] | None
    NVMLError = Trouble

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid

    def nvmlDeviceGetComputeRunningProcesses(self, _handle: str) -> list[Used]:  # noqa: N802
        if self.running is None:
            raise Trouble("GPU is lost")
        return self.running


def driver(running: list[Used] | None) -> Driver:
    made = Driver()
    made._nvml = ScriptedLibrary(running)
    return made


def test_each_process_on_a_gpu_is_told_with_its_memory() -> None:
    assert driver([Used(7, GIB), Used(8, 0)]).processes("GPU-a") == ((7, GIB), (8, 0))


def test_a_driver_that_hides_a_processs_memory_cannot_hold_a_limit() -> None:
    with pytest.raises(ControlUnavailable, match="does not say"):
        driver([Used(7, None)]).processes("GPU-a")


def test_a_driver_that_fails_meanwhile_ends_the_job_by_name() -> None:
    with pytest.raises(SandboxFailed, match="looking at a GPU") as caught:
        driver(None).processes("GPU-a")
    assert "GPU is lost" in str(caught.value)
