"""Controls that are amounts: memory, CPUs, processes, disk, time, output, GPUs."""

from __future__ import annotations

from functools import partial

from orchestrator.core.host import Host
from orchestrator.core.units import size_text, time_text
from orchestrator.policy.controls.control import (
    NO_ENGINE,
    Control,
    How,
    by_engine,
    by_host,
    container_blocks,
    each,
    stated,
)
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import Container


def _cgroup(what: str, control: str, host: Host, policy: Policy) -> How:
    version = host.engine.cgroup if host.engine else 0
    there = host.engine is None or control in host.engine.controls
    lacks = "" if there else f"cannot limit {control}"
    return by_engine(f"{what}, cgroup version {version}, read back", host, policy, lacks=lacks)


def _memory(block: Container) -> str:
    uses = block.resources
    return f"{size_text(uses.memory)}, of it {size_text(uses.shm)} in /dev/shm"


def _processes(block: Container) -> str:
    uses = block.resources
    return f"{uses.pids} processes and threads, {uses.open_files} open files in each"


def _time(block: Container) -> str:
    wall, cpu, grace = (
        time_text(one) for one in (block.time.wall, block.time.cpu, block.time.grace)
    )
    return f"{wall} on the clock, {cpu} of all CPUs, grace {grace}"


def _disk(block: Container) -> str:
    store = block.storage
    return (
        f"{size_text(store.workspace)} and {store.inodes} inodes, "
        f"no file above {size_text(store.file)}, /tmp {size_text(store.tmp)}"
    )


def _quota(host: Host, policy: Policy) -> How:
    if host.engine is None:
        return NO_ENGINE
    held = [one for one in host.storage if one.state == "tested"]
    states = "; ".join(f"{one.name}: {one.why or one.state}" for one in host.storage)
    if not held:
        tried = any(one.state == "failed" for one in host.storage)
        return How("missing" if tried else "unknown", states or "no backend is known")
    if held[0].name == "tmpfs":
        for kind, block in container_blocks(policy).items():
            store = block.storage
            if store.workspace + store.tmp + block.resources.shm > block.resources.memory:
                why = f"{kind}: workspace, tmp and shm do not fit inside its memory"
                return How("missing", f"only tmpfs works here, and for it {why}")
    return How("given", f"backend {held[0].name}: {held[0].why}")


def _gpus(block: Container) -> str:
    if not block.gpus.count:
        return "none"
    return f"{block.gpus.count} of {size_text(block.gpus.memory)} ({block.gpus.enforce})"


def _lent(host: Host, policy: Policy) -> How:
    wanted = policy.whole.experiment.gpus.count
    if not wanted:
        return by_engine("no device is asked for, and NVIDIA_VISIBLE_DEVICES is void", host, policy)
    if host.engine is None:
        return NO_ENGINE
    if len(host.gpus) < wanted:
        return How("missing", f"the policy asks for {wanted}; here are {len(host.gpus)}")
    path = "by name (CDI)" if host.cdi else "through NVIDIA's container toolkit"
    text = f"by UUID {path}; memory and time sampled from NVML by the container's processes, killed past them"
    return How("unknown", f"{text}; not tried by this command")


LIMITS = (
    Control(
        id="memory",
        title="Memory",
        keys=("*.resources.memory", "*.resources.shm"),
        by="the kernel, by cgroup",
        meaning=stated("No swap on top; /tmp and /dev/shm count inside: {}.", _memory),
        how=partial(_cgroup, "memory and swap", "memory"),
        cis=("5.11", "5.25"),
        not_stopped="Slowing down other programs by filling caches; part of the kernel's own memory.",
    ),
    Control(
        id="cpus",
        title="CPUs",
        keys=("*.resources.cpus",),
        by="the kernel, by cgroup",
        meaning=stated("At once: {}.", lambda block: f"{block.resources.cpus:g}"),
        how=partial(_cgroup, "a quota of CPU time in each period", "cpu"),
        cis=("5.12",),
        not_stopped="Inferring other activity on the machine from its own speed.",
    ),
    Control(
        id="processes",
        title="Processes and open files",
        keys=("*.resources.pids", "*.resources.open_files"),
        by="the kernel, by cgroup and rlimits",
        meaning=stated(
            "Stops fork bombs; no core file, and no crash handler of the host's: {}.", _processes
        ),
        how=partial(_cgroup, "pids and rlimits", "pids"),
        cis=("5.19", "5.29"),
        not_stopped="Processes of one job that disturb each other.",
    ),
    Control(
        id="disk",
        title="Disk",
        keys=("*.storage.*",),
        by="the kernel, by a quota on the job's own volume; rlimits for single files",
        meaning=stated("Hard limits: {}.", _disk),
        how=_quota,
        not_stopped="Wear and slowdown of the underlying disk.",
    ),
    Control(
        id="time",
        title="Time",
        keys=("*.time.*",),
        by="the host's clock and the cgroup's; a sentinel that outlives the orchestrator",
        meaning=stated("TERM, the grace, then KILL of the whole container: {}.", _time),
        how=partial(by_engine, "watched and killed from outside, by the host"),
        not_stopped="Using all of its time.",
    ),
    Control(
        id="logs",
        title="Output",
        keys=("*.logs",),
        by="the host, while it reads the stream; the engine keeps no log",
        meaning=stated(
            "More ends the job; the last 64 KiB of each stream are kept: {}.",
            lambda block: size_text(block.logs),
        ),
        how=partial(by_host, "a bounded reader; control characters are made visible"),
        not_stopped="False statements in its output.",
    ),
    Control(
        id="gpus",
        title="GPUs",
        keys=("*.gpus.*",),
        by="the engine assigns devices; the host samples and kills",
        meaning=lambda policy: (
            f"Whole GPUs: {each(policy, _gpus)}."
            + " Watched means sampled: between two samples a program can use more."
            * any(block.gpus.count for block in container_blocks(policy).values())
        ),
        how=_lent,
        cis=("5.18",),
        not_stopped="Overuse between two samples; a vulnerability in the GPU driver, which is large.",
    ),
)
