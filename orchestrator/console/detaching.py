"""``aisci run`` and ``resume --detach``: a run of its own, which the terminal's end does not stop; and ``aisci cancel``."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import orchestrator
from orchestrator.api.cancelling import cancel_run
from orchestrator.api.find_run import find_run, id_of, run_folders
from orchestrator.api.lock_holder import lock_holder
from orchestrator.console import output as out

_LOOK = 0.2  # seconds between two looks
_OURS = frozenset({"--detach", "--json"})  # what the process of the run is not given
# Not `-m cli`: in the current folder there may be another module of this name.
_MAIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.argv[:2] = ['aisci']; import cli; cli.main()"
)
OUR_PROGRAM = (sys.executable, "-P", "-c", _MAIN, str(Path(orchestrator.__file__).parent.parent))
"""The command that starts this program, from wherever it is."""
_LONGEST = 20_000  # bytes of a log that are shown of a run that did not begin


def start_detached(
    words: Sequence[str],
    results: Path,
    *,
    as_json: bool,
    resumed: Path | None = None,
    program: Sequence[str] = OUR_PROGRAM,
) -> int:
    """Start ``aisci`` with these words in a session of its own, and say how to follow it: a new run, or the one
    that is ``resumed``. Returns the exit code: its own one where it ends before it works on a run.
    """
    results.mkdir(parents=True, exist_ok=True)
    known = set(run_folders(results))
    command = [*program, *(word for word in words if word not in _OURS)]
    log = results / f".detached-{time.time_ns()}.log"
    with log.open("wb") as file:
        # No terminal, no signal from one: a session of its own, whose standard streams are files.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def candidates() -> list[Path]:
        return [one for one in run_folders(results) if one not in known]

    folder = _begun(process, candidates if resumed is None else lambda: [resumed])
    if folder is None:
        return _ended_early(process, log, results, known)
    return _say_begun(process, folder, log, as_json=as_json)


def resume_detached(name: str, results: Path, *, as_json: bool) -> int:
    """Start this command's ``aisci resume`` in the background. Returns the exit code."""
    folder = find_run(name, results).folder
    return start_detached(
        sys.argv[1:], folder.absolute().parent.parent, as_json=as_json, resumed=folder
    )


def _begun(process: subprocess.Popen[bytes], candidates: Callable[[], list[Path]]) -> Path | None:
    """The run that the process works on; None where it ended before."""
    while process.poll() is None:
        for folder in candidates():
            holder = lock_holder(folder)
            if holder is not None and holder.pid == process.pid:
                return folder
        time.sleep(_LOOK)
    return None


def _say_begun(process: subprocess.Popen[bytes], folder: Path, log: Path, *, as_json: bool) -> int:
    beside = _free(folder)
    log.rename(beside)
    if as_json:
        out.as_json({"started": str(folder), "log": str(beside), "pid": process.pid})
        return 0
    run = shlex.quote(str(folder))
    out.say(f"started:  {id_of(folder)}, process {process.pid}")
    out.say(f"log:      {beside}")
    out.say(f"follow:   aisci logs -f {run}")
    out.say(f"stop:     aisci cancel {run}")
    return 0


def _free(folder: Path) -> Path:
    """Where a log goes: beside the run, and over no log of before."""
    path, number = folder.with_name(f"{folder.name}.log"), 1
    while path.exists():
        number += 1
        path = folder.with_name(f"{folder.name}.{number}.log")
    return path


def _ended_early(
    process: subprocess.Popen[bytes], log: Path, results: Path, known: set[Path]
) -> int:
    """Show what it printed: an error in the request, or a run so short that it has ended."""
    new = [folder for folder in run_folders(results) if folder not in known]
    sys.stderr.write(log.read_bytes()[-_LONGEST:].decode(errors="replace"))
    log.unlink()
    with suppress(OSError):  # unless there is something in it
        results.rmdir()
    for folder in new[-1:]:
        out.say(f"ended:    {id_of(folder)}")
    return process.returncode


def cancel(name: str, results: Path, *, as_json: bool) -> None:
    """Stop a run at work, and say how to go on."""
    done = cancel_run(name, results)
    if as_json:
        out.as_json(
            {"stopped": str(done.folder), "pid": done.pid, "state": done.state, "next": done.next}
        )
        return
    out.say(f"stopped:  {id_of(done.folder)}, process {done.pid}; it is {done.state}")
    out.say(f"next:     {done.next}")
