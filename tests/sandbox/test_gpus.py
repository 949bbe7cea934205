"""GPUs are lent whole and in order, and a container's use is told from its neighbours'.

The driver is scripted: the promises are about lending and counting, and hold on any machine.
Untried on a GPU.
"""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.core.errors import ControlUnavailable, EngineFailed, SandboxFailed, UserError
from orchestrator.core.job import Job, JobResult, Verdict
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.engine.objects import (
    create_container,
    make_volume,
    remove_container,
    remove_volume,
)
from orchestrator.sandbox.gpus import cdi
from orchestrator.sandbox.gpus.choice import gpu_choice
from orchestrator.sandbox.gpus.leases import GpuLease, GpuPool, NvmlMeter, cgroup_of
from orchestrator.sandbox.gpus.nvml import GpuDevice, NvmlDriver
from orchestrator.sandbox.gpus.nvproxy import listed_drivers, loaded_driver, why_unlisted
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job import gvisor
from orchestrator.sandbox.job.spec import create_request
from orchestrator.sandbox.job.verify import read_back
from tests.contracts.sandbox import LIMITS
from tests.support.sandbox_rig import opened_sandbox, resources

GIB = 1 << 30
ONE = replace(LIMITS, gpus=1, gpu_memory=8 * GIB)


@dataclass
class ScriptedNvml:
    present: tuple[GpuDevice, ...]
    running: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def devices(self) -> tuple[GpuDevice, ...]:
        return self.present

    def processes(self, uuid: str) -> tuple[tuple[int, int], ...]:
        return self.running.get(uuid, ())


TWO = (GpuDevice("GPU-a", 16 * GIB), GpuDevice("GPU-b", 40 * GIB))


def test_a_job_without_gpus_asks_no_driver() -> None:
    with GpuPool(ScriptedNvml(())).lease(LIMITS) as lease:
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
    present: tuple[GpuDevice, ...], wanted: dict[str, int]
) -> None:
    gpus = GpuPool(ScriptedNvml(present))
    limits = replace(ONE, **wanted)  # type: ignore[arg-type]  # the fields' own types
    with pytest.raises(ControlUnavailable, match="asks for") as caught, gpus.lease(limits):
        pass
    assert "GPUs of this machine" in str(caught.value)


def test_a_gpu_is_lent_to_one_job_at_a_time_and_a_large_enough_one() -> None:
    gpus = GpuPool(ScriptedNvml(TWO))
    with gpus.lease(replace(ONE, gpu_memory=20 * GIB)) as large, gpus.lease(ONE) as small:
        assert (large.uuids, small.uuids) == (("GPU-b",), ("GPU-a",))
    with gpus.lease(replace(ONE, gpus=2)) as both:
        assert set(both.uuids) == {"GPU-a", "GPU-b"}


@pytest.mark.parametrize(
    ("text", "lent"),
    [
        ("all", {"GPU-a", "GPU-b"}),
        ("1", {"GPU-a"}),
        ("device=1", {"GPU-b"}),
        ("device=GPU-b, 0", {"GPU-a", "GPU-b"}),
        ("device=0,GPU-a", {"GPU-a"}),
    ],
)
def test_only_the_gpus_that_a_run_was_given_are_lent(text: str, lent: set[str]) -> None:
    gpus = GpuPool(ScriptedNvml(TWO), choice=gpu_choice(text))
    with gpus.lease(replace(ONE, gpus=len(lent))) as lease:
        assert set(lease.uuids) == lent
    with (
        pytest.raises(ControlUnavailable, match="asks for"),
        gpus.lease(replace(ONE, gpus=len(lent) + 1)),
    ):
        pass


@pytest.mark.parametrize("text", ["0", "-1", "some", "device=", "device=0,,1", "GPU-a"])
def test_a_choice_of_no_gpus_is_refused_before_anything_starts(text: str) -> None:
    with pytest.raises(UserError, match="says no GPUs"):
        gpu_choice(text)


@pytest.mark.parametrize("text", ["3", "device=2", "device=GPU-c"])
def test_a_gpu_that_is_not_there_is_named_with_those_that_are(text: str) -> None:
    with pytest.raises(UserError, match="no such GPU") as caught:
        gpu_choice(text)(TWO)
    assert "GPU-a" in str(caught.value)


def test_whoever_asked_first_is_served_first() -> None:
    gpus = GpuPool(ScriptedNvml(TWO[:1]))
    order: list[int] = []

    def job(number: int) -> None:
        with gpus.lease(ONE):
            order.append(number)

    threads = [threading.Thread(target=job, args=(number,)) for number in range(4)]
    with gpus.lease(ONE):
        for number, thread in enumerate(threads):
            thread.start()
            while len(gpus._line) <= number:
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
    with GpuPool(nvml, of.__getitem__).lease(replace(ONE, gpus=2, gpu_memory=GIB)) as lease:
        assert lease.meter is not None
        assert lease.meter.sample("mine") == (5 * GIB, True)
        assert lease.meter.sample("nobody") == (0, False)


def test_a_machine_without_a_driver_has_no_gpus() -> None:
    devices = NvmlDriver().devices()
    if devices:
        pytest.skip("this machine has GPUs")
    assert devices == ()


class Trouble(Exception):
    """What a scripted driver raises; its code is the library's own."""

    def __init__(self, why: str, value: int = 999) -> None:
        super().__init__(why)
        self.value = value


@dataclass
class Used:
    pid: int
    usedGpuMemory: int | None  # noqa: N815  # the library's spelling


@dataclass
class ScriptedLibrary:
    """Stands for ``pynvml`` where there is no GPU. None: that call fails."""

    computing: list[Used] | None
    drawing: list[Used] | Trouble = field(default_factory=list)
    sharing: list[Used] = field(default_factory=list)
    split: bool | Trouble = False
    NVMLError = Trouble
    NVML_ERROR_NOT_SUPPORTED = 3

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid

    def nvmlDeviceGetComputeRunningProcesses(self, _handle: str) -> list[Used]:  # noqa: N802
        if self.computing is None:
            raise Trouble("GPU is lost")
        return self.computing

    def nvmlDeviceGetGraphicsRunningProcesses(self, _handle: str) -> list[Used]:  # noqa: N802
        if isinstance(self.drawing, Trouble):
            raise self.drawing
        return self.drawing

    def nvmlDeviceGetMPSComputeRunningProcesses(self, _handle: str) -> list[Used]:  # noqa: N802
        return self.sharing

    def nvmlDeviceGetMigMode(self, _handle: str) -> tuple[int, int]:  # noqa: N802
        if isinstance(self.split, Trouble):
            raise self.split
        return int(self.split), 0


def driver(library: ScriptedLibrary) -> NvmlDriver:
    made = NvmlDriver()
    made._nvml = library
    return made


def test_each_process_on_a_gpu_is_told_with_its_memory() -> None:
    found = driver(ScriptedLibrary([Used(7, GIB), Used(8, 0)])).processes("GPU-a")
    assert found == ((7, GIB), (8, 0))


def test_one_that_draws_or_shares_counts_too_and_one_that_does_both_counts_once() -> None:
    library = ScriptedLibrary(
        [Used(7, 3 * GIB)], drawing=[Used(7, 3 * GIB), Used(8, GIB)], sharing=[Used(9, 2 * GIB)]
    )
    assert driver(library).processes("GPU-a") == ((7, 3 * GIB), (8, GIB), (9, 2 * GIB))


def test_a_card_that_cannot_draw_keeps_no_list_of_what_does_and_another_failure_is_one() -> None:
    cannot = ScriptedLibrary([Used(7, GIB)], drawing=Trouble("not supported", 3))
    assert driver(cannot).processes("GPU-a") == ((7, GIB),)
    with pytest.raises(SandboxFailed, match="reading a GPU"):
        driver(ScriptedLibrary([], drawing=Trouble("GPU is lost"))).processes("GPU-a")


@pytest.mark.parametrize(
    ("mode", "split"), [(True, True), (False, False), (Trouble("not supported", 3), False)]
)
def test_a_gpu_in_mig_mode_is_none_that_can_be_lent_whole(
    mode: bool | Trouble,  # noqa: FBT001  # what the driver says
    split: bool,  # noqa: FBT001
) -> None:
    assert driver(ScriptedLibrary([], split=mode))._in_mig_mode("GPU-a") is split


@pytest.mark.parametrize("which", ["computing", "drawing"])
def test_a_driver_that_hides_a_processs_memory_cannot_hold_a_limit(which: str) -> None:
    lists: dict[str, list[Used]] = {"computing": [], "drawing": []}
    library = ScriptedLibrary(**lists | {which: [Used(7, None)]})  # type: ignore[arg-type]  # two of its fields
    with pytest.raises(ControlUnavailable, match="does not report"):
        driver(library).processes("GPU-a")


def test_a_driver_that_fails_meanwhile_ends_the_job_by_name() -> None:
    with pytest.raises(SandboxFailed, match="reading a GPU") as caught:
        driver(ScriptedLibrary(None)).processes("GPU-a")
    assert "GPU is lost" in str(caught.value)


# --- asked of an engine -------------------------------------------------------------------

NAMES = ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b", "nvidia.com/gpu=all")


def info(**more: object) -> dict[str, object]:
    return {"CDISpecDirs": ["/etc/cdi"], **more}


def test_an_engine_that_names_gpus_is_asked_for_exactly_those_lent() -> None:
    found = [{"Source": "cdi", "ID": name} for name in NAMES]
    told = cdi.cdi_devices(info(DiscoveredDevices=[*found, {"Source": "cdi", "ID": "x.com/y=1"}]))
    assert told == NAMES
    assert cdi.device_requests(("GPU-a", "GPU-b"), told) == [
        {
            "Driver": "cdi",
            "Count": 0,
            "DeviceIDs": ["nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b"],
            "Capabilities": [],
            "Options": {},
        }
    ]


@pytest.mark.parametrize("names", [(), ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-a")])
def test_where_one_is_not_named_all_are_asked_for_by_uuid_of_the_toolkit(
    names: tuple[str, ...],
) -> None:
    (request,) = cdi.device_requests(("GPU-a", "GPU-b"), names)
    assert (request["Driver"], request["DeviceIDs"]) == ("", ["GPU-a", "GPU-b"])
    assert request["Capabilities"] == [["gpu"]]


def test_no_gpu_is_asked_for_by_a_job_that_was_lent_none() -> None:
    assert cdi.device_requests((), NAMES) == []


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (NAMES, {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}),
        (NAMES[:3], {"Driver": "cdi", "DeviceIDs": list(NAMES[1:3])}),
        ((), {"Count": -1, "Capabilities": [["gpu"]]}),
    ],
)
def test_a_bare_container_gets_every_gpu_in_the_way_that_the_engine_lends_them(
    names: tuple[str, ...], asked: dict[str, object]
) -> None:
    found = [{"Source": "cdi", "ID": name} for name in names]
    assert cdi.every_gpu(info(DiscoveredDevices=found)) == [asked]


@pytest.mark.parametrize("dirs", [None, []])
def test_an_engine_without_cdi_names_nothing(dirs: list[str] | None) -> None:
    found = [{"Source": "cdi", "ID": NAMES[1]}]
    assert cdi.cdi_devices({"CDISpecDirs": dirs, "DiscoveredDevices": found}) == ()


@pytest.mark.program
def test_an_engine_that_reads_cdi_and_does_not_list_it_is_asked_of_the_toolkit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "nvidia-ctk"
    command.write_text("#!/bin/sh\necho nvidia.com/gpu=GPU-a\necho other.com/gpu=GPU-b\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert cdi.cdi_devices(info()) == ("nvidia.com/gpu=GPU-a",)
    command.write_text("#!/bin/sh\nexit 1\n")
    assert cdi.cdi_devices(info()) == ()


# --- under gVisor -------------------------------------------------------------------------

RUNSC = {"Runtimes": {"runsc": {"path": "runsc", "runtimeArgs": ["--oci-seccomp"]}}}
"""What an engine says of a runsc that is found on the PATH."""


def fake_runsc(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A ``runsc`` on the PATH that prints what gVisor's prints; here is no GPU to try."""
    command = folder / "runsc"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


LISTS = """[ "$*" = "nvproxy list-supported-drivers" ] || exit 128
printf '535.129.03\\n570.133.20\\n570.195.03\\n'"""


@pytest.mark.program
def test_the_drivers_that_gvisor_passes_on_are_asked_of_the_engines_own_runsc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_runsc(tmp_path, monkeypatch, LISTS)
    assert listed_drivers(RUNSC) == ("535.129.03", "570.133.20", "570.195.03")
    assert listed_drivers({"Runtimes": {"runc": {"path": "runc"}}}) == ()
    elsewhere = {"Runtimes": {"runsc": {"path": str(tmp_path / "no-runsc")}}}
    assert listed_drivers(elsewhere) == ()


@pytest.mark.program
def test_a_runsc_without_that_command_has_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release of 2022 prints its usage and ends with 128, as the installed one does."""
    fake_runsc(tmp_path, monkeypatch, "echo 'Usage: runsc 1.2 <flags> <subcommand>'; exit 128")
    assert listed_drivers(RUNSC) == ()
    if installed := shutil.which("runsc", path="/usr/bin:/usr/local/bin"):
        listed = listed_drivers({"Runtimes": {"runsc": {"path": installed}}})
        assert all(driver.split(".")[0].isdecimal() for driver in listed)


def test_only_a_driver_that_is_known_not_to_be_in_a_known_list_is_refused(tmp_path: Path) -> None:
    listed = ("535.129.03", "570.133.20", "570.195.03")
    assert why_unlisted("570.195.03", listed) == ""
    assert why_unlisted("", listed) == why_unlisted("570.211.01", ()) == ""
    assert why_unlisted("570.211.01", listed) == (
        "the NVIDIA driver 570.211.01 is not in the list of this runsc; "
        "of this branch it has 570.133.20, 570.195.03"
    )
    assert why_unlisted("595.71.05", listed).endswith("it has none of this branch")
    module = tmp_path / "version"
    assert loaded_driver(module) == ""
    module.write_text("570.211.01\n")
    assert loaded_driver(module) == "570.211.01"


@pytest.mark.program
def test_a_job_with_gpus_under_gvisor_is_refused_with_the_driver_where_the_list_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_runsc(tmp_path, monkeypatch, LISTS)
    limits = replace(ONE, runtime="runsc", pids=128)

    def asked() -> dict[str, tuple[bool, str]]:
        return {key: (given, text) for key, given, text in gvisor.requirements(limits, RUNSC)}

    for driver, why in (
        ("570.211.01", why_unlisted("570.211.01", listed_drivers(RUNSC))),
        ("570.195.03", "which is untested with GPUs"),
        ("", "which is untested with GPUs"),
    ):
        monkeypatch.setattr(gvisor, "loaded_driver", lambda driver=driver: driver)
        assert asked()["gpus"] == (False, f"1 under runsc; {why}")


def test_the_evidence_says_how_gpus_were_lent_and_that_they_are_only_watched() -> None:
    for names, way in ((NAMES, "CDI"), ((), "toolkit")):
        body = {"HostConfig": {"DeviceRequests": cdi.device_requests(("GPU-a",), names)}}
        told = dict(cdi.how_lent(body))
        assert way in told["lent by"]
        assert told["enforced"].startswith("watched")
    assert cdi.how_lent({"HostConfig": {"DeviceRequests": []}}) == ()


@pytest.mark.engine
@pytest.mark.parametrize("names", [NAMES, ()])
def test_either_request_is_read_back_from_the_engine_as_it_was_made(names: tuple[str, ...]) -> None:
    """Only created: starting it needs the GPU."""
    engine = connect()
    name = f"aisci-test-cdi-{len(names)}"
    job = Job(
        scope="gpu/cdi",
        kind="experiment",
        argv=("true",),
        files=Tree(),
        limits=ONE,
        harvest=(),
    )
    make_volume(engine, name, {})
    body = create_request(
        job,
        image=resolve_image(engine, "aisci-storage"),
        volume=name,
        labels={},
        duplex=False,
        gpus=("GPU-a",),
        cdi=names,
    )
    try:
        back = read_back(engine, create_container(engine, body, name), body)
        asked, inspected = back.asked, back.inspected
        request = dict(inspected)["HostConfig.DeviceRequests"]
        assert dict(asked)["HostConfig.DeviceRequests"] == request
        assert ("Driver=cdi" in request, "GPU-a" in request) == (bool(names), True)
    finally:
        remove_container(engine, name)
        remove_volume(engine, name)
        engine.close()


# --- a real container, a scripted driver --------------------------------------------------


@dataclass
class Neighbours:
    """A driver on whose one GPU a stranger uses much, and every new container ``bytes``.

    After ``looks`` of them it fails, if that is not None.
    """

    bytes: int
    looks: int | None = None
    seen: int = 0

    def sample(self, container: str) -> tuple[int, bool]:
        """As :class:`orchestrator.sandbox.gpus.leases.NvmlMeter` does, over processes found just now."""
        self.seen += 1
        if self.looks is not None and self.seen > self.looks:
            raise SandboxFailed("the GPU driver failed while reading a GPU")
        own = [int(pid.name) for pid in Path("/proc").iterdir() if pid.name.isdecimal()]
        mine = [pid for pid in own if container in cgroup_of(pid)]
        used = {"GPU-a": (*((pid, self.bytes) for pid in mine[:1]), (os.getpid(), 60 * GIB))}
        nvml = ScriptedNvml((GpuDevice("GPU-a", 80 * GIB),), used)
        return NvmlMeter(nvml, ("GPU-a",), cgroup_of).sample(container)


def watched(folder: Path, meter: Neighbours, program: str) -> JobResult:
    """A job that was lent a GPU, but for the device itself: this machine has none."""

    class Lent(GpuPool):
        @contextmanager
        def lease(self, *_: object) -> Iterator[GpuLease]:
            yield GpuLease((), meter)  # type: ignore[arg-type]  # a scripted meter

    engine = connect()
    name = f"gpu-{folder.name}"
    limits = replace(LIMITS, image="aisci-storage", gpus=1, gpu_memory=8 * GIB)
    asked = Job(
        scope=f"gpu/{folder.name}",
        kind="experiment",
        argv=("python3", "-c", program),
        files=Tree(),
        limits=limits,
        harvest=(),
    )
    try:
        with opened_sandbox(
            engine, BlobStore(folder), name, lambda image: resolve_image(engine, image), gpus=Lent()
        ) as sandbox:
            return sandbox.run(asked)
    finally:
        engine.close()


@pytest.mark.engine
def test_a_container_over_its_gpu_memory_is_killed_and_its_verdict_says_so(tmp_path: Path) -> None:
    result = watched(tmp_path, Neighbours(9 * GIB), "import time; time.sleep(60)")
    assert result.verdict is Verdict.OUT_OF_GPU_MEMORY
    assert result.attestation.peaks.gpu_memory == 9 * GIB


@pytest.mark.engine
def test_what_other_containers_use_of_a_gpu_ends_nobody_else(tmp_path: Path) -> None:
    result = watched(tmp_path, Neighbours(2 * GIB), "import time; time.sleep(1)")
    assert result.verdict is Verdict.FINISHED
    assert result.attestation.peaks.gpu_memory == 2 * GIB
    assert 0 < result.attestation.peaks.gpu_time <= result.attestation.peaks.wall


@pytest.mark.engine
def test_a_driver_that_fails_while_a_job_runs_ends_the_job(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed, match="GPU driver failed"):
        watched(tmp_path, Neighbours(GIB, looks=2), "import time; time.sleep(60)")


@pytest.mark.engine
def test_an_engine_that_cannot_lend_a_gpu_ends_the_job_and_nothing_is_left(tmp_path: Path) -> None:
    """The driver has one, the engine has neither CDI nor the toolkit: no job runs without it."""
    engine = connect()
    name = f"gpu-{tmp_path.name}"
    asked = Job(
        scope="gpu/none",
        kind="experiment",
        argv=("true",),
        files=Tree(),
        limits=replace(ONE, image="aisci-storage"),
        harvest=(),
    )
    try:
        if "nvidia" in engine.info()["Runtimes"] or cdi.cdi_devices(engine.info()):
            pytest.skip("this engine can lend GPUs")
        gpus = GpuPool(ScriptedNvml(TWO))
        with opened_sandbox(
            engine, BlobStore(tmp_path), name, lambda image: resolve_image(engine, image), gpus=gpus
        ) as sandbox:
            with pytest.raises(EngineFailed, match="starting a job") as failed:
                sandbox.run(asked)
            assert "docs/installing.md" in failed.value.todo
            with gpus.lease(replace(ONE, gpus=2)) as again:
                assert len(again.uuids) == 2  # what was lent came back
        assert resources(engine, name) == ()
    finally:
        engine.close()


IMAGE = "aisci-test-nvidia"


@pytest.fixture
def greedy_image() -> Iterator[str]:
    """An image whose own environment asks for every GPU."""
    engine = connect()
    try:
        recipe = b"FROM aisci-storage\nENV NVIDIA_VISIBLE_DEVICES=all\n"
        engine.images.build(fileobj=io.BytesIO(recipe), tag=IMAGE, rm=True)
        yield str(engine.images.get(IMAGE).id)
        engine.images.remove(IMAGE, force=True)
    finally:
        engine.close()


@pytest.mark.engine
def test_an_image_that_asks_for_every_gpu_gets_none(greedy_image: str, tmp_path: Path) -> None:
    """The toolkit's hook obeys that variable, in a job that asked for no GPU too."""
    engine = connect()
    program = "import os; print(os.environ['NVIDIA_VISIBLE_DEVICES'], *sorted(os.listdir('/dev')))"
    try:
        bare = engine.containers.run(IMAGE, ["python3", "-c", program], remove=True, network="none")
        assert bare.decode().split()[0] == "all"  # the image does what this test says it does

        def images(name: str) -> str:
            return resolve_image(engine, name) if name == "aisci-storage" else greedy_image

        with opened_sandbox(engine, BlobStore(tmp_path), f"gpu-{tmp_path.name}", images) as sandbox:
            result = sandbox.run(
                Job(
                    scope="gpu/void",
                    kind="experiment",
                    argv=("python3", "-c", program),
                    files=Tree(),
                    limits=replace(LIMITS, image=IMAGE),
                    harvest=(),
                )
            )
    finally:
        engine.close()
    value, *devices = result.stdout.split()
    assert value == "void"
    assert not [name for name in devices if name.startswith(("nvidia", "dri"))]
    assert dict(result.attestation.inspected)["Env.NVIDIA_VISIBLE_DEVICES"] == "void"
