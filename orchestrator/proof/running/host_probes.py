"""Probes whose other half is this process: two jobs at once, a killed orchestrator, another image.

Each is a function by the probe's id; its program in ``sandbox/probes`` has the promise and does
the part that runs in a container. The function returns both results, bare and guarded.
Those of several jobs, and of the limits of an idea, a run and the host together, are here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import AisciError, BudgetSpent
from orchestrator.core.job import ContainerKind, Limits
from orchestrator.policy.policy import RunLimits
from orchestrator.proof.observation import BareAndGuarded, one_attempt
from orchestrator.proof.probe import Probe
from orchestrator.proof.running import host_engine
from orchestrator.proof.running.fixtures import lowered_limits
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.sandbox.admission import Admission, available_memory
from orchestrator.sandbox.sandbox import DockerSandbox


def neighbours(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """One job opens services, another looks for them while it runs; bare, one job does both."""
    bare = runner.bare_alone(kind, probe, "both")
    with runner.opened(kind, probe, "open") as session:
        line = session.receive(60.0)
        guarded, result = runner.alone(kind, probe, "look")
    if line != b"open":
        guarded = replace(guarded, done=False, why="the other job opened nothing")
    return bare, guarded, result.attestation.container


def fresh(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """A job leaves files wherever it can; the next one looks. Bare, a container starts twice."""
    bare = runner.bare_alone(kind, probe, times=2)
    left, _ = runner.alone(kind, probe)
    guarded, result = runner.alone(kind, probe)
    return bare, replace(guarded, done=guarded.done and left.done), result.attestation.container


def idea_time(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """A job whose idea has two seconds left."""
    bare = runner.bare_alone(kind, probe)
    try:
        guarded, _ = runner.alone(kind, probe, within=Deadline.after(2.0, "idea.wall"))
    except BudgetSpent as error:
        name = bare.attempts[0].name if bare.attempts else ""
        guarded = one_attempt(name, through=False, saw=error.what)
    return bare, guarded, ""


def together(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """Two jobs at once, of a run that may have one; bare: of one that may have two."""
    one = _run_limits(runner.limits[kind])
    two = replace(one, containers=2, memory=2 * one.memory, disk=2 * one.disk)
    name = "two jobs at the same time"
    seen = []
    for limits in (two, one):
        times = _both(runner.sandbox_with(Admission(limits)), runner, kind, probe)
        overlap = len(times) == 2 and max(times)[0] < min(end for _, end in times)
        saw = "the second waited for the first"
        if overlap:
            saw = "the second began while the first ran"
        seen.append(replace(one_attempt(name, through=overlap, saw=saw), done=len(times) == 2))
    return seen[0], seen[1], ""


def _both(
    sandbox: DockerSandbox, runner: ProbeRunner, kind: ContainerKind, probe: Probe
) -> list[tuple[float, float]]:
    """Two jobs started at once; when each program began and ended, as it reports."""
    times: list[tuple[float, float]] = []

    def run(number: int) -> None:
        _, result = runner.alone(kind, probe, str(number), sandbox=sandbox)
        words = [line for line in result.stdout.splitlines() if line.startswith("ran ")]
        times.extend((float(began), float(ended)) for _, began, ended in (w.split() for w in words))

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def reserve(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """A job that would use what the host keeps free; bare: where it keeps nothing."""
    limits, _ = lowered_limits(runner.limits[kind], probe)
    run, name = _run_limits(limits), "a job that uses what the host keeps free"
    seen, container = [], ""
    for kept in (0, available_memory()):
        sandbox = runner.sandbox_with(Admission(replace(run, keep_free_memory=kept)))
        try:
            _, result = runner.alone(kind, probe, sandbox=sandbox)
            container = result.attestation.container
            seen.append(one_attempt(name, through=result.ok, saw=f"it ran: {result.verdict}"))
        except AisciError as error:
            seen.append(one_attempt(name, through=False, saw=error.what))
    return seen[0], seen[1], container


def _run_limits(limits: Limits) -> RunLimits:
    return RunLimits(
        wall=3600.0, usd=0.0, tokens=0, requests=0, containers=1, memory=limits.memory,
        disk=limits.workspace, keep_free_disk=0, keep_free_memory=0,
    )  # fmt: skip


_CLIMB = "cp $(readlink -f $(command -v python3)) /usr/bin/climb && chmod 4755 /usr/bin/climb"
_ALL_GPUS = ("ENV NVIDIA_VISIBLE_DEVICES=all", "ENV NVIDIA_DRIVER_CAPABILITIES=all")
_CHECKED = ("HEALTHCHECK --interval=1s CMD touch /tmp/checked",)
HOST_PROBES: dict[str, Callable[[ProbeRunner, ContainerKind, Probe], BareAndGuarded]] = {
    "host/neighbours": neighbours,
    "host/fresh": fresh,
    # The shipped images have no set-user-id program.
    "host/set_user_id": partial(host_engine.in_image, command=_CLIMB),
    # Some engines lend the GPUs that an image's variable names.
    "host/all_gpus": partial(host_engine.in_image, changes=_ALL_GPUS),
    # An engine would run an image's own health check in the job's container.
    "host/health_check": partial(host_engine.in_image, changes=_CHECKED),
    # The allowed host has a public address; or its name also resolves to a private one.
    "allow_list/tunnel": partial(host_engine.in_network, addresses=("93.184.216.34",)),
    "allow_list/relayed": partial(host_engine.in_network, addresses=("93.184.216.34",)),
    "allow_list/leads_inside": partial(
        host_engine.in_network, addresses=("93.184.216.34", "169.254.169.254")
    ),
    "host/inspected_key": host_engine.inspected_key,
    "host/altered": host_engine.altered,
    "host/killed_orchestrator": host_engine.killed_orchestrator,
    "host/idea_time": idea_time,
    "host/together": together,
    "host/reserve": reserve,
}
