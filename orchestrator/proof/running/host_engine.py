"""Probes that need the engine or the host: other images, another network, a killed orchestrator."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from orchestrator.core.errors import BadJournal
from orchestrator.core.job import ContainerKind
from orchestrator.proof.observation import BareAndGuarded, one_attempt
from orchestrator.proof.probe import Probe
from orchestrator.proof.running.fixtures import KEY_NAME, lowered_limits
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.labels import RUN
from orchestrator.sandbox.network.dial import Dialer


def in_image(
    runner: ProbeRunner,
    kind: ContainerKind,
    probe: Probe,
    *,
    command: str = "true",
    changes: Sequence[str] = (),
) -> BareAndGuarded:
    """In the kind's image after root ran a command in it, with changes as a Dockerfile has them."""
    with runner.image_with(kind, command, *changes) as image:
        bare = runner.bare_alone(kind, probe, image=image)
        guarded, result = runner.alone(kind, probe, image=image)
    return bare, guarded, result.attestation.container


def in_network(
    runner: ProbeRunner, kind: ContainerKind, probe: Probe, *, addresses: tuple[str, ...]
) -> BareAndGuarded:
    """Each name resolves to ``addresses``, and each of them reaches an echo server of this host."""
    bare = runner.bare_alone(kind, probe)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()

        def dial(_: str) -> socket.socket:
            own = ("127.0.0.2", 0)  # the proxy refuses a connection to its own address
            return socket.create_connection(server.getsockname(), 5.0, own)

        sandbox = runner.sandbox_with(dialer=Dialer(look_up=lambda _: addresses, dial=dial))
        guarded, result = runner.alone(kind, probe, sandbox=sandbox)
        server.shutdown(socket.SHUT_RDWR)  # ends the thread
    return bare, guarded, result.attestation.container


def _echo(server: socket.socket) -> None:
    """Echo what comes, until the server is shut down."""
    with suppress(OSError):
        while True:
            client = server.accept()[0]
            client.settimeout(5.0)
            with client, suppress(OSError):
                while data := client.recv(1 << 16):
                    client.sendall(data)


def inspected_key(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """Everything that the engine reports of a running job, its volume and its image."""
    api: Any = runner.engine.api  # this part of the library has no types
    key = "".join(runner.services.key)
    filters = {"label": [f"{RUN}={runner.resources.run_id}"]}
    with runner.opened(kind, probe) as session, translated("inspecting a job"):
        session.receive(60.0)
        listed = api.containers(all=True, filters=filters)
        containers = [api.inspect_container(one["Id"]) for one in listed]
        history = api.history(runner.images(runner.limits[kind].image))
        report = json.dumps([containers, api.volumes(filters=filters), history])
    with runner.bare_left(kind, probe) as made, translated("inspecting a container"):
        bare = json.dumps(api.inspect_container(made))
    name, saw = "to be reported by the engine", f"the engine reports {KEY_NAME}"
    without = f"the engine reports {len(report)} characters, without the key"
    guarded = one_attempt(name, through=key in report, saw=without)
    return one_attempt(name, through=key in bare, saw=saw), guarded, ""


def altered(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """A harvested file is changed afterwards. Bare: a plain file, where nobody notices it."""
    _, result = runner.alone(kind, probe)
    (path, sha256), *_ = result.files.files
    kept = runner.blobs.path(sha256)
    kept.write_bytes(kept.read_bytes() + b" ")
    name = f"{path}, changed after its harvest"
    try:
        runner.blobs.get(sha256)
        guarded = one_attempt(name, through=True, saw="read without an error")
    except BadJournal as error:
        guarded = one_attempt(name, through=False, saw=error.what)
    finally:
        kept.unlink()
    plain = runner.blobs.folder.parent / "plain"
    plain.write_text("1")
    plain.write_text("2")
    saw = "a plain file is read as it is now"
    bare = one_attempt(name, through=plain.read_text() == "2", saw=saw)
    return bare, guarded, result.attestation.container


def killed_orchestrator(runner: ProbeRunner, kind: ContainerKind, probe: Probe) -> BareAndGuarded:
    """Another process runs the job, and is killed. Bare, nobody removes the container."""
    run_id = f"prove-{secrets.token_hex(4)}"
    limits, _ = lowered_limits(runner.limits[kind], probe)
    images = {name: runner.images(name) for name in (limits.image, "aisci-storage")}
    order = {"run": run_id, "kind": kind, "images": images, "limits": asdict(limits)}
    command = [sys.executable, "-m", "orchestrator.proof.running.victim", json.dumps(order)]
    # The child imports this same program.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    try:
        began = child.stdout.readline().strip()
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    left = _left_of(runner.engine, run_id, within=30.0)
    name = "its leftovers keep running"
    saw = ", ".join(left) or "the sentinel removed everything"
    guarded = replace(one_attempt(name, through=bool(left), saw=saw), done=began == b"running")
    with runner.bare_left(kind, probe) as made, translated("inspecting a container"):
        running = bool(runner.engine.api.inspect_container(made)["State"]["Running"])
    return one_attempt(name, through=running, saw="the container keeps running"), guarded, ""


def _left_of(engine: Engine, run_id: str, *, within: float) -> tuple[str, ...]:
    """What is left of a run on the engine, once that is nothing or ``within`` seconds are over."""
    until = time.monotonic() + within
    filters = {"label": [f"{RUN}={run_id}"]}
    while True:
        with translated("listing what a run has left"):
            containers = engine.api.containers(all=True, filters=filters)
            volumes = engine.api.volumes(filters=filters)["Volumes"] or []
        left = (*(str(one["Names"][0]) for one in containers), *(one["Name"] for one in volumes))
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.25)
