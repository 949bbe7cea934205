"""Proves a policy: each probe in a bare container, then in one as experiments get it.

Probes that do no more than ask share a container, each a process of its own; those that end or
fill one, or that the host must look at, have it to themselves.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from orchestrator import AisciError
from orchestrator.blobs import BlobStore
from orchestrator.edges.container import WORKDIR
from orchestrator.edges.depot import Depot
from orchestrator.edges.engine import Engine
from orchestrator.edges.proving import looks
from orchestrator.edges.proving.bare import BareContainers
from orchestrator.edges.proving.given import DATA, Doors, doors, given, lowered
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.proof.judge import Result, judge
from orchestrator.proof.probe import FOLDER, HELPERS, Bare, Probe
from orchestrator.proof.proof import Whole
from orchestrator.proof.seen import Seen, read
from orchestrator.records import ContainerKind, Job, JobResult, Limits, Tree

PROBES = "probes"  # below the working directory
_HARVESTED = frozenset({"home", "home whole", "numbers", "opaque"})
_PLAYED = {".tex": f"{PROBES}/{HELPERS}/typeset.py", ".md": f"{PROBES}/{HELPERS}/editing.py"}

Say = Callable[[str], None]


class Prover:
    """Runs probes on one engine. Use it in ``with``: it opens doors, and removes what it made.

    ``limits`` are the policy's own by kind of container, ``images`` turns an image's name into
    the id of a built one, ``root`` holds ``sandbox/``, ``policy`` is the policy's hash.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Mapping[ContainerKind, Limits],
        images: Callable[[str], str],
        root: Path,
        policy: str,
    ) -> None:
        self.engine, self.limits, self.images, self.policy = engine, limits, images, policy
        self._files = _shipped(root / FOLDER)
        self._undo = ExitStack()
        self.depot = Depot(engine, f"prove-{secrets.token_hex(4)}", lambda: images("aisci-storage"))
        self.storage = ""

    def __enter__(self) -> Self:
        folder = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="aisci-prove-"))
        self.blobs = BlobStore(Path(folder) / "blobs")
        self.marker = Path(folder) / "opened"
        self.doors: Doors = self._undo.enter_context(doors())
        self._bare = BareContainers(self.engine, self.depot, self.blobs, self.doors)
        self._undo.callback(self.depot.close)
        self.sandbox = DockerSandbox(
            self.engine, self.blobs, self.depot.run_id, self.images, _depot=self.depot
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    # --- a whole kind of container ---------------------------------------------------------

    def prove(self, kind: ContainerKind, probes: Sequence[Probe], say: Say) -> Iterator[Result]:
        """Each probe's result, as it is known; ``say`` is told what is under way."""
        shared = [one for one in probes if not one.alone]
        say(f"{len(shared)} probes in bare containers")
        bare = self.bare_together(kind, shared)
        say(f"{len(shared)} probes in one container")
        guarded, container = self.together(kind, shared)
        for probe in shared:
            if not guarded.get(probe.id, Seen()).done:  # alone, what went wrong shows by itself
                say(probe.id)
                guarded[probe.id], result = self.alone(kind, probe)
                container = result.attestation.container
            yield self._result(
                probe, kind, bare.get(probe.id, Seen()), guarded[probe.id], container
            )
        for probe in probes:
            if probe.alone and probe.judge != "host":
                say(probe.id)
                was = self.bare_alone(kind, probe)
                now, result = self.alone(kind, probe)
                yield self._result(probe, kind, was, now, result.attestation.container)

    def whole(self, kind: ContainerKind) -> Whole:
        """A program that does nothing, at the policy's own limits."""
        try:
            result = self.sandbox.run(self._job(kind, self.limits[kind], ("true",), "whole"))
        except AisciError as error:
            return Whole(kind=kind, why=": ".join(filter(None, (error.what, error.why))))
        self.storage = result.attestation.storage
        if not result.ok:
            return Whole(kind=kind, why=f"it ended as: {result.verdict}")
        return Whole(kind=kind, attestation=result.attestation)

    # --- bare --------------------------------------------------------------------------------

    def bare_together(self, kind: ContainerKind, probes: Sequence[Probe]) -> dict[str, Seen]:
        """Those that share a container, one bare container for each way of being bare."""
        found: dict[str, Seen] = {}
        for way in dict.fromkeys(one.bare for one in probes):
            mine = [one for one in probes if one.bare == way]
            limits, _ = lowered(self.limits[kind], None)
            said, _ = self._run_bare(way, _together(mine, world=way == "world"), limits)
            found |= read(said)
        return found

    def bare_alone(self, kind: ContainerKind, probe: Probe) -> Seen:
        """One probe that wants a bare container to itself."""
        limits, _ = lowered(self.limits[kind], probe)
        said, how = self._run_bare(probe.bare, _bare_argv(probe), limits)
        seen = read(said, alone=probe.id).get(probe.id, Seen())
        return replace(seen, done=seen.done and how.done, why=seen.why or how.why)

    def _run_bare(self, way: Bare, argv: Sequence[str], limits: Limits) -> tuple[str, Seen]:
        files = self._tree(limits, bare=True)
        return self._bare.run(self.images(limits.image), way, argv, files, _environment())

    # --- guarded ------------------------------------------------------------------------------

    def together(self, kind: ContainerKind, probes: Sequence[Probe]) -> tuple[dict[str, Seen], str]:
        """Those that share a container, by their ids; and that container's id."""
        if not probes:
            return {}, ""
        limits, _ = lowered(self.limits[kind], None)
        before = len(self.doors.came)
        result = self.sandbox.run(self._job(kind, limits, _together(probes), "together"))
        found = read(result.stdout)
        if len(self.doors.came) > before:  # then whoever knocked is found alone
            found = {}
        return found, result.attestation.container

    def alone(self, kind: ContainerKind, probe: Probe) -> tuple[Seen, JobResult]:
        """One probe in a container of its own, and the host's look at what it left."""
        limits, _ = lowered(self.limits[kind], probe)
        before = len(self.doors.came)
        self.marker.unlink(missing_ok=True)
        result = self.sandbox.run(self._job(kind, limits, _argv(probe), probe.id, probe))
        seen = read(result.stdout, alone=probe.id)[probe.id]
        seen = replace(seen, verdict=str(result.verdict), why=seen.why or result.stderr[-300:])
        seen = looks.looked_at(probe, seen, result, self.blobs, self.marker)
        return _knocked(seen, self.doors.came[before:]), result

    # --- values --------------------------------------------------------------------------------

    def _job(
        self,
        kind: ContainerKind,
        limits: Limits,
        argv: tuple[str, ...],
        name: str,
        probe: Probe | None = None,
    ) -> Job:
        harvested = probe is not None and probe.judge in _HARVESTED
        return Job(
            scope=f"prove/{kind}/{name}",
            kind=kind,
            argv=argv,
            files=Tree() if argv == ("true",) else self._tree(limits, bare=False),
            limits=limits,
            policy=self.policy,
            harvest=(f"{looks.OUT}/",) if harvested else (),
            env=tuple(_environment().items()),
            data=((DATA, str(self.doors.data)),) if kind == "experiment" else (),
        )

    def _tree(self, limits: Limits, *, bare: bool) -> Tree:
        more: dict[str, Any] = {"marker": str(self.marker)}
        told = given(limits, self.doors, bare=bare, more=more)
        files = {**self._files, f"{PROBES}/{HELPERS}/given.json": told}
        return Tree.of({path: self.blobs.put(data) for path, data in files.items()})

    def _result(
        self, probe: Probe, kind: ContainerKind, bare: Seen, guarded: Seen, container: str
    ) -> Result:
        limits = self.limits[kind]
        state, saw, why = judge(probe, limits.runtime, bare, guarded)
        return result_of(
            probe, kind, state=state, saw=saw, why=why, verdict=guarded.verdict,
            container=container, lowered=lowered(limits, probe)[1] if probe.alone else "",
            bare="; ".join(dict.fromkeys(one.saw or one.name for one in bare.through[:4])),
        )  # fmt: skip


def result_of(probe: Probe, kind: ContainerKind, **seen: Any) -> Result:
    """A result with what the probe says of itself."""
    return Result(
        probe=probe.id, kind=kind, promise=probe.promise, tries=probe.tries, parts=probe.parts,
        families=probe.families, **seen,
    )  # fmt: skip


def _shipped(folder: Path) -> dict[str, bytes]:
    """Every file of the probes, as it lies below a job's working directory."""
    return {
        f"{PROBES}/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": f"{WORKDIR}/{PROBES}/{HELPERS}", "PYTHONDONTWRITEBYTECODE": "1"}


def _argv(probe: Probe) -> tuple[str, ...]:
    player = _PLAYED.get(Path(probe.file).suffix)
    return ("python3", *([player] if player else []), f"{PROBES}/{probe.file}")


def _bare_argv(probe: Probe) -> tuple[str, ...]:
    """As guarded; but where the host looks, a naive reader inside looks in its place."""
    argv = _argv(probe)
    if probe.judge != "itself":
        argv = ("python3", f"{PROBES}/{HELPERS}/naive.py", probe.judge, *argv[1:])
    return _in_world(argv) if probe.bare == "world" else argv


def _together(probes: Sequence[Probe], *, world: bool = False) -> tuple[str, ...]:
    argv = ("python3", f"{PROBES}/{HELPERS}/together.py", *(one.file for one in probes))
    return _in_world(argv) if world else argv


def _in_world(argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("python3", f"{PROBES}/{HELPERS}/world.py", *argv)


def _knocked(seen: Seen, came: Sequence[str]) -> Seen:
    """Who came to the host's doors got through, whatever the probe says."""
    return replace(
        seen,
        attempts=tuple(
            replace(one, through=True, saw=f"came to the host's door ({', '.join(set(came))})")
            if came
            else one
            for one in seen.attempts
        ),
    )
