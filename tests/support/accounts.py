"""Code that runs as another account of this machine, by its number: no account is made, nothing else is touched.

The interpreter may lie where other accounts do not read. So all that the code uses is imported as root, and then
the process becomes the other account for good.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT

_PROGRAM = """
import importlib, json, os, pkgutil, sys
import cli
import orchestrator.api, orchestrator.console, orchestrator.record, orchestrator.audit
for room in (orchestrator.api, orchestrator.console, orchestrator.record, orchestrator.audit):
    for one in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(one.name)
from typer.testing import CliRunner
for words in (["audit", sys.argv[3]], ["status", sys.argv[3]], ["resume", "/none"], ["list"]):
    CliRunner().invoke(cli.app, words)
import ctypes
uid = int(sys.argv[1])
os.setgroups([]); os.setgid(uid); os.setuid(uid)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as a process that this account started itself
os.umask(int(os.environ["AISCI_TEST_UMASK"], 8))
def aisci(*words):
    done = CliRunner().invoke(cli.app, list(words))
    return done.exit_code, done.output
exec(sys.argv[2])
"""


def start_as(
    uid: int, code: str, home: Path, warm: Path, *args: object, umask: str = "022"
) -> subprocess.Popen[str]:
    """Start ``code`` as ``uid``; ``args`` are ``sys.argv[4:]``, and ``aisci(*words)`` calls the command.

    ``warm`` is a copy of a run, which root reads first.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(uid), code, str(warm), *map(str, args)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(home),
            "AISCI_TEST_UMASK": umask,
            "DOCKER_HOST": "unix:///nowhere.sock",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_as(uid: int, code: str, home: Path, warm: Path, *args: object, umask: str = "022") -> str:
    """What ``code`` prints as ``uid``; that it ends well is asserted."""
    process = start_as(uid, code, home, warm, *args, umask=umask)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out
