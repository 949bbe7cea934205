"""Which system calls a container may make: read strictly, compared soundly, and really refused."""

from __future__ import annotations

import json
import platform
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import BadPolicy, SandboxFailed
from orchestrator.core.files import shipped_root
from orchestrator.core.job import JobResult
from orchestrator.core.tree import Tree, canonical
from orchestrator.core.units import parse_size
from orchestrator.policy.compare import compare, no_weaker
from orchestrator.policy.policy import Policy, load_policy, policy_text
from orchestrator.policy.seccomp import (
    PROFILE_BYTES,
    Profile,
    profile_of,
    read_profile,
    shipped_profile,
    under,
)
from orchestrator.record.events import RunStarted, read_event
from orchestrator.record.pins import PolicyPin
from orchestrator.research.pins import policy_of
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job.spec import create_request
from orchestrator.sandbox.job.verify import hash_profiles, read_back
from tests.contracts.sandbox import LIMITS, MIB, Scenario, job_of
from tests.support.journal_rig import run_started
from tests.support.sample import some
from tests.support.sandbox_rig import DockerBench, docker_bench

ROOT = shipped_root() / "policies"
OWN = ROOT / "seccomp" / "default.json"


# --- a profile's file ----------------------------------------------------------------------


def rule(*names: str, action: str = "SCMP_ACT_ALLOW", **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": action, **more}


def profile(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"]}
    return {**head, "syscalls": list(rules) or [rule("read")], **more}


def same(index: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def test_aiscis_own_profile_is_short_and_each_group_says_what_it_is_for() -> None:
    data = json.loads(OWN.read_text())
    assert parse_size("64KiB") == PROFILE_BYTES > OWN.stat().st_size
    for before, one in pairwise([{"names": []}, *data["syscalls"]]):
        goes_on = one["names"] == before["names"]  # several rules that cover one thing together
        assert one.get("comment") or goes_on, one["names"]
    assert data["defaultAction"] == "SCMP_ACT_ERRNO"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[" * 60_000, "nested too deep"),
        ('{"a": 1, "a": 2}', "occurs twice"),
        (b"\xff", "utf-8"),
        (" " * (PROFILE_BYTES + 1), "more than"),
        (profile(defaultAction="SCMP_ACT_ALLOW"), "defaultAction: 'SCMP_ACT_ALLOW' is not one of"),
        (profile(defaultAction="SCMP_ACT_LOG"), "defaultAction"),
        (profile(flags=["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]), "unknown key 'flags'"),
        (profile(listenerPath="/x"), "listenerPath"),
        (profile(defaultErrnoRet=38), "defaultErrnoRet"),
        (profile(rule("read", includes={"caps": ["CAP_SYS_ADMIN"]})), "includes"),
        (profile(rule("read", action="SCMP_ACT_TRACE")), "action"),
        (profile(rule("read", action="SCMP_ACT_NOTIFY")), "action"),
        (profile(rule("read", action="SCMP_ACT_LOG")), "action"),
        (profile(rule("read", errnoRet=1)), "only the action SCMP_ACT_ERRNO has"),
        (profile(rule("read", action="SCMP_ACT_ERRNO", errnoRet=0)), "errnoRet"),
        (profile(rule()), "names"),
        (profile(rule("../read")), "names"),
        (profile(rule("read", args=[same(6, 0)])), "index"),
        (profile(rule("read", args=[same(0, 2**64)])), "value"),
        (profile(rule("read", args=[same(0, 1), same(0, 2)])), "accepts a call that meets either"),
        (profile(architectures=[]), "either architectures or archMap"),
        (profile(archMap=[{"architecture": "SCMP_ARCH_X86_64"}]), "either architectures"),
        ({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"]}, "syscalls"),
    ],
)
def test_what_an_engine_would_pass_over_or_take_otherwise_is_refused(
    tmp_path: Path, text: Any, why: str
) -> None:
    path = tmp_path / "mine.json"
    raw = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    with pytest.raises(BadPolicy, match=why) as refused:
        read_profile(path)
    assert str(path) in str(refused.value)


def test_comments_and_form_do_not_change_a_profile_and_each_rule_does(tmp_path: Path) -> None:
    data = json.loads(OWN.read_text())
    path = tmp_path / "again.json"
    for one in data["syscalls"]:
        one["comment"] = "another"
    path.write_text(json.dumps(data, indent=7))
    assert read_profile(path).sha256 == shipped_profile().sha256
    for index in range(len(data["syscalls"])):
        fewer = data | {"syscalls": data["syscalls"][:index] + data["syscalls"][index + 1 :]}
        path.write_text(json.dumps(fewer))
        assert read_profile(path).sha256 != shipped_profile().sha256


# --- comparing two -------------------------------------------------------------------------

ARGS = st.lists(
    st.builds(same, st.integers(0, 1), st.integers(0, 1)),
    max_size=2,
    unique_by=lambda a: a["index"],
)
RULES = st.builds(
    lambda name, action, args: rule(name, action=action, args=args),
    st.sampled_from(["read", "write"]),
    st.sampled_from(["SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"]),
    ARGS,
)
PROFILES = st.lists(RULES, min_size=1, max_size=4).map(lambda rules: profile(*rules))


def matching(of: dict[str, Any], name: str, args: tuple[int, int]) -> set[str]:
    """The actions of all rules that fit one call: engines differ in which of several wins."""
    return {
        one["action"]
        for one in of["syscalls"]
        if name in one["names"] and all(args[a["index"]] == a["value"] for a in one["args"])
    }


@given(PROFILES, PROFILES)
def test_a_profile_that_is_no_weaker_allows_no_call_that_the_other_refuses(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    if not no_weaker(profile_of(before), profile_of(after)):
        return
    calls = [(name, (x, y)) for name in ("read", "write") for x in (0, 1) for y in (0, 1)]
    for name, args in calls:
        if "SCMP_ACT_ALLOW" in matching(after, name, args):
            assert matching(before, name, args) == {"SCMP_ACT_ALLOW"}


def test_fewer_calls_or_more_conditions_are_stronger_and_anything_else_is_not() -> None:
    base = profile_of(profile(rule("read", "write"), rule("socket", args=[same(0, 1)])))
    stronger = (
        profile(rule("read")),
        profile(rule("read", args=[same(0, 3)]), rule("write")),
        profile(rule("socket", args=[same(0, 1), same(2, 0)])),
        profile(rule("read"), rule("ptrace", action="SCMP_ACT_KILL")),
        profile(rule("read"), defaultAction="SCMP_ACT_KILL_PROCESS"),
    )
    weaker = (
        profile(rule("read", "ptrace")),
        profile(rule("socket")),
        profile(rule("socket", args=[same(0, 2)])),
        profile(rule("read"), architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]),
    )
    assert all(no_weaker(base, profile_of(one)) for one in stronger)
    assert not any(no_weaker(base, profile_of(one)) for one in weaker)


def test_sub_architectures_count_on_the_machine_that_has_them() -> None:
    one = {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}
    both = one | {"subArchitectures": ["SCMP_ARCH_X86"]}
    narrow = profile_of({**profile(), "architectures": [], "archMap": [one]})
    wide = profile_of({**profile(), "architectures": [], "archMap": [both]})
    assert no_weaker(wide, narrow)
    assert not no_weaker(narrow, wide)


# --- in a policy ---------------------------------------------------------------------------


def policy_with(folder: Path, data: dict[str, Any], extends: str = "ci-cpu") -> Policy:
    (folder / "mine.json").write_text(json.dumps(data))
    file = folder / "mine.yaml"
    file.write_text(
        f"version: 1\nname: mine\ndescription: A test.\nextends: {extends}\n"
        "experiment: {seccomp: ./mine.json}\n"
    )
    return load_policy(str(file), ROOT)


def few(rules: int) -> dict[str, Any]:
    whole = shipped_profile().normal()
    return whole | {"syscalls": whole["syscalls"][:rules]}


def narrower() -> dict[str, Any]:
    return few(4)


def test_a_file_beside_the_policy_stands_in_the_effective_policy_in_full(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, narrower())
    assert profile_of(policy.limits("experiment").seccomp) == profile_of(narrower())
    assert policy.limits("latex").seccomp == "default"
    again = tmp_path / "effective.yaml"
    again.write_text(policy_text(policy, effective=True))
    (tmp_path / "mine.json").unlink()
    assert load_policy(str(again), ROOT).hash == policy.hash
    (change,) = (
        one
        for one in compare(load_policy("ci-cpu", ROOT).settings, policy.settings)
        if one.path[-1] == "seccomp"
    )
    assert change.verdict == "stronger"


def test_a_changed_file_is_another_policy(tmp_path: Path) -> None:
    before = policy_with(tmp_path, narrower())
    assert policy_with(tmp_path, few(3)).hash != before.hash


def test_a_run_goes_on_with_the_profile_that_it_began_with(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, narrower())
    pin = PolicyPin(
        name=policy.name, origin=policy.origin, hash=policy.hash, settings=policy.settings
    )
    line = canonical(run_started(policy=pin))
    (tmp_path / "mine.json").write_text(json.dumps(shipped_profile().normal()))
    read = read_event(line)
    assert isinstance(read, RunStarted)
    resumed = policy_of(read.pins)
    assert resumed.limits("experiment") == policy.limits("experiment")
    assert resumed.hash == policy.hash


def test_a_profile_that_may_allow_more_needs_its_reason(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match=r"mine.yaml:5:14: experiment.seccomp"):
        policy_with(tmp_path, profile(rule("read", "ptrace")))


def test_a_profile_that_is_not_there_is_named_with_the_policys_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    body = "version: 1\nname: m\ndescription: x\nextends: ci-cpu\nlatex: {seccomp: ./no.json}\n"
    file.write_text(body)
    with pytest.raises(BadPolicy, match=r"mine.yaml:5:9: latex.seccomp[\s\S]*No such file"):
        load_policy(str(file), ROOT)


# --- on the engine -------------------------------------------------------------------------


def test_evidence_holds_a_profiles_hash_however_an_engine_writes_it() -> None:
    loose = json.dumps(shipped_profile().normal(), indent=3)
    short = hash_profiles(["no-new-privileges:true", f"seccomp={loose}"])
    assert short == ["no-new-privileges:true", f"seccomp=sha256:{shipped_profile().sha256}"]
    assert hash_profiles(["seccomp=unconfined"]) == ["seccomp=unconfined"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("seccomp")
    with docker_bench(folder, f"seccomp-{folder}") as bench:
        yield bench


def run(bench: DockerBench, program: str, **limits: Any) -> JobResult:
    scenario = Scenario(textwrap.dedent(program))
    return bench.run(job_of(bench, scenario, **limits), scenario)


# Each call is made in a child of its own, with arguments that do nothing where it is let through.
CALLS = """
    import ctypes, json, os
    libc = ctypes.CDLL(None, use_errno=True)
    P = 1  # a pointer to nowhere
    PATH = ctypes.cast(ctypes.create_string_buffer(b'/tmp/device'), ctypes.c_void_p).value
    CALLS = {
        'ptrace': (101, 0, 0, 0, 0),
        'process_vm_readv': (310, -1, 0, 0, 0, 0, 0), 'process_vm_writev': (311, -1, 0, 0, 0, 0, 0),
        'pidfd_getfd': (438, -1, 0, 0), 'kcmp': (312, -1, -1, 0, 0, 0),
        'process_madvise': (440, -1, 0, 0, 0, 0),
        'mount': (165, P, P, P, 0, 0), 'umount2': (166, P, 0), 'pivot_root': (155, P, P),
        'chroot': (161, P), 'move_mount': (429, -1, P, -1, P, 0), 'open_tree': (428, -1, P, 0),
        'fsopen': (430, P, 0), 'fsconfig': (431, -1, 0, 0, 0, 0), 'fsmount': (432, -1, 0, 0),
        'fspick': (433, -1, P, 0), 'mount_setattr': (442, -1, P, 0, P, 0),
        'unshare -U': (272, 0x10000000), 'unshare -n': (272, 0x40000000), 'setns': (308, -1, 0),
        'clone -U': (56, 0x10000000 | 17, 0, 0, 0, 0), 'clone -m': (56, 0x00020000 | 17, 0, 0, 0, 0),
        'keyctl': (250, 0, -3, 1), 'add_key': (248, P, P, P, 0, 0), 'request_key': (249, P, P, P, 0),
        'bpf': (321, 0, P, 0), 'perf_event_open': (298, P, 0, 0, 0, 0),
        'userfaultfd': (323, 0), 'io_uring_setup': (425, 4, P), 'io_uring_enter': (426, -1, 0, 0, 0, 0),
        'io_uring_register': (427, -1, 0, 0, 0), 'io_setup': (206, 1, P),
        'open_by_handle_at': (304, -1, P, 0), 'name_to_handle_at': (303, -1, P, P, P, 0),
        'quotactl': (179, -1, P, 0, P), 'personality': (135, 0x0040000),
        'fanotify_init': (300, 0, 0), 'modify_ldt': (154, 0, 0, 0),
        'memfd_secret': (447, 0), 'vmsplice': (278, -1, P, 0, 0),
        'shmget': (29, 0, 4096, 0o1600), 'msgget': (68, 0, 0o1600), 'semget': (64, 0, 1, 0o1600),
        'mq_open': (240, P, 0, 0, 0), 'syslog': (103, 10, 0, 0), 'acct': (163, P),
        'settimeofday': (164, P, 0), 'clock_settime': (227, 0, P), 'adjtimex': (159, P),
        'reboot': (169, 0, 0, 0, 0), 'swapon': (167, P, 0), 'swapoff': (168, P),
        'kexec_load': (246, 0, 0, 0, -1), 'init_module': (175, P, 1, P),
        'finit_module': (313, -1, P, 0), 'delete_module': (176, P, 0),
        'iopl': (172, 9), 'ioperm': (173, -1, 1, 1), 'sethostname': (170, P, 1),
        'move_pages': (279, 0, 0, 0, 0, 0, 0), 'landlock': (444, 0, 0, 1), 'sync': (162,),
        'mknod': (133, PATH, 0o20666, 0x103),
        'netfilter': (41, 16, 3, 12), 'vsock': (41, 40, 1, 0), 'packet': (41, 17, 3, 0),
        'alg': (41, 38, 5, 0), 'bluetooth': (41, 31, 3, 0), 'socketpair -n': (53, 16, 3, 0, P),
        'clone3': (435, 0, 0),
    }
    seen = {}
    for name, words in CALLS.items():
        ends = os.pipe()
        child = os.fork()
        if child == 0:
            got = libc.syscall(*map(ctypes.c_long, words))
            error = ctypes.get_errno() if got < 0 else 0
            if words[0] != 56 or got != 0:  # a clone's own child says nothing
                os.write(ends[1], str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(ends[1])
        seen[name] = int(os.read(ends[0], 9) or -1)
        os.close(ends[0])
    print(json.dumps(seen))
"""
EPERM, ENOSYS = 1, 38
# Each that one of these calls asks for; a test machine's engine may lack others, so not ALL.
CAPABILITIES = [
    "SYS_ADMIN",
    "SYS_PTRACE",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_BOOT",
    "SYS_TIME",
    "SYS_RAWIO",
    "SYS_PACCT",
    "SYSLOG",
    "SYS_NICE",
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "NET_RAW",
    "MKNOD",
]

x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are x86-64's")


def privileged(engine: Engine, program: str, profile_text: str) -> str:
    """What a program says as root with every capability that matters: only the profile can refuse it a call."""
    host = engine.api.create_host_config(
        network_mode="none",
        security_opt=["no-new-privileges:true", f"seccomp={profile_text}"],
        cap_add=CAPABILITIES,
        mem_limit=256 * MIB,
        pids_limit=64,
    )
    argv = ["python3", "-c", textwrap.dedent(program)]
    image = resolve_image(engine, "aisci-storage")
    made = engine.api.create_container(image, argv, host_config=host)["Id"]
    try:
        engine.api.start(made)
        engine.api.wait(made, timeout=60)
        return str(engine.api.logs(made, stderr=False).decode())
    finally:
        engine.api.remove_container(made, force=True)


@pytest.fixture(scope="module")
def seen(bench: DockerBench) -> dict[str, dict[str, int]]:
    """Each call's errno: in a job, and as root with every capability, with and without it."""
    job = run(bench, CALLS)
    assert job.ok, job.stderr
    return {
        "job": json.loads(job.stdout),
        "filtered": json.loads(privileged(bench.engine, CALLS, shipped_profile().text)),
        "bare": json.loads(privileged(bench.engine, CALLS, "unconfined")),
    }


NAMES = [line.strip().split("'")[i] for line in CALLS.splitlines() if "': (" in line
         for i in range(1, line.count("'"), 2) if line.strip().split("'")[i + 1].startswith(": (")]  # fmt: skip


@x86
@pytest.mark.engine
@pytest.mark.parametrize("name", [name for name in NAMES if name != "clone3"])
def test_a_call_is_refused_by_the_profile_alone_and_works_without_it(
    seen: dict[str, dict[str, int]], name: str
) -> None:
    assert seen["job"][name] == EPERM
    assert seen["filtered"][name] == EPERM, "a capability was all that stood in its way"
    assert seen["bare"][name] != EPERM, "it fails without the profile too, so this shows nothing"


@x86
@pytest.mark.engine
def test_clone3_is_said_not_to_exist_so_that_libc_takes_clone(
    seen: dict[str, dict[str, int]],
) -> None:
    assert (seen["job"]["clone3"], seen["filtered"]["clone3"]) == (ENOSYS, ENOSYS)
    assert seen["bare"]["clone3"] not in {EPERM, ENOSYS}


INT80 = """
    import ctypes, mmap, os
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))  # the 32-bit getpid
    child = os.fork()
    if child == 0:
        at = ctypes.addressof(ctypes.c_char.from_buffer(code))
        os._exit(0 if ctypes.CFUNCTYPE(ctypes.c_int)(at)() == os.getpid() else 1)
    print(os.waitpid(child, 0)[1], flush=True)
    os._exit(0)
"""


@x86
@pytest.mark.engine
def test_a_32_bit_call_ends_the_process(bench: DockerBench) -> None:
    """Its numbers mean other calls, and kernels have had holes behind them."""
    sigsys = 31
    assert int(run(bench, INT80).stdout) & 0x7F == sigsys
    if int(privileged(bench.engine, INT80, "unconfined")) != 0:
        pytest.skip("this kernel takes no 32-bit calls at all")


@pytest.mark.engine
def test_a_policys_own_profile_is_what_the_kernel_goes_by(bench: DockerBench) -> None:
    makes = "import os; print(os.memfd_create('x'))"
    less = shipped_profile().normal()
    for one in less["syscalls"]:
        one["names"] = [name for name in one["names"] if name != "memfd_create"]
    mine = profile_of(less)
    assert run(bench, makes).ok
    result = run(bench, makes, seccomp=mine.text)
    assert "Operation not permitted" in result.stderr
    evidence = dict(result.attestation.inspected)["HostConfig.SecurityOpt"]
    assert f"sha256:{mine.sha256}" in evidence
    assert len(evidence) < 200


@pytest.mark.engine
def test_an_engine_that_took_another_profile_is_found_out(bench: DockerBench) -> None:
    job = replace(job_of(bench, Scenario("pass")), files=Tree())
    body = create_request(job, image=resolve_image(bench.engine, "aisci-storage"), volume="aisci-test-seccomp",
                   labels={}, duplex=False)  # fmt: skip
    other = under(shipped_profile(), "runsc").text
    made = body | {
        "HostConfig": body["HostConfig"]
        | {"SecurityOpt": ["no-new-privileges:true", f"seccomp={other}"], "Mounts": []}
    }
    asked = body | {"HostConfig": body["HostConfig"] | {"Mounts": []}}
    name = "aisci-test-seccomp"
    try:
        container = create_container(bench.engine, made, name)
        with pytest.raises(SandboxFailed, match=r"SecurityOpt.*sha256"):
            read_back(bench.engine, container, asked)
    finally:
        remove_container(bench.engine, name)


# What research needs, in the image that it gets; each answers with what it got.
NEEDS = """
    import json, os, socket, subprocess, sys
    os.environ |= {'MPLCONFIGDIR': '/tmp/mpl', 'TORCHINDUCTOR_CACHE_DIR': '/tmp/inductor'}
    import numpy, torch
    from multiprocessing import shared_memory
    from torch.utils.data import DataLoader, TensorDataset
    def workers(context):
        data = TensorDataset(torch.arange(64.0))
        loader = DataLoader(data, batch_size=8, num_workers=2, multiprocessing_context=context)
        return sum(batch[0].sum().item() for batch in loader)
    def fork():
        return workers('fork')
    def spawn():
        return workers('spawn')
    def compiled():
        return round(torch.compile(lambda x: x * 2 + 1)(torch.ones(8)).sum().item())
    def gloo():
        os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': '29500'}
        torch.distributed.init_process_group('gloo', rank=0, world_size=1)
        one = torch.ones(1); torch.distributed.all_reduce(one)
        return one.item()
    def forest():
        from sklearn.ensemble import RandomForestClassifier
        x = numpy.arange(40.0).reshape(20, 2)
        return RandomForestClassifier(4, n_jobs=2).fit(x, x[:, 0] > 20).predict(x).shape[0]
    def picture():
        import matplotlib; matplotlib.use('Agg')
        import matplotlib.pyplot as plt
        plt.plot([1, 2]); plt.savefig('x.png'); return os.path.getsize('x.png') > 1000
    def shared():
        block = shared_memory.SharedMemory(create=True, size=4096); block.close(); block.unlink()
        return True
    def svd():
        return round(float(numpy.linalg.svd(numpy.ones((200, 200)))[1][0]))
    def interfaces():
        return [name for _, name in socket.if_nameindex()]
    def copied():
        open('x', 'w').write('x')
        return subprocess.run('cp -a x y && tar cf z.tar x', shell=True).returncode
    if __name__ == '__main__':
        print(json.dumps({name: globals()[name]() for name in %r}))
"""
NEEDED = {
    "fork": 2016.0, "spawn": 2016.0, "compiled": 24, "gloo": 1.0, "forest": 20,
    "picture": True, "shared": True, "svd": 200, "interfaces": ["lo"], "copied": 0,
}  # fmt: skip


@pytest.mark.engine
@pytest.mark.sampled
def test_what_research_needs_works_under_the_profile(bench: DockerBench) -> None:
    """Data loaders, compiled functions, collectives, forests, figures, in the job's own image; half
    of them by the commit.
    """
    limits = load_policy("ci-cpu", ROOT).limits("experiment")
    wanted = some([*NEEDED], 5, "research needs")
    scenario = Scenario(textwrap.dedent(NEEDS % wanted))
    result = bench.run(replace(job_of(bench, scenario), limits=limits), scenario)
    assert result.ok, result.stderr
    assert json.loads(result.stdout) == {name: NEEDED[name] for name in wanted}


def test_under_gvisor_no_call_but_clone3_is_let_through_for_its_errno() -> None:
    refused = rule("ptrace", "clone3", action="SCMP_ACT_ERRNO", errnoRet=38)
    alone = rule("bpf", action="SCMP_ACT_ERRNO", errnoRet=38)
    given = under(profile_of(profile(rule("read"), refused, alone)), "runsc").normal()["syscalls"]
    allowed = [one["names"] for one in given if one["action"] == "SCMP_ACT_ALLOW"]
    kept = [one["names"] for one in given if one["action"] == "SCMP_ACT_ERRNO"]
    assert (allowed, kept) == ([["read"], ["clone3"]], [["ptrace"], ["bpf"]])


def test_a_profile_that_only_gvisor_would_be_let_through_by_is_weaker() -> None:
    """There an ENOSYS for clone3 becomes a call of gVisor's kernel, flags for name spaces and all."""
    without = profile_of(profile(rule("read")))
    answered = rule("clone3", action="SCMP_ACT_ERRNO", errnoRet=38)
    with_it = profile_of(profile(rule("read"), answered))
    assert not no_weaker(without, with_it)
    assert no_weaker(with_it, without)


def test_a_profile_reads_back_from_its_own_text() -> None:
    assert Profile.model_validate_json(shipped_profile().text).sha256 == shipped_profile().sha256
    assert no_weaker(under(shipped_profile(), "runsc"), shipped_profile())
    assert under(shipped_profile(), "runc") is shipped_profile()
    assert replace(LIMITS, seccomp=shipped_profile().text).seccomp == shipped_profile().text
