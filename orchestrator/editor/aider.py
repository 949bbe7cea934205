"""Aider as the port ``Editor``: in a container without network, or as a plain process.

Both drive the same guarded worker (``sandbox/editor``) over a pipe; the host answers its model
calls. The container is the default. The process is the policy's ``editor: process``: Aider then
runs with this user's rights, restricted by the guard alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import MOST_NEW_FILES, WORKER, Edit, EditRequest
from orchestrator.core.errors import ControlUnavailable, EditorFailed
from orchestrator.core.job import Job, JobResult
from orchestrator.core.protocols import Blobs, LanguageModel
from orchestrator.core.tree import Tree
from orchestrator.editor.outcome import conclude_edit, may_be_new
from orchestrator.editor.wire import EDIT_AGAIN, LineChannel, converse, visible_files
from orchestrator.editor.worker_process import AIDER_PYTHON, WarmWorkers, WorkerProcess


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
            preload=WORKER,  # it loads Aider, and waits for the edit
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
    the environment that Aider has beside this Python's. Nothing but the guard, a private folder, a bare
    environment and the wall clock hold it; so there is no attestation. With ``warm`` the child has loaded
    Aider before the edit is known. Raises :class:`ControlUnavailable` where Aider is missing.
    """

    def __init__(self, blobs: Blobs, worker: Path, warm: WarmWorkers | None = None) -> None:
        if not AIDER_PYTHON.is_file():
            lock = worker.parents[1] / "locks" / "editor.txt"
            raise ControlUnavailable(
                "the policy says `editor: process`, but Aider is not installed here",
                where=str(AIDER_PYTHON),
                why="Aider has an environment of its own, since it pins packages that aisci has newer",
                todo=f"`make venv` makes it; elsewhere `python3 -m venv {AIDER_PYTHON.parents[1]}`, then "
                f"`{AIDER_PYTHON} -m pip install --require-hashes -r {lock}`; or let the policy use a container",
            )
        self._blobs, self._worker, self._warm = blobs, worker, warm

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline = FOREVER) -> Edit:
        """See :class:`orchestrator.core.protocols.Editor`."""
        with self._warm.take() if self._warm else WorkerProcess(self._worker) as worker:
            tree = worker.tree
            for path, sha256 in visible_files(request).files:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(self._blobs.get(sha256))
            worker.begin(request.limits, within)
            done = converse(worker, request, model, within)
            worker.end()
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
        if self._warm:
            self._warm.want()
        return conclude_edit(request, returned, done, self._blobs)


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
