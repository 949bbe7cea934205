"""A test that is ``unit`` starts no program and reaches no engine: Python's audit events tell.

Such a test is meant to answer at once on any machine. One that is marked wrongly, or grows a
program, fails with words that say which marker it needs.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import pytest

_STARTS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system", "os.exec"}
# Where the engine that tests use listens; a name that a test gives itself leads nowhere.
_ENGINES = {"/var/run/docker.sock", "/run/docker.sock"} | {
    os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
} - {""}
_guarded: list[str] = []  # the unit test that runs now, if one does


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if not _guarded:
        return
    if event in _STARTS:
        what = f"started {args[1] if event == 'subprocess.Popen' else event}"
        pytest.fail(f"a unit test {what}: mark it `program` or `engine`", pytrace=True)
    if event == "socket.connect" and isinstance(args[1], str) and args[1] in _ENGINES:
        pytest.fail(f"a unit test called the engine at {args[1]}: mark it `engine`", pytrace=True)


def install() -> None:
    """Hooks stay for a process's life, so once a process."""
    platform.processor()  # asks `uname -p` once; libraries that a unit test imports ask again
    sys.addaudithook(_hear)


def guard(name: str) -> None:
    _guarded.append(name)


def release() -> None:
    _guarded.clear()
