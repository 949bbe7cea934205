"""Keeps what a container is and has, before it is removed: for whoever looks into what a job did.

The container is held still meanwhile, and nothing is asked of it. A trusted helper, which has the job's volume
read-only, sends its files as one tar stream; the host hashes and stores it unopened. A job's ``/tmp`` is memory of
the container: it is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.core.errors import EngineFailed
from orchestrator.core.stopwatch import utc_now
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, translated
from orchestrator.sandbox.engine.labels import DEADLINE, JOB, KIND, OWNER, RUN, Owner
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.stream import STDOUT, Stream
from orchestrator.sandbox.images.images import find_image
from orchestrator.sandbox.storage.helper import ATTACHED, helper_body, volume_mount

MOST_KEPT = 4 << 30  # bytes of one container's files
_SILENCE = 60.0  # seconds without a byte after which the helper is given up
_LONGEST = 900  # seconds that a helper may exist: then a sentinel or `aisci reap` removes it
_HELPER_IMAGE = "aisci-storage"
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
        for volume in _volumes(facts):
            read = partial(volume_tar, engine, volume, facts["Config"]["Labels"] or {})
            files += _kept(lacks, folder / "workspace.tar", read)
    lacks += [
        f"{file}: only its first {MOST_KEPT >> 30} GiB"
        for file, _, size in files
        if size >= MOST_KEPT
    ]
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


def _volumes(facts: Mapping[str, Any]) -> Iterator[str]:
    """The job's own volume; staged data is mounted, too, and is the host's already."""
    for mount in facts.get("Mounts") or []:
        if mount.get("Type") == "volume" and str(mount.get("Name", "")).startswith("aisci-"):
            yield str(mount["Name"])


def volume_tar(engine: Engine, volume: str, labels: Mapping[str, Any]) -> Iterator[bytes]:
    """All of a volume as a tar, sent by a trusted helper that may read everything in it and change nothing.

    Raises :class:`EngineFailed`.
    """
    body = _reader(engine, volume, labels)
    name = f"{volume[:80]}-kept-{secrets.token_hex(4)}"
    container = create_container(engine, body, name)
    stream = Stream(engine, container)
    try:
        engine.api.start(container)
        while not stream.ended:
            pieces = stream.read(_SILENCE)
            if not pieces and not stream.ended:
                break
            yield from (data for which, data in pieces if which == STDOUT)
        code = engine.api.wait(container, timeout=30)["StatusCode"]
        if code != 0:
            raise EngineFailed(
                f"the trusted helper ended with {code}",
                where=volume,
                todo="what it had sent until then is not kept; `aisci doctor` tests the engine",
            )
    finally:
        stream.close()
        remove_container(engine, container)


def _reader(engine: Engine, volume: str, labels: Mapping[str, Any]) -> dict[str, Any]:
    """The request for the helper: the volume read-only, one capability to read, no network."""
    image = find_image(engine, _HELPER_IMAGE)
    if image is None:
        raise EngineFailed(
            "there is no image of the trusted helper",
            where=_HELPER_IMAGE,
            todo=f"aisci images build {_HELPER_IMAGE}",
        )
    own = {
        RUN: str(labels.get(RUN, "")),
        JOB: str(labels.get(JOB, "")),
        KIND: "keeper",
        OWNER: str(Owner.me()),
        DEADLINE: str(int(time.time()) + _LONGEST),
    }
    body = helper_body(
        str(image.id),
        own,
        CapAdd=["DAC_READ_SEARCH"],
        SecurityOpt=["no-new-privileges:true", f"seccomp={shipped_profile().text}"],
        Mounts=[volume_mount(volume, "/volume") | {"ReadOnly": True}],
    )
    program = {"Entrypoint": ["tar"], "Cmd": ["-C", "/volume", "-cf", "-", "."]}
    return {**body, **program, **ATTACHED}


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
