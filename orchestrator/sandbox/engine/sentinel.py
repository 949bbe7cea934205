"""Outlives the orchestrator: when it dies, kills and removes what it left of its run.

It touches only what this very process made: the run may be resumed by another one at once.

An engine that crashes while it starts a container does not know of it after its restart: the
container runs on without it. One that runs with a volume of the run is killed too.

A living orchestrator may hang, or be stopped, and then nobody enforces its jobs' time limits. So
every few seconds the sentinel kills the run's containers that are past their label's deadline.

Longer than 250 lines, because this file is also the program: it is started by its path, imports
only the standard library (so it runs within tens of milliseconds), and speaks HTTP to the
engine's socket itself. It runs in its own session, so Ctrl-C does not reach it, and it holds one
end of a pipe: the kernel closes the other end however the orchestrator ends, SIGKILL included.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

RUN, OWNER, DEADLINE = "aisci.run", "aisci.owner", "aisci.deadline"
_CGROUPS = Path("/sys/fs/cgroup")
_LOOK = 5.0  # seconds between two checks of the deadlines
_DONE = b"done"  # not an absolute path: the orchestrator ends in order
_END = b"\0"  # ends each message: the one byte that no path contains
_QUIET = 2.0  # seconds without a find after which nothing more is expected
_PATIENCE = 120.0  # seconds until it gives up on an engine that does not answer


class Sentinel:
    """The orchestrator's end of the pipe. ``owner`` is the label of what this process made."""

    def __init__(self, engine_socket: str, run_id: str, owner: str) -> None:
        self._argv = [sys.executable, "-I", __file__, engine_socket, run_id, owner]
        self._folders: list[Path] = []
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ensure(self) -> None:
        """Start another one, with the same folders, if it was killed."""
        if self._process.poll() is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process = self._start()
        for folder in self._folders:
            self._send(os.fsencode(folder))

    def guard(self, folder: Path) -> None:
        """Have a temporary folder removed too when the orchestrator dies."""
        self.ensure()
        self._folders.append(folder.absolute())
        self._send(os.fsencode(folder.absolute()))

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + _END)
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it remove what is left, and wait for its end."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._send(_DONE)
            self._process.stdin.close()
        self._process.wait()


class _Connection(http.client.HTTPConnection):
    """HTTP over the engine's unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _call(engine_socket: str, method: str, path: str) -> Any:
    connection = _Connection(engine_socket)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if method == "GET" and answer.status != http.HTTPStatus.OK:
        raise OSError(f"the engine did not list resources: {answer.status}")
    return json.loads(body) if answer.status == http.HTTPStatus.OK else None


def prefix_of(run_id: str, owner: str) -> str:
    """The prefix of a run's containers and volumes; no two processes of one run share it."""
    return f"aisci-{hashlib.sha256(f'{run_id} {owner}'.encode()).hexdigest()[:8]}"


def runtimes(volume: str) -> dict[str, int]:
    """Running containers with a volume whose path holds ``volume``: id → PID of its shim.

    Only those whose settings this process may read: for root's, only root sees any.
    """
    shims = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):  # not readable, or it has just ended
            if not (process / "comm").read_text().startswith("containerd-shim"):
                continue
            words = (process / "cmdline").read_bytes().decode().split("\0")
            settings = json.loads((process / "cwd" / "config.json").read_bytes())
            if any(volume in str(one.get("source")) for one in settings.get("mounts") or ()):
                shims[words[words.index("-id") + 1]] = int(process.name)
    return shims


def end_runtime(container: str, pid: int) -> None:
    """Kill the shim ``pid`` if it is still the container's: containerd then ends the container.

    containerd leaves the killed shim's socket, and the cgroups of an incomplete container; they
    are removed here.
    """
    process = Path(f"/proc/{pid}")
    try:
        if container not in (process / "cmdline").read_text():
            return  # the PID was reused
        bundle = process / "cwd"  # read first: the folder is removed with the shim
        path = json.loads((bundle / "config.json").read_bytes())["linux"].get("cgroupsPath", "")
        left = [Path((bundle / "address").read_text().removeprefix("unix://"))]
        if path[:1] == "/":  # systemd removes its own
            left += [*_CGROUPS.glob(f"*{path}"), _CGROUPS / path[1:]]
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
    until = time.monotonic() + _QUIET
    while any(path.exists() for path in left) and time.monotonic() < until:
        for path in left:
            with contextlib.suppress(OSError):  # a process of the cgroup has not ended yet
                path.rmdir() if path.is_dir() else path.unlink()
        time.sleep(0.05)


def _filters(run_id: str, owner: str) -> str:
    return urllib.parse.quote(json.dumps({"label": [f"{RUN}={run_id}", f"{OWNER}={owner}"]}))


def _containers(
    engine_socket: str, run_id: str, owner: str, *, all_of_them: bool
) -> list[dict[str, Any]]:
    path = f"/containers/json?all={int(all_of_them)}&filters={_filters(run_id, owner)}"
    return _call(engine_socket, "GET", path) or []


def _kill_late(engine_socket: str, run_id: str, owner: str) -> None:
    """Kill each running container that is past its deadline; the orchestrator removes it."""
    for container in _containers(engine_socket, run_id, owner, all_of_them=False):
        deadline = float(container["Labels"].get(DEADLINE) or 0)
        if 0 < deadline < time.time():
            _call(engine_socket, "POST", f"/containers/{container['Id']}/kill?signal=KILL")


def _clear(engine_socket: str, run_id: str, owner: str) -> int:
    """Kill and remove the owner's containers, then its volumes; return how many there were."""
    found, known = 0, set()
    for container in _containers(engine_socket, run_id, owner, all_of_them=True):
        found += 1
        known.add(container["Id"])
        _call(engine_socket, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
    for lost, pid in runtimes(f"/volumes/{prefix_of(run_id, owner)}-").items():
        if lost not in known:
            found += 1
            end_runtime(lost, pid)
    listed = _call(engine_socket, "GET", f"/volumes?filters={_filters(run_id, owner)}") or {}
    for volume in listed.get("Volumes") or ():
        found += 1
        name = urllib.parse.quote(volume["Name"], safe="")
        _call(engine_socket, "DELETE", f"/volumes/{name}?force=1")
    return found


def _remove(folder: str) -> None:
    """Remove a temporary folder, unless something is mounted in it."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [
        re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), line.split()[4])
        for line in mounts
    ]
    if not any(point == folder or point.startswith(folder + "/") for point in points):
        shutil.rmtree(folder, ignore_errors=True)


def _lines(engine_socket: str, run_id: str, owner: str) -> list[bytes]:
    """What the orchestrator sends until its end; deadlines are enforced meanwhile."""
    received, pipe = b"", sys.stdin.fileno()
    while True:
        if select.select([pipe], [], [], _LOOK)[0]:
            piece = os.read(pipe, 1 << 16)
            if not piece:
                return [line for line in received.split(_END) if line]
            received += piece
            continue
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            _kill_late(engine_socket, run_id, owner)  # an engine that fails is asked again


def main() -> None:
    """Enforce deadlines until the pipe's end, then remove until nothing new appears."""
    engine_socket, run_id, owner = sys.argv[1:4]
    lines = _lines(engine_socket, run_id, owner)
    # After an orderly end nothing new can appear. After a crash, a request that the engine had
    # already received may still create something: it must stay quiet for a while.
    quiet = 0.0 if _DONE in lines else _QUIET
    give_up = time.monotonic() + _PATIENCE
    quiet_since = time.monotonic()
    while time.monotonic() < give_up:
        try:
            if _clear(engine_socket, run_id, owner):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= quiet:
                break
        except (OSError, http.client.HTTPException, ValueError):
            quiet_since = time.monotonic()
        time.sleep(0.25)
    for line in lines:
        if line != _DONE:
            _remove(os.fsdecode(line))


if __name__ == "__main__":
    main()
