"""Probes whose other half is this process: two jobs at once, a killed orchestrator, an image of its own.

Each is a function by the probe's id; its program in ``sandbox/probes/host`` says what is promised
and does the part that runs in a container. Both answers, bare and guarded, come from here.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from orchestrator import AisciError, BadJournal, BudgetSpent
from orchestrator.deadline import Deadline
from orchestrator.edges.allowance import Allowance, available_memory
from orchestrator.edges.egress_world import World
from orchestrator.edges.engine import translated
from orchestrator.edges.labels import RUN
from orchestrator.edges.proving.given import KEY_NAME, lowered
from orchestrator.edges.proving.trials import Trials
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.policy import RunLimits
from orchestrator.proof.probe import Probe
from orchestrator.proof.seen import Attempt, Seen
from orchestrator.records import ContainerKind, Limits

Both = tuple[Seen, Seen, str]
"""What was seen bare and guarded, and the guarded container's id."""

Way = Callable[[Trials, ContainerKind, Probe], Both]


def _seen(name: str, *, through: bool, saw: str) -> Seen:
    return Seen(attempts=(Attempt(name, through, saw),), done=True)


# --- two jobs ---------------------------------------------------------------------------------


def neighbours(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """One job opens what doors it can, another looks for them while it runs; bare, one does both."""
    bare = trials.bare_alone(kind, probe, "both")
    with trials.opened(kind, probe, "open") as session:
        said = session.receive(60.0)
        guarded, result = trials.alone(kind, probe, "look")
    if said != b"open":
        guarded = replace(guarded, done=False, why="the other job opened nothing")
    return bare, guarded, result.attestation.container


def fresh(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """A job leaves something wherever it can; the next one looks. Bare, a container starts twice."""
    bare = trials.bare_alone(kind, probe, times=2)
    left, _ = trials.alone(kind, probe)
    guarded, result = trials.alone(kind, probe)
    return bare, replace(guarded, done=guarded.done and left.done), result.attestation.container


# --- images of their own ------------------------------------------------------------------------


def set_user_id(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """In an image with a set-user-id program; the shipped ones hold none."""
    command = "cp $(readlink -f $(command -v python3)) /usr/bin/climb && chmod 4755 /usr/bin/climb"
    with trials.image_with(kind, command) as image:
        return _in_image(trials, kind, probe, image)


def all_gpus(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """In an image that asks for every GPU: some engines lend what an image's variable names."""
    changes = ("ENV NVIDIA_VISIBLE_DEVICES=all", "ENV NVIDIA_DRIVER_CAPABILITIES=all")
    with trials.image_with(kind, "true", *changes) as image:
        return _in_image(trials, kind, probe, image)


def health_check(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """In an image with a health check of its own, which an engine would run beside the job."""
    changes = ("HEALTHCHECK --interval=1s CMD touch /tmp/checked",)
    with trials.image_with(kind, "true", *changes) as image:
        return _in_image(trials, kind, probe, image)


def _in_image(trials: Trials, kind: ContainerKind, probe: Probe, image: str) -> Both:
    bare = trials.bare_alone(kind, probe, image=image)
    guarded, result = trials.alone(kind, probe, image=image)
    return bare, guarded, result.attestation.container


# --- the world that the allow-list's proxy reaches -------------------------------------------------


def tunnel(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """In a world where the allowed host is a public address, and answers."""
    return _in_world(trials, kind, probe, ("93.184.216.34",))


def leads_inside(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """In a world where the allowed host's name leads inside as well."""
    return _in_world(trials, kind, probe, ("93.184.216.34", "169.254.169.254"))


def _in_world(
    trials: Trials, kind: ContainerKind, probe: Probe, addresses: tuple[str, ...]
) -> Both:
    """Each name leads to ``addresses``, and each of them to a server here that echoes."""
    bare = trials.bare_alone(kind, probe)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()

        def dial(_: str) -> socket.socket:
            own = ("127.0.0.2", 0)  # the proxy takes no address that is its own
            return socket.create_connection(server.getsockname(), 5.0, own)

        sandbox = trials.sandbox_with(world=World(look_up=lambda _: addresses, dial=dial))
        guarded, result = trials.alone(kind, probe, sandbox=sandbox)
        server.shutdown(socket.SHUT_RDWR)  # which ends the thread's waiting
    return bare, guarded, result.attestation.container


def _echo(server: socket.socket) -> None:
    """Give back what comes, until nobody listens any more."""
    with suppress(OSError):
        while True:
            client = server.accept()[0]
            client.settimeout(5.0)
            with client, suppress(OSError):
                while data := client.recv(1 << 16):
                    client.sendall(data)


# --- what the engine tells ------------------------------------------------------------------------


def inspected_key(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """Everything that the engine says of a running job, its volume and its image."""
    api: Any = trials.engine.api  # this part of the library has no types
    key = "".join(trials.doors.key)

    def told(filters: dict[str, list[str]]) -> str:
        listed = api.containers(all=True, filters=filters)
        return json.dumps([[api.inspect_container(one["Id"]) for one in listed], api.volumes(filters=filters)])  # fmt: skip

    with trials.opened(kind, probe) as session, translated("asking what is told of a job"):
        session.receive(60.0)
        words = told({"label": [f"{RUN}={trials.depot.run_id}"]})
        words += json.dumps(api.history(trials.images(trials.limits[kind].image)))
    with trials.bare_left(kind, probe) as made, translated("asking what is told of a container"):
        bare = json.dumps(api.inspect_container(made))
    name = "to be told by the engine"
    saw = f"{len(words)} characters were told, the key not among them"
    return (
        _seen(name, through=key in bare, saw=f"the engine tells {KEY_NAME}"),
        _seen(name, through=key in words, saw=saw),
        "",
    )


def altered(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """A file that came home is changed afterwards. Bare: a plain file, which nobody notices."""
    _, result = trials.alone(kind, probe)
    (path, sha256), *_ = result.files.files
    kept = trials.blobs.path(sha256)
    kept.write_bytes(kept.read_bytes() + b" ")
    name = f"{path}, changed after it came home"
    try:
        trials.blobs.get(sha256)
        guarded = _seen(name, through=True, saw="read as if nothing had been")
    except BadJournal as error:
        guarded = _seen(name, through=False, saw=error.what)
    finally:
        kept.unlink()
    plain = trials.blobs.folder.parent / "plain"
    plain.write_text("1")
    plain.write_text("2")
    bare = _seen(name, through=plain.read_text() == "2", saw="a plain file is read as it is now")
    return bare, guarded, result.attestation.container


# --- a killed orchestrator ---------------------------------------------------------------------------


def killed_orchestrator(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """A process of its own runs the job, and is killed. Bare, nobody removes the container."""
    run_id = f"prove-{secrets.token_hex(4)}"
    limits, _ = lowered(trials.limits[kind], probe)
    images = {name: trials.images(name) for name in (limits.image, "aisci-storage")}
    order = {"run": run_id, "kind": kind, "images": images, "limits": asdict(limits)}
    child = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.edges.proving.victim", json.dumps(order)],
        stdout=subprocess.PIPE,
        env=_environment(),
    )
    assert child.stdout is not None
    try:
        began = child.stdout.readline().strip()
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    left = trials.left_of(run_id, within=30.0)
    name = "what it left goes on"
    guarded = _seen(
        name, through=bool(left), saw=", ".join(left) or "all was gone, removed by the sentinel"
    )
    guarded = replace(guarded, done=began == b"running")
    with trials.bare_left(kind, probe) as made, translated("looking at a container"):
        goes_on = bool(trials.engine.api.inspect_container(made)["State"]["Running"])
    return _seen(name, through=goes_on, saw="the container runs on"), guarded, ""


def _environment() -> dict[str, str]:
    """For a child that finds this very program, wherever it lies."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


# --- what ideas and runs may use -------------------------------------------------------------------


def idea_time(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """A job whose idea has two seconds left."""
    bare = trials.bare_alone(kind, probe)
    try:
        guarded, _ = trials.alone(kind, probe, within=Deadline.after(2.0, "idea.wall"))
    except BudgetSpent as error:
        guarded = _seen(
            bare.attempts[0].name if bare.attempts else "", through=False, saw=error.what
        )
    return bare, guarded, ""


def together(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """Two jobs at once, of a run that may have one; bare: of one that may have two."""
    one = _run_limits(trials.limits[kind], containers=1)
    two = replace(one, containers=2, memory=2 * one.memory, disk=2 * one.disk)
    name = "two jobs at the same time"
    seen = []
    for limits in (two, one):
        times = _both(trials.sandbox_with(Allowance(limits)), trials, kind, probe)
        overlap = len(times) == 2 and max(began for began, _ in times) < min(
            end for _, end in times
        )
        saw = (
            "the second began while the first ran" if overlap else "the second waited for the first"
        )
        seen.append(replace(_seen(name, through=overlap, saw=saw), done=len(times) == 2))
    return seen[0], seen[1], ""


def _both(
    sandbox: DockerSandbox, trials: Trials, kind: ContainerKind, probe: Probe
) -> list[tuple[float, float]]:
    """Two jobs started at once; when each program began and ended, as it says itself."""
    times: list[tuple[float, float]] = []

    def run(number: int) -> None:
        _, result = trials.alone(kind, probe, str(number), sandbox=sandbox)
        words = [line for line in result.stdout.splitlines() if line.startswith("ran ")]
        times.extend((float(began), float(ended)) for _, began, ended in (w.split() for w in words))

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def reserve(trials: Trials, kind: ContainerKind, probe: Probe) -> Both:
    """A job that would take what the host keeps for itself; bare: where it keeps nothing."""
    limits, _ = lowered(trials.limits[kind], probe)
    run, name = _run_limits(limits, containers=1), "a job that takes what the host keeps"
    seen, container = [], ""
    for kept in (0, available_memory()):
        sandbox = trials.sandbox_with(Allowance(replace(run, keep_free_memory=kept)))
        try:
            _, result = trials.alone(kind, probe, sandbox=sandbox)
            container = result.attestation.container
            seen.append(_seen(name, through=result.ok, saw=f"it ran: {result.verdict}"))
        except AisciError as error:
            seen.append(_seen(name, through=False, saw=error.what))
    return seen[0], seen[1], container


def _run_limits(limits: Limits, *, containers: int) -> RunLimits:
    return RunLimits(
        wall=3600.0, usd=0.0, tokens=0, requests=0, containers=containers, memory=limits.memory,
        disk=limits.workspace, keep_free_disk=0, keep_free_memory=0,
    )  # fmt: skip


WAYS: dict[str, Way] = {
    "host/neighbours": neighbours,
    "host/fresh": fresh,
    "host/set_user_id": set_user_id,
    "host/all_gpus": all_gpus,
    "host/health_check": health_check,
    "allow_list/tunnel": tunnel,
    "allow_list/leads_inside": leads_inside,
    "host/inspected_key": inspected_key,
    "host/altered": altered,
    "host/killed_orchestrator": killed_orchestrator,
    "host/idea_time": idea_time,
    "host/together": together,
    "host/reserve": reserve,
}
