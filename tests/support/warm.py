"""``aisci`` in a process that has litellm loaded, which takes longer than what most tests then ask.

The process is forked for each command from a server of forks that ran nothing else, so no command sees
another's state. Tests of how a program starts, of imports and of terminals start it whole instead.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests.support.places import ROOT

LOADED = ("cli", "litellm", "orchestrator.models.litellm", "orchestrator.console.research_groups")
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([*LOADED])


def warm_aisci(
    *words: str, cwd: Path = ROOT, seconds: float = 120, **more: str
) -> CompletedProcess[str]:
    """The command's exit code and what it printed. Raises TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = _SERVER.Process(
            target=_command, args=(words, str(cwd), {**os.environ, **more}, str(out), str(err))
        )
        child.start()
        child.join(seconds)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise TimeoutExpired(["aisci", *words], seconds)
        return CompletedProcess(words, child.exitcode, out.read_text(), err.read_text())


def _command(words: tuple[str, ...], cwd: str, environ: dict[str, str], out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for number, path in ((1, out), (2, err)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(handle, number)
    sys.argv = ["aisci", *words]
    code = _exit_code()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code() -> int:
    try:
        importlib.import_module("cli").main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
