"""Keeps what a container is and has, before it is removed: for whoever looks into what a job did.

The container is held still meanwhile. Its files come as one tar stream, which is hashed and stored unopened. A
job's ``/tmp`` is memory that an engine does not hand out: it is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import EngineFailed
from orchestrator.core.stopwatch import utc_now
from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, translated
from orchestrator.sandbox.engine.labels import JOB, KIND, OWNER, RUN, Owner

MOST_KEPT = 4 << 30  # bytes of one container's files
_WORKSPACE = "/workspace"  # all else that a job may write is its /tmp
_JOBS = frozenset({"experiment", "latex", "editor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContainer:
    """A container that was kept: its name, run and job, the folder, and (file, SHA-256, bytes) of each file.

    ``lacks`` says what could not be had.
    """

    name: str
    run: str
    job: str
    folder: Path
    files: tuple[tuple[str, str, int], ...]
    lacks: tuple[str, ...]


def job_containers(engine: Engine, owner: Owner | None = None) -> tuple[str, ...]:
    """The names of aisci's containers that run jobs; with ``owner`` of that process alone."""
    with translated("listing the containers of runs"):
        found = engine.api.containers(all=True, filters={"label": [RUN]})
    return tuple(
        one["Names"][0].lstrip("/")
        for one in found
        if one["Labels"].get(KIND) in _JOBS
        and (owner is None or Owner.parse(str(one["Labels"].get(OWNER, ""))) == owner)
    )


def keep_container(engine: Engine, name: str, into: Path) -> KeptContainer | None:
    """Keep a container's settings, processes and files below ``into``; None if it is gone.

    Raises :class:`EngineFailed`.
    """
    with translated(f"looking at the container {name}"):
        try:
            facts: dict[str, Any] = engine.api.inspect_container(name)
        except NotFound:
            return None
    folder = into / re.sub(r"[^A-Za-z0-9._-]", "_", name)
    folder.mkdir(mode=0o700, parents=True)
    lacks: list[str] = []
    with _still(engine, name, facts, lacks):
        files = [_stored(folder / "inspect.json", [_json(facts)])]
        if facts["State"]["Running"]:
            files += _kept(lacks, folder / "processes.json", lambda: [_json(engine.api.top(name))])
        files += _kept(lacks, folder / "changes.json", lambda: [_json(engine.api.diff(name) or [])])
        files += _kept(
            lacks, folder / "workspace.tar", lambda: engine.api.get_archive(name, _WORKSPACE)[0]
        )
    labels: Mapping[str, Any] = facts["Config"]["Labels"] or {}
    made = KeptContainer(
        name=name,
        run=str(labels.get(RUN, "")),
        job=str(labels.get(JOB, "")),
        folder=folder,
        files=tuple(files),
        lacks=tuple(lacks),
    )
    _stored(folder / "kept.json", [_json(_manifest(made))])
    return made


@contextmanager
def _still(engine: Engine, name: str, facts: Mapping[str, Any], lacks: list[str]) -> Iterator[None]:
    """Hold the container's processes still in the block, where it runs and the engine can."""
    paused = False
    if facts["State"]["Running"] and not facts["State"].get("Paused"):
        try:
            engine.api.pause(name)
            paused = True
        except (APIError, OSError) as error:
            lacks.append(f"it was not held still: {error}"[:200])
    try:
        yield
    finally:
        if paused:  # an engine does not end what is held still
            with suppress(APIError, OSError):
                engine.api.unpause(name)


def _kept(lacks: list[str], path: Path, read: Any) -> Iterator[tuple[str, str, int]]:
    """One file; what the engine does not give is named and hides no other."""
    try:
        with translated(f"keeping {path.name}"):
            yield _stored(path, read())
    except (EngineFailed, OSError) as error:
        path.unlink(missing_ok=True)
        lacks.append(f"{path.name}: {error}".partition("\n")[0][:200])


def _stored(path: Path, chunks: Iterable[bytes]) -> tuple[str, str, int]:
    """Write, without opening what is in it; of more than :data:`MOST_KEPT` the beginning."""
    hasher, size = hashlib.sha256(), 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        for chunk in chunks:
            part = chunk[: MOST_KEPT - size]
            file.write(part)
            hasher.update(part)
            size += len(part)
            if size >= MOST_KEPT:
                break
    return path.name, hasher.hexdigest(), size


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, default=str).encode() + b"\n"


def _manifest(made: KeptContainer) -> dict[str, Any]:
    files = [{"name": name, "sha256": sha256, "bytes": size} for name, sha256, size in made.files]
    return {
        "kept": utc_now(),
        "container": made.name,
        "run": made.run,
        "job": made.job,
        "files": files,
        "lacks": list(made.lacks),
    }
