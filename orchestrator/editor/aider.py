"""Aider as the port ``Editor``: in a container without network, or as a plain process.

Both drive the same guarded worker (``sandbox/editor``) over a pipe; the host answers its model
calls. The container is the default. The process is the policy's ``editor: process``: Aider then
runs with this user's rights, restricted by the guard alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import MOST_NEW_FILES, Edit, EditRequest
from orchestrator.core.errors import ControlUnavailable, EditorFailed
from orchestrator.core.job import Job, JobResult, Limits
from orchestrator.core.protocols import Blobs, LanguageModel
from orchestrator.core.stopwatch import Stopwatch
from orchestrator.core.tree import Tree
from orchestrator.editor.outcome import conclude_edit, may_be_new
from orchestrator.editor.wire import (
    EDIT_AGAIN,
    MAX_LINE,
    LineChannel,
    converse,
    visible_files,
)

WORKER = ("python3", "-I", "/opt/aisci/editor/worker.py")
"""The worker in the image ``aisci-editor``."""
AIDER_PYTHON = Path(sys.prefix) / "editor" / "bin" / "python"
"""The interpreter of Aider's environment on this machine; only ``editor: process`` needs it."""


class EditorSession(LineChannel, Protocol):
    """A running container whose stdin and stdout are open."""

    def finish(self) -> JobResult:
        """Stop it, and return what its harvest rules allow."""


class ContainerEditor:
    """Implements :class:`orchestrator.core.protocols.Editor`: each edit in a new container.
    ``sessions`` opens a job whose stdin and stdout the caller reads and writes; it leaves files in
    ``blobs``.
    """

    def __init__(
        self,
        sessions: Callable[[Job, Deadline], AbstractContextManager[EditorSession]],
        blobs: Blobs,
    ) -> None:
        self._sessions, self._blobs = sessions, blobs

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline = FOREVER) -> Edit:
        """See :class:`orchestrator.core.protocols.Editor`; raises what the sandbox and ``model`` raise."""
        job = Job(
            scope=request.scope,
            kind="editor",
            argv=WORKER,
            files=visible_files(request),
            limits=request.limits,
            harvest=_harvest(request),
        )
        with self._sessions(job, within) as session:
            done = converse(session, request, model, within)
            result = session.finish()
        if done is None or not result.ok:
            raise EditorFailed(
                "the editor's container ended unexpectedly",
                where=request.scope,
                why=f"{result.verdict} (exit code {result.exit_code}); {result.stderr[-1000:]}",
                todo=EDIT_AGAIN,
            )
        refused = (path for path, _ in result.refused)
        return conclude_edit(request, result.files, done, self._blobs, refused, result.attestation)


def _harvest(request: EditRequest) -> tuple[str, ...]:
    """The editable files, and a pattern of new ones; nothing by two names, which is refused."""
    if not request.new_files:
        return request.editable
    apart = (path for path in request.editable if "/" in path or not path.endswith(".py"))
    return (*apart, "*.py")


class ProcessEditor:
    """Implements :class:`orchestrator.core.protocols.Editor` with a child process on this machine, in
    the environment that Aider has beside this Python's. Nothing but the guard, a private folder, a bare environment and the wall clock hold it; so there
    is no attestation. Raises :class:`ControlUnavailable` where Aider is missing.
    """

    def __init__(self, blobs: Blobs, worker: Path) -> None:
        if not AIDER_PYTHON.is_file():
            lock = worker.parents[1] / "locks" / "editor.txt"
            raise ControlUnavailable(
                "the policy says `editor: process`, but Aider is not installed here",
                where=str(AIDER_PYTHON),
                why="Aider has an environment of its own, since it pins packages that aisci has newer",
                todo=f"`make venv` makes it; elsewhere `python3 -m venv {AIDER_PYTHON.parents[1]}`, then "
                f"`{AIDER_PYTHON} -m pip install --require-hashes -r {lock}`; or let the policy use a container",
            )
        self._blobs, self._worker = blobs, worker

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline = FOREVER) -> Edit:
        """See :class:`orchestrator.core.protocols.Editor`."""
        files = visible_files(request)
        with tempfile.TemporaryDirectory(prefix="aisci-editor-") as folder:
            # Resolved, because a path that leads through a link is refused when it is read back.
            home = Path(folder).resolve()
            tree = home / "tree"
            tree.mkdir()
            for path, sha256 in files.files:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(self._blobs.get(sha256))
            with _Worker(self._worker, home, tree, request.limits, within) as worker:
                done = converse(worker, request, model, within)
            if done is None:
                within.check(request.scope)
                raise EditorFailed(
                    "the editor's process ended unexpectedly",
                    where=request.scope,
                    why=worker.why(),
                    todo=EDIT_AGAIN,
                )
            new = sorted(path.name for path in tree.iterdir() if may_be_new(path.name, request))
            returned = Tree.of(
                (path, self._blobs.put(data))
                for path in (*request.editable, *new[:MOST_NEW_FILES])
                if (data := _read(tree, path, request.limits.harvest_file)) is not None
            )
        return conclude_edit(request, returned, done, self._blobs)


class _Worker:
    """A child in its own process group, which is killed at its time limit or at exit."""

    def __init__(
        self, script: Path, home: Path, tree: Path, limits: Limits, within: Deadline
    ) -> None:
        self._limits, self._within, self._late = limits, within, False
        self._log = home / "stderr"
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [str(AIDER_PYTHON), "-I", str(script)],
                cwd=tree,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(home),
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "LITELLM_MODE": "PRODUCTION",
                },
                start_new_session=True,
            )
        self._clock = Stopwatch()
        self._alarm = self._set_alarm()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        self._kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(BrokenPipeError):  # buffered bytes that no process reads any more
                if pipe is not None:
                    pipe.close()

    def send(self, line: bytes) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + b"\n")
        self._child.stdin.flush()

    def receive(self, timeout: float) -> bytes | None:  # noqa: ARG002  # the clock kills; then this ends
        assert self._child.stdout is not None
        line = self._child.stdout.readline(MAX_LINE + 1)
        return line.removesuffix(b"\n") if line else None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self._alarm.cancel()
        try:
            with self._clock.stopped():
                yield
        finally:
            self._alarm = self._set_alarm()

    def _set_alarm(self) -> threading.Timer:
        """Have the worker killed when its own time or the call's is over; at once if it is."""
        left = min(self._limits.wall - self._clock.elapsed, self._within.left)
        if left <= 0:
            self._time_out()
        alarm = threading.Timer(left, self._time_out)
        alarm.daemon = True
        alarm.start()
        return alarm

    def why(self) -> str:
        """Why the worker ended early."""
        if self._late:
            return f"it took longer than the {self._limits.wall:g} s of the policy's editor block"
        tail = self._log.read_bytes()[-1000:].decode("utf-8", "replace")
        return f"exit code {self._child.poll()}; {tail}"

    def _time_out(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)


def _read(root: Path, path: str, most: int) -> bytes | None:
    """A regular file's bytes; None if it is absent, a link, or larger than ``most`` bytes."""
    if os.path.realpath(root / path) != str(root / path):
        return None
    try:
        handle = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            data = file.read(most + 1)
    except OSError:
        return None
    return data if len(data) <= most else None
