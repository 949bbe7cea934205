"""Outlives the orchestrator: when that dies, kills and removes whatever it left of its run.

What another process made for the same run is that one's: a run may be resumed at once.

While it lives it may hang, or be stopped: then nobody would hold its jobs' time. So every few
seconds the sentinel looks at the run's containers and kills what is past its label's deadline.

This file is also the program: it is started by its path, imports the standard library only
(so it is there in tens of milliseconds), and speaks HTTP to the engine's socket itself. It
runs in a session of its own, so Ctrl-C does not reach it, and it holds one end of a pipe: the
kernel closes the other end however the orchestrator ends, SIGKILL included.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

LABEL, OWNER, DEADLINE = "aisci.run", "aisci.owner", "aisci.deadline"
_LOOK = 5.0  # seconds between two looks at the deadlines
_DONE = b"done"  # what is no folder: the orchestrator ends in order
_END = b"\0"  # of what it is told: the one byte that no path has
_QUIET = 2.0  # seconds with nothing found before it is believed that nothing more will come
_PATIENCE = 120.0  # seconds until it gives up on an engine that does not answer


class Sentinel:
    """The orchestrator's end of the pipe. ``owner`` is the label of what this one made."""

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
        """Start another, told all that this one was, if somebody has ended it."""
        if self._process.poll() is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process = self._start()
        for folder in self._folders:
            self._tell(os.fsencode(folder))

    def guard(self, folder: Path) -> None:
        """Have a temporary folder removed too when the orchestrator dies."""
        self.ensure()
        self._folders.append(folder.absolute())
        self._tell(os.fsencode(folder.absolute()))

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + _END)
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it clear up what is left, and wait for its end."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._tell(_DONE)
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
        raise OSError(f"the engine cannot say what is left: {answer.status}")
    return json.loads(body) if answer.status == http.HTTPStatus.OK else None


def _filters(run_id: str, owner: str) -> str:
    return urllib.parse.quote(json.dumps({"label": [f"{LABEL}={run_id}", f"{OWNER}={owner}"]}))


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
    found = 0
    for container in _containers(engine_socket, run_id, owner, all_of_them=True):
        found += 1
        _call(engine_socket, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
    listed = _call(engine_socket, "GET", f"/volumes?filters={_filters(run_id, owner)}") or {}
    for volume in listed.get("Volumes") or ():
        found += 1
        name = urllib.parse.quote(volume["Name"], safe="")
        _call(engine_socket, "DELETE", f"/volumes/{name}?force=1")
    return found


def _remove(folder: str) -> None:
    """Remove a temporary folder, unless something is mounted in it."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [re.sub(r"\\(\d{3})", _unescaped, line.split()[4]) for line in mounts]
    if not any(point == folder or point.startswith(folder + "/") for point in points):
        shutil.rmtree(folder, ignore_errors=True)


def _unescaped(code: re.Match[str]) -> str:
    """A blank and the like, as ``mountinfo`` writes them in octal."""
    return chr(int(code[1], 8))


def _lines(engine_socket: str, run_id: str, owner: str) -> list[bytes]:
    """What the orchestrator says until its end; meanwhile its containers' deadlines are held."""
    said, pipe = b"", sys.stdin.fileno()
    while True:
        if select.select([pipe], [], [], _LOOK)[0]:
            piece = os.read(pipe, 1 << 16)
            if not piece:
                return [line for line in said.split(_END) if line]
            said += piece
            continue
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            _kill_late(engine_socket, run_id, owner)  # an engine that cannot answer is asked again


def main() -> None:
    """Hold deadlines until the pipe's end, then clear up until nothing new appears."""
    engine_socket, run_id, owner = sys.argv[1:4]
    lines = _lines(engine_socket, run_id, owner)
    quiet = 0.0 if _DONE in lines else _QUIET
    give_up = time.monotonic() + _PATIENCE
    quiet_since = time.monotonic()
    while time.monotonic() < give_up:
        try:
            if _clear(engine_socket, run_id, owner):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= quiet:
                break  # a request that was under way when the orchestrator died has landed too
        except (OSError, http.client.HTTPException, ValueError):
            quiet_since = time.monotonic()
        time.sleep(0.25)
    for line in lines:
        if line != _DONE:
            _remove(os.fsdecode(line))


if __name__ == "__main__":
    main()
