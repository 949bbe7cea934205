"""XFS projects: where the backend says no, and how a job's folder is emptied.

The backend itself needs an XFS with project quotas below the engine: the campaign's machine
has one (``test_machine.py``).
"""

from __future__ import annotations

import importlib.util
import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from orchestrator.core.errors import ControlUnavailable, DiskFull, EngineFailed, SandboxFailed
from orchestrator.core.job import Verdict
from orchestrator.policy.seccomp import DEFAULT, profile_of
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.job.verify import WORKSPACE, check_workspace, workspace_of
from orchestrator.sandbox.storage.quota import BACKENDS, Quota
from orchestrator.sandbox.storage.xfs import mount_of, pool_folder, project_folder
from tests.contracts.sandbox import Scenario, job_of
from tests.support.places import ROOT
from tests.support.sandbox_rig import DockerBench, backend_here, docker_bench, resources

QUOTA = Quota(bytes=1 << 20, inodes=16, uid=65534, gid=65534)
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 254:32 / /var/lib/docker rw,relatime - xfs /dev/vdc rw,attr2,prjquota
31 22 254:48 / /srv/a\\040b rw shared:9 master:1 - xfs /dev/vdd rw,noquota
32 30 0:40 / /var/lib/docker/volumes/x/_data rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind", "option"),
    [
        ("/home", "ext4", "rw"),
        ("/var/lib/docker/volumes/pool/_data", "xfs", "prjquota"),
        ("/var/lib/dockerx", "ext4", "rw"),
        ("/srv/a b/volumes", "xfs", "noquota"),
        ("/var/lib/docker/volumes/x/_data/deep", "tmpfs", "rw"),
    ],
)
def test_the_file_system_below_a_folder_is_read_from_the_kernels_mounts(
    folder: str, kind: str, option: str
) -> None:
    found = mount_of(Path(folder), MOUNTS)
    assert (found.kind, option in found.own) == (kind, True)


def engine_that_keeps_volumes_in(folder: str) -> Any:
    return SimpleNamespace(api=SimpleNamespace(inspect_volume=lambda _: {"Mountpoint": folder}))


@pytest.mark.parametrize(
    ("folder", "why"), [("/home/v", "on ext4, not on XFS"), ("/srv/a b/v", "without prjquota")]
)
def test_a_disk_without_project_quotas_is_named_before_anything_starts(
    tmp_path: Path, folder: str, why: str
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    with pytest.raises(ControlUnavailable, match="project quota") as caught:
        pool_folder(engine_that_keeps_volumes_in(folder), "pool", tmp_path / "mounts")
    assert why in caught.value.why
    held = engine_that_keeps_volumes_in("/var/lib/docker/v")
    assert pool_folder(held, "pool", tmp_path / "mounts") == "/var/lib/docker/v"


class ScriptedMaker:
    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, [""]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request["op"])
        return self.answers.get(request["op"], {"ok": True})


@pytest.mark.parametrize(
    ("number", "kind"), [(28, DiskFull), (1, ControlUnavailable), (38, ControlUnavailable)]
)
def test_a_folder_that_cannot_be_made_is_not_used(number: int, kind: type[Exception]) -> None:
    maker = ScriptedMaker(make={"ok": False, "error": "no", "errno": number})
    with pytest.raises(kind), project_folder(maker, "job", QUOTA):  # type: ignore[arg-type]  # scripted
        pytest.fail("it was handed out")
    assert "free" not in maker.asked


def test_a_folder_that_stays_is_said_and_not_passed_over() -> None:
    maker = ScriptedMaker(free={"ok": False, "error": "busy", "errno": 16})
    with (
        pytest.raises(EngineFailed, match="could not be removed"),
        project_folder(
            maker,  # type: ignore[arg-type]  # scripted
            "job",
            QUOTA,
        ),
    ):
        pass


@pytest.fixture
def projects() -> ModuleType:
    path = ROOT / "sandbox" / "storage" / "projects.py"
    spec = importlib.util.spec_from_file_location("projects", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_folder_is_emptied_however_deep_its_own_are_and_whatever_their_names(
    projects: ModuleType, tmp_path: Path
) -> None:
    """No path grows long and no stack deep: a job may nest as many folders as it has inodes."""
    outside = tmp_path / "outside"
    outside.write_text("stays")
    top = tmp_path / "job"
    top.mkdir()
    (top / "link").symlink_to(outside)
    os.mkfifo(top / "pipe")
    (top / os.fsdecode(b"\xff\n-rf")).mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(3000):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(here)
        here = below
    os.close(here)
    folder = os.open(top, os.O_RDONLY)
    while projects.empty(folder):
        pass
    os.close(folder)
    assert list(top.iterdir()) == []
    assert outside.read_text() == "stays"


def test_a_name_that_is_a_path_makes_no_folder(projects: ModuleType) -> None:
    for name in ("../x", "a/b", "", "."):
        with pytest.raises(OSError, match="not a folder's name"):
            projects.path_of(name)


def test_aiscis_own_profile_refuses_the_two_calls_that_leave_a_project_and_no_other_type() -> None:
    allowed = [
        (rule.args[0].value, rule.args[0].valueTwo)
        for rule in profile_of(DEFAULT).syscalls
        if "ioctl" in rule.names
    ]
    passes = {kind for kind in range(256) if any(kind << 8 & m == v for m, v in allowed)}
    assert set(range(256)) - passes == {ord("f"), ord("X")}
    high_bits = 1 << 40 | 0x401C5820  # the kernel itself looks at 32 bits only
    assert not any(high_bits & mask == value for mask, value in allowed)


@pytest.mark.parametrize("missing", ["nosuid", "nodev", "noexec"])
def test_a_workspace_mounted_with_more_than_was_asked_is_not_used(missing: str) -> None:
    options = [name for name in ("rw", "nosuid", "nodev", "noexec", "relatime") if name != missing]
    seen = ((WORKSPACE, f"ext4 {','.join(options)}"),)
    with pytest.raises(SandboxFailed, match=missing):
        check_workspace(seen, "loop")
    check_workspace(seen, "xfs")  # asked for none; what there is stands in the attestation
    check_workspace((), "loop")  # gVisor's, and where the host may not look


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_working_folder_that_is_no_mount_at_all_is_not_used(backend: str) -> None:
    """Then it would be the image's own folder, with no quota: the kernel says so of this process."""
    with pytest.raises(SandboxFailed, match="not mounted as requested"):
        check_workspace(workspace_of(os.getpid(), "/workspace/results/template/idea"), backend)


LEAVES = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open('.', os.O_RDONLY)
    for request in (0x401C5820, 0x40086602, 1 << 40 | 0x401C5820):
        number = libc.syscall(ctypes.c_long(16), here, ctypes.c_ulong(request), bytes(32))
        print(number, ctypes.get_errno())
    os.mkdir('run_1')
    for i in range(9): open(f'f{i}', 'wb').write(bytes(8 << 20))
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("xfs")
    with docker_bench(folder, f"xfs-{folder}") as bench:
        yield bench


@pytest.mark.engine
def test_no_job_takes_its_files_out_of_their_project_or_its_quota(bench: DockerBench) -> None:
    scenario = Scenario(textwrap.dedent(LEAVES))
    result = bench.run(job_of(bench, scenario), scenario)
    assert result.stdout.splitlines() == ["-1 1"] * 3  # EPERM, and so for what a kernel truncates
    assert result.verdict is Verdict.OUT_OF_STORAGE
    assert result.attestation.storage == backend_here()
    words = dict(result.attestation.seen)[WORKSPACE]
    assert words.startswith("xfs rw" if backend_here() == "xfs" else "ext4 rw,nosuid,nodev,noexec")


@pytest.mark.engine
def test_a_profile_that_lets_a_job_leave_its_project_gets_another_backend(
    bench: DockerBench,
) -> None:
    lax = json.loads(profile_of(DEFAULT).text)
    lax["syscalls"].append({"names": ["ioctl"], "action": "SCMP_ACT_ALLOW"})
    scenario = Scenario("pass")
    result = bench.run(job_of(bench, scenario, seccomp=json.dumps(lax)), scenario)
    assert result.attestation.storage == "loop"
    if backend_here() == "xfs":
        with pytest.raises(ControlUnavailable, match="would not bind a job"):
            bench.depot.volumes.probe("xfs", json.dumps(lax))


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the engine's volumes")
def test_a_pool_is_empty_when_its_jobs_have_ended(bench: DockerBench) -> None:
    scenario = Scenario(
        "import os\nfor i in range(300): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)"
    )
    assert bench.run(job_of(bench, scenario), scenario).ok
    pools = [name for name in resources(bench.engine, bench.run_id) if name.endswith("-pool")]
    assert pools
    for pool in pools:
        folder = Path(bench.engine.api.inspect_volume(pool)["Mountpoint"])
        assert list(folder.iterdir()) == []


@pytest.mark.engine
def test_where_it_cannot_be_had_the_next_backend_is_taken(tmp_path: Path) -> None:
    if backend_here() == "xfs":
        pytest.skip("this machine has XFS with project quotas")
    engine = connect()
    try:
        bench = DockerBench(engine, tmp_path, f"no-xfs-{tmp_path}")
        with bench.sandbox.pool, pytest.raises(ControlUnavailable, match="project quota"):
            bench.depot.volumes.probe("xfs")
    finally:
        engine.close()
