"""The doctor says what it tried, what it was told, and what to do; it judges nothing unseen."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api import readiness
from orchestrator.console import doctor as console
from orchestrator.core.errors import AisciError, ControlUnavailable, ImageMissing, SandboxFailed
from orchestrator.core.host import EngineFacts, Host, Tried
from orchestrator.core.job import UNREAD
from orchestrator.machine import self_check as checkup
from orchestrator.machine import system
from orchestrator.machine.doctor import Check, examine
from orchestrator.machine.survey import survey_host
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.engine.reaper import leftovers
from orchestrator.sandbox.gpus.nvproxy import why_unlisted
from tests.support.places import ROOT
from tests.support.report_rig import box

GIB = 2**30
SEEN = (
    ("Uid", "65534 65534 65534 65534"),
    ("NoNewPrivs", "1"),
    ("CapEff", "0000000000000000"),
    ("own net namespace", "yes"),
    ("Seccomp", "2"),
    ("limit cpus", "2"),
    ("limit memory", "3221225472"),
    ("limit pids", "256"),
    ("limit swap", "0"),
)
ENGINE = EngineFacts(
    name="engine",
    version="29.6.0",
    api="1.52",
    kernel="6.1",
    cgroup=2,
    cgroup_driver="systemd",
    rootless=False,
    userns_remap=False,
    security=("name=seccomp,profile=builtin", "name=apparmor"),
    storage_driver="overlay2",
    where="unix:///var/run/docker.sock",
    socket="root:docker 0660",
)
WELL = Host(
    engine=ENGINE,
    runtimes=(Tried("runc", "tested"), Tried("runsc", "absent", "the engine has none")),
    storage=(Tried("loop", "tested"), Tried("tmpfs", "tested")),
    components=(("Engine", "29.6.0"), ("containerd", "2.3.9"), ("runc", "1.4.3")),
    core_pattern="core",
    images=(("aisci-sandbox:cpu", "ready"), ("aisci-sandbox:cuda", "missing")),
    trial=box(seen=SEEN),
    cpus=2,
    memory=16 * GIB,
    memory_free=16 * GIB,
    disk=50 * GIB,
    gpus=(),
)


def named(host: Host) -> dict[str, Check]:
    return {check.name: check for check in examine(host)}


def with_engine(**facts: object) -> Host:
    return replace(WELL, engine=replace(ENGINE, **facts))  # type: ignore[arg-type]  # the fields' own types


def test_a_well_machine_has_nothing_to_mend_and_says_how_each_is_known() -> None:
    assert [c for c in examine(WELL) if c.state in ("fail", "warn")] == []
    assert named(WELL)["limits"].basis == "tested"
    assert named(WELL)["its own data"].basis == "reported"
    assert named(WELL)["memory"].basis == "read"


def test_no_control_is_called_well_that_no_job_was_seen_to_have() -> None:
    """What the engine says of itself is noted, and so is a set-up that was never tried."""
    untried = replace(WELL, trial=None)
    assert named(untried)["limits"].state == named(untried)["system calls"].state == "note"
    assert "says that it" in named(untried)["limits"].found
    assert named(WELL)["limits"].state == named(WELL)["system calls"].state == "ok"
    for facts in ({"rootless": True}, {"userns_remap": True}):
        check = named(with_engine(**facts))["user namespaces"]
        assert (check.state, "untried" in check.found) == ("note", True)


def test_without_an_engine_nothing_is_said_about_it_but_how_to_get_one() -> None:
    seen = replace(WELL, engine=None, why="No Docker engine answers.", todo="install one")
    assert (named(seen)["answers"].state, named(seen)["answers"].todo) == ("fail", "install one")
    assert {check.group for check in examine(seen)} == {"engine", "room"}


# --- the engine ---------------------------------------------------------------------------


def test_an_engine_older_than_any_tried_is_warned_of() -> None:
    assert named(with_engine(api="1.24"))["answers"].state == "warn"


def test_an_engine_on_another_machine_fails() -> None:
    check = named(with_engine(local=False, where="tcp://10.0.0.9:2376"))["reached by"]
    assert (check.state, "10.0.0.9" in check.found) == ("fail", True)


def test_a_socket_that_everybody_may_write_to_fails_and_its_group_is_named_as_root() -> None:
    assert named(with_engine(open_socket=True))["who commands it"].state == "fail"
    check = named(with_engine(members=("ada", "bob")))["who commands it"]
    assert (check.state, "as good as root: ada, bob" in check.found) == ("note", True)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("WARNING: API is accessible on http://0.0.0.0:2375 without encryption.", "fail"),
        ("WARNING: bridge-nf-call-iptables is disabled", "note"),
    ],
)
def test_an_engines_own_warnings_are_passed_on_and_an_open_port_fails(
    text: str, state: str
) -> None:
    check = named(with_engine(warnings=(text,)))["its own warning"]
    assert (check.state, check.found) == (state, text.removeprefix("WARNING: "))
    assert bool(check.todo) is (state == "fail")


# --- controls -----------------------------------------------------------------------------


def test_a_job_that_could_not_run_hardened_fails_with_its_reason() -> None:
    seen = replace(
        WELL,
        runtimes=(Tried("runc", "failed", "no quota holds here"),),
        trial=None,
        trial_todo="mount loop devices",
    )
    check = named(seen)["runtime runc"]
    assert (check.state, check.found) == ("fail", "no quota holds here")
    assert check.todo == "mount loop devices"


def test_gvisor_that_fails_is_warned_of_and_one_that_is_absent_is_offered() -> None:
    failed = replace(WELL, runtimes=(Tried("runsc", "failed", "no"),))
    assert named(failed)["runtime runsc"].state == "warn"
    assert "gvisor" in named(WELL)["runtime runsc"].todo


def test_a_runtime_that_no_policy_can_name_is_not_called_good() -> None:
    seen = replace(WELL, runtimes=(Tried("kata", "listed", "no policy can name it"),))
    check = named(seen)["runtime kata"]
    assert (check.state, check.found) == ("note", "no policy can name it")


def test_a_machine_where_only_memory_can_hold_a_quota_is_warned_of_and_none_at_all_fails() -> None:
    no_loop = Tried("loop", "absent", "no loop device")
    only_memory = replace(WELL, storage=(no_loop, Tried("tmpfs", "tested")))
    assert named(only_memory)["workspace on disk"].state == "warn"
    none = replace(WELL, storage=(no_loop, Tried("tmpfs", "failed", "it did not hold")))
    assert named(none)["workspace on disk"].state == "fail"
    assert named(none)["quota on tmpfs"].state == "warn"


@pytest.mark.parametrize("missing", ["memory", "swap", "pids", "cpu"])
def test_a_limit_that_the_engine_cannot_set_fails_by_name(missing: str) -> None:
    left = tuple(name for name in ENGINE.controls if name != missing)
    check = named(with_engine(controls=left))["limits"]
    assert (check.state, f"cannot limit {missing}" in check.found) == ("fail", True)
    assert check.todo


def test_a_limit_that_the_kernel_did_not_show_fails_though_the_engine_claims_it() -> None:
    seen = tuple(pair for pair in SEEN if pair[0] != "limit pids")
    assert named(replace(WELL, trial=box(seen=seen)))["limits"].state == "fail"
    endless = (*seen, ("limit pids", "no limit"))
    assert named(replace(WELL, trial=box(seen=endless)))["limits"].state == "fail"


@pytest.mark.parametrize(
    "pair",
    [
        ("Uid", "65534 0 65534 65534"),
        ("NoNewPrivs", "0"),
        ("CapEff", "0000000000200000"),
        ("own net namespace", "no"),
    ],
)
def test_a_right_that_a_job_was_seen_to_have_fails_by_name(pair: tuple[str, str]) -> None:
    assert named(WELL)["rights"].state == "ok"
    check = named(replace(WELL, trial=box(seen=tuple((dict(SEEN) | dict([pair])).items()))))[
        "rights"
    ]
    assert (check.state, pair[0] in check.found) == ("fail", True)


def test_what_could_not_be_read_back_for_lack_of_root_is_named_with_what_is_known_instead() -> None:
    """By a user of the engine's group: no check says that it is well, and none that it is not."""
    assert named(WELL)["read back"].state == "ok"
    assert f"all {len(SEEN)} facts" in named(WELL)["read back"].found
    unread = {"own net namespace": UNREAD, "resolv.conf": UNREAD}
    checks = named(replace(WELL, trial=box(seen=tuple((dict(SEEN) | unread).items()))))
    check = checks["read back"]
    assert check.state == "note"
    assert f"{len(SEEN) - 1} of {len(SEEN) + 1} facts" in check.found
    assert check.found.endswith("the engine's report is all that is known: " + ", ".join(unread))
    assert "policy prove" in check.todo
    assert len(check.details) == 3
    assert (checks["rights"].state, "not readable here" in checks["rights"].found) == ("ok", True)
    assert "read back" not in named(replace(WELL, trial=None))


def test_an_engine_without_a_filter_of_system_calls_fails() -> None:
    seen = replace(with_engine(security=()), trial=None)
    assert named(seen)["system calls"].state == "fail"


@pytest.mark.parametrize(
    ("pattern", "state"),
    [("|/usr/share/apport/apport %p", "note"), ("@/run/coredump.socket", "warn")],
)
def test_where_a_crash_would_go_on_the_host_is_told_with_the_switch(
    pattern: str, state: str
) -> None:
    check = named(replace(WELL, core_pattern=pattern))["crashes"]
    assert (check.state, pattern in check.found) == (state, True)
    assert "kernel.core_pattern=core" in check.todo


# --- room ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_an_image_that_is_not_ready_fails_with_the_command_that_builds_it(state: str) -> None:
    check = named(replace(WELL, images=(("aisci-latex:latest", state),)))["aisci-latex:latest"]
    assert (check.state, check.todo) == ("fail", "aisci images build aisci-latex:latest")


def test_an_image_of_more_than_a_month_is_warned_of_with_the_command_that_makes_it_anew() -> None:
    month = 30 * 86400.0
    ages = (("aisci-latex:latest", month + 86400), ("aisci-storage:latest", month + 1))
    found = [one for one in examine(replace(WELL, image_ages=ages)) if one.state == "warn"]
    assert [(one.name, one.found.split(":")[0], one.todo) for one in found] == [
        ("aisci-latex:latest", "31 days old", "aisci images build --fresh aisci-latex:latest")
    ]


def test_the_cuda_image_is_asked_for_only_where_there_is_a_gpu() -> None:
    assert "aisci-sandbox:cuda" not in named(WELL)
    with_gpu = named(replace(WELL, gpus=("GPU-1 (80 GiB)",)))
    assert with_gpu["aisci-sandbox:cuda"].state == "warn"


def test_gpus_that_the_engine_cannot_name_are_warned_of() -> None:
    seen = replace(WELL, gpus=("GPU-1 (80 GiB)",))
    assert named(seen)["lent by"].state == "warn"
    assert named(replace(seen, cdi=("nvidia.com/gpu=GPU-1",)))["lent by"].state == "ok"


def test_whether_gvisor_knows_the_driver_is_told_where_there_are_gpus_and_gvisor() -> None:
    """Otherwise a container would end with `EOF`, and nobody would say why."""
    runsc = Tried("runsc", "tested")
    seen = replace(WELL, gpus=("GPU-1 (80 GiB)",), driver="570.211.01", runtimes=(runsc,))
    assert "under gVisor" not in named(replace(seen, gpus=()))
    assert "under gVisor" not in named(replace(seen, runtimes=(Tried("runc", "tested"),)))
    unknown = named(seen)["under gVisor"]
    assert (unknown.state, "too old to tell" in unknown.found) == ("note", True)
    unlisted = named(replace(seen, gvisor_drivers=("570.195.03",)))["under gVisor"]
    assert (unlisted.state, unlisted.found) == ("warn", why_unlisted("570.211.01", ("570.195.03",)))
    assert "a newer gVisor" in unlisted.todo
    listed = named(replace(seen, gvisor_drivers=("570.195.03", "570.211.01")))["under gVisor"]
    assert (listed.state, "is in the list" in listed.found) == ("note", True)


@pytest.mark.parametrize(("free", "state"), [(50, "ok"), (5, "warn"), (1, "fail")])
def test_room_on_the_disk_is_judged_by_stated_bounds(free: int, state: str) -> None:
    assert named(replace(WELL, disk=free * GIB))["disk"].state == state


def test_little_memory_and_leftovers_are_warned_of_with_what_to_do() -> None:
    seen = named(replace(WELL, memory_free=2 * GIB, leftovers=3))
    assert seen["memory"].state == "warn"
    assert (seen["leftovers"].state, seen["leftovers"].todo) == ("warn", "aisci reap")


# --- the system's own files ---------------------------------------------------------------


def test_a_packages_own_history_says_what_it_mended_and_only_if_it_is_the_one_that_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / "runc").mkdir()
    history = (
        "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high\n\n  * CVE-2024-21626: fds\n\n"
        "runc (1.1.5+ds1-1) unstable; urgency=medium\n\n  * CVE-2023-27561 and CVE-2024-21626\n"
    )
    (tmp_path / "runc" / "changelog.Debian.gz").write_bytes(gzip.compress(history.encode()))
    packages = {"runc": "1.1.5+ds1-1+deb12u1"}
    found = set(system.patched_cves({"runc": "1.1.5+ds1"}, packages, tmp_path))
    assert ("runc", "CVE-2023-27561", "runc 1.1.5+ds1-1") in found
    assert ("runc", "CVE-2024-21626", "runc 1.1.5+ds1-1") in found  # named first there
    assert set(system.patched_cves({"runc": "1.3.0"}, packages, tmp_path)) == set()
    assert set(system.patched_cves({"runc": "1.1.5+ds1"}, {}, tmp_path)) == set()


@pytest.mark.parametrize("data", [b"", b"not gzip", gzip.compress(b"\xff\xfe", mtime=0)[:-4]])
def test_a_history_that_cannot_be_read_mends_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "runc").mkdir()
    (tmp_path / "runc" / "changelog.Debian.gz").write_bytes(data)
    assert set(system.patched_cves({"runc": "1"}, {"runc": "1"}, tmp_path)) == set()


def test_only_installed_packages_count(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: runc\nStatus: install ok installed\nVersion: 1.1.5+ds1-1\n\n"
        "Package: docker.io\nStatus: deinstall ok config-files\nVersion: 20.10\n\n"
        "Package: bash\nStatus: install ok installed\nVersion: 5\n"
    )
    assert system.installed_packages(status) == {"runc": "1.1.5+ds1-1"}
    assert system.installed_packages(tmp_path / "none") == {}


def test_the_disk_of_a_folder_is_that_of_its_nearest_mount_with_its_quotas(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /var/lib/docker rw shared:1 - xfs /dev/sdb rw,prjquota\n"
    )
    there = system.disk_of("/var/lib/docker/volumes", mounts)
    assert there == "xfs on /dev/sdb, with project quotas"
    assert system.disk_of("/var/lib/dockerx", mounts).startswith("ext4 on /dev/sda1, without")


def test_a_sockets_rights_are_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.touch()
    path.chmod(0o600)
    words, members, everybody = system.socket_rights(str(path))
    assert (words.endswith(" 0600"), members, everybody) == (True, (), False)
    path.chmod(0o666)
    assert system.socket_rights(str(path))[2]


@pytest.mark.program
def test_the_toolkits_own_word_on_its_version_is_taken_and_its_silence_is_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "nvidia-ctk"
    command.write_text(
        "#!/bin/sh\necho NVIDIA Container Toolkit CLI version 1.17.8\necho commit: f\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert system.toolkit_version() == "1.17.8"
    command.write_text("#!/bin/sh\nexit 1\n")
    assert system.toolkit_version() == ""


# --- what is drawn, and which policies can run -------------------------------------------


def test_what_an_engine_calls_itself_acts_on_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = with_engine(name="\x1b]52;c;ZXZpbA==\x07[bold red]engine\u202e")
    console._draw(examine(hostile), verbose=True)
    shown = capsys.readouterr().out
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "[bold red]engine" in shown


def test_every_line_says_how_it_is_known_and_what_to_do_stands_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = examine(replace(WELL, leftovers=2))
    console._draw(checks, verbose=False)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= console._WIDE for line in lines)
    (found,) = [number for number, line in enumerate(lines) if "2 of dead runs" in line]
    assert lines[found].split()[0] == "warn"
    assert lines[found].rstrip().endswith("reported")
    assert lines[found + 1].strip() == "→ aisci reap"


def test_a_policy_is_held_to_what_was_tried_and_not_to_what_the_engine_says() -> None:
    policy = load_policy("ci-cpu", ROOT / "policies")
    readiness._as_tried(policy, WELL)
    with pytest.raises(ControlUnavailable, match="hardened job on runc"):
        readiness._as_tried(policy, replace(WELL, runtimes=(Tried("runc", "failed", "no"),)))
    none = (Tried("loop", "absent"), Tried("tmpfs", "failed"))
    with pytest.raises(ControlUnavailable, match="no backend"):
        readiness._as_tried(policy, replace(WELL, storage=none))


def test_where_only_memory_holds_a_quota_a_workspace_above_the_memory_is_refused() -> None:
    policy = load_policy("ci-cpu", ROOT / "policies")
    in_memory = replace(WELL, storage=(Tried("loop", "absent"), Tried("tmpfs", "tested")))
    readiness._as_tried(policy, in_memory)
    large = lowered(policy, {"experiment.resources.memory": "600MiB"})
    with pytest.raises(ControlUnavailable, match="no hard disk quota"):
        readiness._as_tried(large, in_memory)


# --- this machine -------------------------------------------------------------------------


@pytest.mark.program
def test_a_quick_look_tries_nothing() -> None:
    host = survey_host(Path(), probe=False)
    assert host.trial is None
    assert {one.state for one in host.storage + host.runtimes} <= {"listed"}
    assert host.cpus
    assert host.memory >= host.memory_free > 0


@pytest.mark.engine
def test_every_backend_is_tried_by_writing_and_every_runtime_by_a_real_job() -> None:
    host = survey_host(Path(), probe=True)
    assert host.runtime("runc").state == "tested"
    assert all(one.state in ("tested", "absent", "failed") for one in host.storage)
    assert any(one.state == "tested" for one in host.storage)
    assert host.trial is not None
    seen = dict(host.trial.seen)
    limits = [key for key in ("memory", "swap", "pids", "cpus") if int(seen[f"limit {key}"]) >= 0]
    assert len(limits) == 4


def test_without_the_image_that_every_job_needs_nothing_is_called_tried() -> None:
    missing = ImageMissing("the image aisci-storage is not built", todo="aisci images build")
    quick = replace(WELL, trial=None, runtimes=(Tried("runc", "listed"),))
    seen = checkup._untried(quick, missing)
    assert {one.state for one in seen.storage} == {"listed"}
    check = named(seen)["runtime runc"]
    assert (check.state, check.todo) == ("fail", "aisci images build")
    assert "not tried" in check.found
    assert check.basis == "reported"


class Broken:
    """Stands for a depot whose every probe ends in ``error``."""

    def __init__(self, error: AisciError) -> None:
        self.error, self.volumes = error, self

    def probe(self, _backend: str) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SandboxFailed("a disk quota was set and did not hold", why="9 of 8 MiB"), "failed"),
        (ControlUnavailable("no loop device can be made here", why="no such file"), "absent"),
    ],
)
def test_a_quota_that_does_not_hold_is_not_called_one_that_is_not_there(
    error: AisciError, state: str
) -> None:
    found = checkup._backend(Broken(error), "loop")  # type: ignore[arg-type]  # a scripted depot
    assert (found.state, error.what in found.why) == (state, True)


@pytest.fixture(scope="module")
def answer() -> tuple[int, list[dict[str, Any]]]:
    """What the command says of this machine: its exit code and its lines."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.engine
def test_the_doctor_tries_this_machine_and_leaves_nothing(
    answer: tuple[int, list[dict[str, Any]]],
) -> None:
    code, lines = answer
    checks = {line["name"]: line for line in lines}
    assert checks["runtime runc"]["state"] == "ok", checks["runtime runc"]
    assert checks["limits"]["state"] == "ok"
    assert code == (1 if any(line["state"] == "fail" for line in lines) else 0)
    engine = connect()
    try:
        left = [one for one in leftovers(engine) if one.run.startswith("doctor-")]
        running = engine.api.containers(all=True, filters={"label": ["aisci.run"]})
    finally:
        engine.close()
    assert left == []
    assert not [one for one in running if one["Labels"]["aisci.run"].startswith("doctor-")]


@pytest.mark.engine
def test_each_shipped_policy_has_a_line_and_the_one_for_any_machine_can_run(
    answer: tuple[int, list[dict[str, Any]]],
) -> None:
    told = {line["name"]: line for line in answer[1] if line["group"] == "shipped policies"}
    assert set(told) == {path.stem for path in (ROOT / "policies").glob("*.yaml")}
    assert told["ci-cpu"]["state"] == "ok", told["ci-cpu"]
    assert all(line["todo"] for line in told.values() if line["state"] == "refused")
    assert told["base"]["state"] == "refused"


@contextmanager
def over_tcp() -> Iterator[str]:
    """The real engine behind a port of this machine, as a remote one is reached."""
    open_ones = [server := socket.create_server(("127.0.0.1", 0))]

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                near, far = server.accept()[0], socket.socket(socket.AF_UNIX)
                open_ones.extend((near, far))
                far.connect("/var/run/docker.sock")
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # wakes the accept
        serving.join(10)
        for one in open_ones:
            one.close()


@pytest.mark.program
def test_without_an_engine_the_answer_is_short_and_every_policy_points_to_it() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "doctor"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"DOCKER_HOST": "unix:///there/is/none"},
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("docs.docker.com/engine/install") == 1
    assert "ci-cpu" in done.stdout
    assert "the line `answers` says how" in done.stdout
    assert "unix:///there/is/none" in done.stdout  # a wrong DOCKER_HOST is seen for what it is
    assert "`aisci doctor` says" not in done.stdout  # it just did
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


@pytest.mark.engine
def test_an_engine_behind_a_port_is_refused_by_every_line_that_needs_it_here() -> None:
    with over_tcp() as where:
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), "doctor", "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            env=os.environ | {"DOCKER_HOST": where},
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    checks = {line["name"]: line for line in lines}
    assert (done.returncode, checks["reached by"]["state"]) == (1, "fail"), done.stderr
    assert checks["ci-cpu"]["state"] == "refused"
    assert checks["runtime runc"]["state"] == "fail"
