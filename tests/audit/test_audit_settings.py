"""The audit's own table of settings says what the sandbox asks for, and misses none of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.audit import pins, settings
from orchestrator.audit.behaviour import kernel_findings, usage_findings, verdict_findings
from orchestrator.audit.calls import AuditedCall, AuditedContainer
from orchestrator.audit.record import JournalLine, JournalLog
from orchestrator.audit.settings import setting_findings
from orchestrator.core.job import (
    UNREAD,
    Attestation,
    ContainerKind,
    Egress,
    Job,
    Limits,
    Peaks,
    Verdict,
)
from orchestrator.core.model import Usage
from orchestrator.policy.policy import load_policy
from orchestrator.policy.seccomp import forms_under, shipped_profile
from orchestrator.record.attestation import flatten_settings
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Asked, Body
from orchestrator.sandbox.job.spec import create_request
from orchestrator.sandbox.job.verify import hash_profiles
from tests.support import golden_rig
from tests.support.places import ROOT

CASES = [(name, kind) for name in golden_rig.whole_policies() for kind in golden_rig.KINDS]
KEYS = ("User", "WorkingDir", "Entrypoint", "Cmd", "Tty", "OpenStdin", "Healthcheck")
NONE = "0" * 16


def box_of(
    limits: Limits, kind: ContainerKind, *, gpus: tuple[str, ...] = (), cdi: tuple[str, ...] = (),
    data: tuple[tuple[str, str], ...] = (), preload: tuple[str, ...] = (),
) -> AuditedContainer:  # fmt: skip
    """A call as its record would have it, had the engine done exactly as the sandbox asks."""
    job = replace(golden_rig.job_of(limits, kind), data=data, preload=preload)
    body = create_request(
        job, image="sha256:1", volume="aisci-0a-b1", labels={}, duplex=kind == "editor",
        gpus=gpus, cdi=cdi, egress="/tmp/aisci-x/egress.sock" if limits.network else "",
    )  # fmt: skip
    host = body["HostConfig"] | {"SecurityOpt": hash_profiles(body["HostConfig"]["SecurityOpt"])}
    asked = flatten_settings({"Config": {key: body[key] for key in KEYS}, "HostConfig": host,
                  "Image": body["Image"]})  # fmt: skip
    env = ((f"Env.{name}", value) for name, _, value in (e.partition("=") for e in body["Env"]))
    told = Attestation(
        container="c", image="sha256:1", policy="p", engine="docker", kernel="6", storage="loop",
        runtime=limits.runtime, asked=asked, inspected=(*asked, *env), seen=(), hit=(),
        peaks=Peaks(), verdict=Verdict.FINISHED, exit_code=0,
    )  # fmt: skip
    return boxed(job, told)


def boxed(job: Job, told: Attestation) -> AuditedContainer:
    asked = Asked(port="sandbox", scope=job.scope, ord=0, request="", body=Body(), ceiling=Usage())
    line = JournalLine("journal.jsonl", 1, "", asked)
    log = JournalLog("journal.jsonl", Path(), (), "", BlobStore(Path()), ())
    return AuditedContainer(
        AuditedCall(log, line), {}, {}, job.limits, told, job if job.kind != "editor" else None
    )


def with_pairs(box: AuditedContainer, **changed: Any) -> AuditedContainer:
    """The box with other pairs under ``asked``, ``inspected`` or ``seen``."""
    assert box.attestation
    return replace(box, attestation=replace(box.attestation, **changed))


def limits_of(name: str, kind: ContainerKind = "experiment") -> Limits:
    return load_policy(name, golden_rig.SHIPPED).limits(kind)


def said(box: AuditedContainer) -> list[str]:
    return [one.what for one in setting_findings(box, shipped_profile(), {})]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_what_the_sandbox_asks_under_every_shipped_policy_is_what_the_audit_expects(
    name: str, kind: ContainerKind
) -> None:
    limits = limits_of(name, kind)
    uuids = tuple(f"GPU-{number}a-b" for number in range(limits.gpus))
    assert said(box_of(limits, kind, gpus=uuids)) == []
    assert (
        said(box_of(limits, kind, gpus=uuids, cdi=tuple(f"nvidia.com/gpu={u}" for u in uuids)))
        == []
    )


def test_staged_data_is_expected_where_the_job_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "a set, (1)"
    folder.mkdir()
    box = box_of(limits_of("ci-cpu"), "experiment", data=(("set", str(folder)),))
    assert said(box) == []
    assert box.job
    without = replace(box, job=replace(box.job, data=()))
    assert said(without)[0].startswith("HostConfig.Mounts was requested as")


def test_in_place_of_the_proxys_socket_is_no_other_of_the_hosts() -> None:
    box = box_of(limits_of("allowlist-example"), "experiment")
    assert said(box) == []
    for socket in ("/run/docker.sock", "/root/.ssh/agent"):
        asked = tuple(
            (name, value.replace("/tmp/aisci-x/egress.sock", socket))
            for name, value in box.evidence.asked
        )
        assert asked != box.evidence.asked
        other = replace(box, attestation=replace(box.evidence, asked=asked, inspected=asked))
        assert said(other)[0].startswith("HostConfig.Mounts was requested as")


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_a_preloaded_interpreter_is_expected_with_the_packages_that_its_job_names_and_no_others(
    runtime: str,
) -> None:
    limits = replace(limits_of("ci-cpu"), runtime=runtime)
    box = box_of(limits, "experiment", preload=("numpy", "torch"))
    assert said(box) == []
    assert box.job
    for other in ((), ("numpy",), ("numpy", "torch", "requests")):
        found = said(replace(box, job=replace(box.job, preload=other)))
        assert [what.partition(" ")[0] for what in found] == ["Config.Entrypoint"], other
    asked = dict(box.evidence.asked)
    asked["Config.Entrypoint"] = asked["Config.Entrypoint"].replace(
        "def wait", "import spy; def wait"
    )
    pairs = tuple(asked.items())
    env = tuple(pair for pair in box.evidence.inspected if pair[0].startswith("Env."))
    changed = said(with_pairs(box, asked=pairs, inspected=(*pairs, *env)))
    assert [what.partition(" ")[0] for what in changed] == ["Config.Entrypoint"]


def test_nothing_is_preloaded_beside_the_forwarder_of_an_allow_list() -> None:
    limits = replace(limits_of("ci-cpu"), network=("pypi.org:443",))
    assert said(box_of(limits, "experiment", preload=("torch",))) == []
    asked = dict(box_of(limits, "experiment", preload=("torch",)).evidence.asked)
    assert "torch" not in asked["Config.Entrypoint"]


def test_a_record_of_an_earlier_profile_under_gvisor_is_still_as_required() -> None:
    box = box_of(replace(limits_of("ci-cpu"), runtime="runsc"), "experiment")
    now, before = (form.sha256 for form in forms_under(shipped_profile(), "runsc"))
    assert now != before

    def older(sha256: str) -> list[str]:
        pairs = tuple((k, v.replace(now, sha256)) for k, v in box.evidence.asked)
        env = tuple(pair for pair in box.evidence.inspected if pair[0].startswith("Env."))
        return said(with_pairs(box, asked=pairs, inspected=(*pairs, *env)))

    assert older(before) == []
    assert older("0" * 64)[0].startswith("HostConfig.SecurityOpt was requested as")


def test_the_audit_knows_the_program_that_waits() -> None:
    program = (ROOT / "sandbox/preload/wait.py").read_bytes()
    assert hashlib.sha256(program).hexdigest() in settings._WAITING


def named(box: AuditedContainer) -> list[str]:
    assert box.attestation
    return [name for name, _ in box.attestation.asked]


@pytest.mark.parametrize("kind", golden_rig.KINDS)
def test_each_setting_that_is_another_or_missing_or_one_more_is_found_by_its_name(
    kind: ContainerKind,
) -> None:
    box = box_of(limits_of("ci-cpu", kind), kind)
    assert box.attestation
    for name in named(box):
        others = tuple(pair for pair in box.attestation.asked if pair[0] != name)
        env = (pair for pair in box.attestation.inspected if pair[0].startswith("Env."))
        for asked in (others, (*others, (name, "0"))):
            found = said(with_pairs(box, asked=asked, inspected=(*asked, *env)))
            assert [what for what in found if what.startswith(f"{name} was requested as")], name
    more = (*box.attestation.asked, ("HostConfig.VolumesFrom", "x"))
    found = said(with_pairs(box, asked=more, inspected=(*box.attestation.inspected, more[-1])))
    assert found == ["HostConfig.VolumesFrom was requested as 'x'"]


def test_what_the_engine_made_otherwise_is_found() -> None:
    box = box_of(limits_of("ci-cpu"), "experiment")
    assert box.attestation
    for name in named(box):
        inspected = tuple((k, "?" if k == name else v) for k, v in box.attestation.inspected)
        assert (
            "did not create the container as requested"
            in said(with_pairs(box, inspected=inspected))[0]
        )


def test_more_gpus_than_the_policy_lends_are_found() -> None:
    limits = replace(limits_of("default"), gpus=1)
    assert said(box_of(limits, "experiment", gpus=("GPU-1",))) == []
    two = box_of(limits, "experiment", gpus=("GPU-1", "GPU-2"))
    assert said(two)[0].startswith("HostConfig.DeviceRequests was requested as")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"gpus": 0, "gpu_memory": 0}, []),
        ({"gpus": 0}, ["gpu_memory"]),
        ({"gpus": 2}, ["gpus"]),
        ({"gpus": 0, "gpu_memory": 0, "wall": 1e6}, ["wall"]),
    ],
)
def test_a_container_without_the_gpus_of_its_policy_is_no_weaker_and_one_with_more_is(
    change: dict[str, Any], wrong: list[str]
) -> None:
    policy = load_policy("default", ROOT / "policies")
    limits = replace(policy.limits("experiment"), **change)
    container = SimpleNamespace(
        kind="experiment", limits=limits, attestation=None, job=None,
        finding=lambda _name, what, _why: what,
    )  # fmt: skip
    held = SimpleNamespace(
        policy=policy, line=SimpleNamespace(where="line 1"), pins=SimpleNamespace(data=())
    )
    told = pins.limit_findings(container, held)  # type: ignore[arg-type]  # what it reads of both
    assert [str(one).split()[3] for one in told] == wrong


@pytest.mark.parametrize("change", [{"user": "nobody"}, {"seccomp": "{}"}, {"seccomp": "no JSON"}])
def test_limits_that_are_none_are_told_and_nothing_breaks_off(change: dict[str, Any]) -> None:
    box = box_of(limits_of("ci-cpu"), "experiment")
    assert said(replace(box, limits=replace(box.limits, **change)))


# --- the kernel's word, use and verdict -------------------------------------------------------


def seen_of(limits: Limits, runtime: str) -> dict[str, str]:
    ids = " ".join(["65534"] * 4)
    seen = {"Uid": ids, "Gid": ids, "NoNewPrivs": "1", "Seccomp": "2"}
    seen |= dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapAmb"), NONE)
    seen |= {f"own {name} namespace": "yes" for name in ("net", "pid", "ipc", "mnt", "uts")}
    seen |= {"resolv.conf": "nameserver 127.0.0.1; options ndots:1", "limit core file": "1"}
    seen |= {"limit memory": str(limits.memory - 4096), "limit swap": "0"}
    seen |= {"limit pids": str(limits.pids), "limit cpus": f"{limits.cpus:g}"}
    seen |= {"limit file size": str(limits.file), "limit open files": str(limits.open_files)}
    if runtime == "runsc":
        told = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "Seccomp")
        seen |= {f"inside {name}": seen[name] for name in told} | {"user namespace": "own"}
        seen |= {
            "CapEff": "00000000a80c25fb",
            "own pid namespace": "no",
            "limit open files": "1048576",
        }
    else:
        seen["mount of the workspace"] = "ext4 rw,nosuid,nodev,noexec,relatime"
    return seen


def judged(box: AuditedContainer, seen: dict[str, str]) -> list[str]:
    return [one.what for one in kernel_findings(with_pairs(box, seen=tuple(seen.items())))]


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_each_right_or_limit_that_the_kernel_saw_wider_is_found(runtime: str) -> None:
    limits = replace(limits_of("ci-cpu"), runtime=runtime)
    box = box_of(limits, "experiment")
    seen = seen_of(limits, runtime)
    assert judged(box, seen) == []
    theirs = {"Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "CapAmb", "own pid namespace",
              "limit core file", "limit file size", "limit open files"}  # fmt: skip
    for name in seen:
        wider = "no" if name.startswith("own ") else "no limit" if name.startswith("limit") else "?"
        found = judged(box, seen | {name: wider})
        assert bool(found) == (runtime == "runc" or name not in theirs), name


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
@pytest.mark.parametrize("told", [UNREAD, None])
def test_what_only_root_could_read_is_noted_and_no_fault(runtime: str, told: str | None) -> None:
    """``None``: it is not said at all."""
    limits = replace(limits_of("ci-cpu"), runtime=runtime)
    seen = seen_of(limits, runtime)
    names = [name for name in seen if name.startswith("own ") or name == "resolv.conf"]
    names = [name for name in names if runtime == "runc" or name != "own pid namespace"]
    for unread in (*([name] for name in names), names):
        less = {name: value for name, value in seen.items() if name not in unread}
        less |= dict.fromkeys(unread, told) if told else {}
        box = with_pairs(box_of(limits, "experiment"), seen=tuple(less.items()))
        (note,) = kernel_findings(box)
        assert note.level == "noted"
        assert note.what.endswith(f"not read from the kernel: {', '.join(unread)}")


def peaking(box: AuditedContainer, **peaks: float) -> list[str]:
    assert box.attestation
    told = replace(box.attestation, peaks=Peaks(**peaks))  # type: ignore[arg-type]  # numbers
    return [one.what.partition(":")[0] for one in usage_findings(replace(box, attestation=told))]


def test_each_peak_above_its_limit_is_found_and_at_its_limit_is_none() -> None:
    limits = replace(limits_of("default"), gpu_memory=100)
    box = box_of(limits, "experiment", gpus=("GPU-1",))
    at: dict[str, tuple[str, float]] = {
        "memory": ("memory", limits.memory), "processes": ("pids", limits.pids),
        "disk": ("disk", limits.workspace), "files": ("inodes", limits.inodes),
        "time": ("wall", limits.wall), "CPU time": ("cpu_time", limits.cpu_time),
        "output": ("log_bytes", limits.logs), "GPU memory": ("gpu_memory", limits.gpu_memory),
    }  # fmt: skip
    for name, (field, most) in at.items():
        assert peaking(box, **{field: most}) == []
        assert name in peaking(box, **{field: most * 2 + 1000}), name


def test_a_use_below_zero_is_found() -> None:
    box = box_of(limits_of("ci-cpu"), "experiment")
    assert peaking(box, memory=-1, cpu_time=-0.5) == ["recorded with a use below zero"]


@pytest.mark.parametrize(
    ("policy", "told", "what"),
    [
        ("ci-cpu", {"host": "", "count": 3}, "on no allow-list"),
        ("allowlist-example", {"host": "", "count": 3}, None),
        ("allowlist-example", {"address": "8.8.8.8"}, None),
        ("allowlist-example", {"address": "169.254.169.254"}, "no public address"),
        ("allowlist-example", {"address": "localhost"}, "no public address"),
    ],
)
def test_a_connection_that_no_allow_list_lets_through_is_found(
    policy: str, told: dict[str, Any], what: str | None
) -> None:
    box = box_of(limits_of(policy), "experiment")
    assert box.attestation
    egress = Egress(**{"at": 0.1, "host": "api.semanticscholar.org:443", "allowed": True, **told})
    seen = replace(box, attestation=replace(box.attestation, egress=(egress,)))
    assert [what in one.what for one in usage_findings(seen) if what] == [True] * bool(what)
    assert what is not None or list(usage_findings(seen)) == []


@pytest.mark.parametrize("told", [{"runtime": "kata"}, {"storage": "none"}])
def test_a_runtime_or_storage_that_the_limits_do_not_have_is_found(told: dict[str, str]) -> None:
    box = box_of(limits_of("ci-cpu"), "experiment")
    assert box.attestation
    other = replace(box, attestation=replace(box.attestation, **told))  # type: ignore[arg-type]  # texts
    new = {one.what for one in kernel_findings(other)} - {one.what for one in kernel_findings(box)}
    assert [next(iter(told.values())) in what for what in new] == [True]


def test_a_job_that_the_host_ended_may_have_gone_over_what_the_host_holds() -> None:
    box = box_of(limits_of("ci-cpu"), "experiment")
    assert box.attestation
    told = replace(
        box.attestation, killed=Verdict.LOG_FLOOD, verdict=Verdict.LOG_FLOOD, exit_code=137,
        peaks=Peaks(log_bytes=box.limits.logs + 1, wall=box.limits.wall + 20),
    )  # fmt: skip
    late = replace(box, attestation=told)
    assert list(usage_findings(late)) == []
    assert [one.what for one in verdict_findings(replace(late, job=None))] == [
        "the verdict of an edit that was used is log flood; from how it ended follows finished"
    ]
