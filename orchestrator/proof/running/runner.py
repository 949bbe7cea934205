"""Runs probes, in a bare container or in one that is created as for experiments."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import ContainerKind, Job, JobResult, Limits
from orchestrator.core.tree import Tree
from orchestrator.proof.observation import Observation, parse_observations
from orchestrator.proof.probe import HELPERS, PROBES_FOLDER, Probe
from orchestrator.proof.running import inspection
from orchestrator.proof.running.bare import BareContainers
from orchestrator.proof.running.fixtures import (
    DATA_SET,
    ENVIRONMENT,
    PROBES,
    ExposedServices,
    bare_argv,
    exposed_services,
    given_json,
    lowered_limits,
    probe_argv,
    probe_files,
    shared_argv,
)
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.job.session import Session
from orchestrator.sandbox.network.dial import Dialer
from orchestrator.sandbox.resources import RunResources, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox

_WITHOUT_HARVEST = frozenset({"itself", "words", "fenced"})  # judges that need no harvested file

Images = Callable[[str], str]
Limited = Mapping[ContainerKind, Limits]


class ProbeRunner:
    """Runs probes on one engine. Use it in ``with``: it exposes services, and removes what it created.

    ``limits`` are the policy's by kind of container, ``images`` turns an image's name into the id of
    a built one, ``root`` holds ``sandbox/``, ``policy`` is the policy's hash.
    """

    def __init__(
        self, engine: Engine, run_id: str, limits: Limited, images: Images, root: Path, policy: str
    ) -> None:
        self.engine, self.limits, self.images, self.policy = engine, limits, images, policy
        self.resources = RunResources(engine, run_id, lambda: images("aisci-storage"))
        self.storage = ""  # the backend of the last guarded container's workspace
        self._files = probe_files(root / PROBES_FOLDER)
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        folder = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="aisci-prove-"))
        self.blobs = BlobStore(Path(folder) / "blobs")
        self.marker = Path(folder) / "opened"
        self.services: ExposedServices = self._undo.enter_context(exposed_services())
        self._bare = BareContainers(self.engine, self.resources, self.blobs, self.services)
        self._undo.callback(self.resources.close)
        self.sandbox = self.sandbox_with()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def sandbox_with(
        self, admission: Admission | None = None, dialer: Dialer | None = None
    ) -> DockerSandbox:
        """The sandbox that experiments use, with a run's limits or another network."""
        pool = SandboxPool(
            self.engine, self.resources.run_id, self.images, policy=self.policy, admission=admission,
            dialer=dialer, resources=self.resources,
        )  # fmt: skip
        return DockerSandbox(pool, self.blobs)

    def bare_together(self, kind: ContainerKind, probes: Sequence[Probe]) -> dict[str, Observation]:
        """Probes that share a container: one bare container for each kind of bareness."""
        observations: dict[str, Observation] = {}
        limits, _ = lowered_limits(self.limits[kind], None)
        for mode in dict.fromkeys(probe.bare for probe in probes):
            group = [probe for probe in probes if probe.bare == mode]
            argv, files = shared_argv(group, mode), self._tree(limits, bare=True)
            output, end = self._bare.run(self.images(limits.image), mode, argv, files)
            seen = parse_observations(output)
            observations |= {one.id: seen.get(one.id, Observation(why=end.why)) for one in group}
        return observations

    def bare_alone(
        self, kind: ContainerKind, probe: Probe, *args: str, image: str = "", times: int = 1
    ) -> Observation:
        """One probe in its own bare container, started ``times`` times."""
        limits, _ = lowered_limits(self.limits[kind], probe)
        argv, files = bare_argv(probe, args), self._tree(limits, bare=True)
        image = image or self.images(limits.image)
        output, end = self._bare.run(image, probe.bare, argv, files, times)
        seen = parse_observations(output, alone=probe.id).get(probe.id, Observation())
        return replace(seen, done=seen.done and end.done, why=seen.why or end.why)

    @contextmanager
    def bare_left(self, kind: ContainerKind, probe: Probe) -> Iterator[str]:
        """A bare container that runs the probe during the block, by its id."""
        limits, _ = lowered_limits(self.limits[kind], probe)
        argv, files = bare_argv(probe, ()), self._tree(limits, bare=True)
        with self._bare.made(self.images(limits.image), probe.bare, argv, files) as made:
            with translated("starting a bare container"):
                self.engine.api.start(made)
            yield made

    def together(
        self, kind: ContainerKind, probes: Sequence[Probe]
    ) -> tuple[dict[str, Observation], str]:
        """Probes that share a container, by their ids; and that container's id."""
        if not probes:
            return {}, ""
        limits, _ = lowered_limits(self.limits[kind], None)
        before = len(self.services.came)
        result = self.sandbox.run(self._job(kind, limits, shared_argv(probes), "together"))
        self.storage = result.attestation.storage
        # If one of them reached a service, each runs again alone: only that shows which one it was.
        reached = len(self.services.came) > before
        seen = {} if reached else parse_observations(result.stdout)
        return seen, result.attestation.container

    def alone(
        self,
        kind: ContainerKind,
        probe: Probe,
        *args: str,
        image: str = "",
        sandbox: DockerSandbox | None = None,
        within: Deadline = FOREVER,
    ) -> tuple[Observation, JobResult]:
        """One probe in its own container, and the host's inspection of what it left."""
        before = len(self.services.came)
        self.marker.unlink(missing_ok=True)
        job = self._job_of(kind, probe, args, image)
        result = (sandbox or self.sandbox).run(job, within)
        seen = parse_observations(result.stdout, alone=probe.id)[probe.id]
        seen = replace(seen, verdict=str(result.verdict), why=seen.why or result.stderr[-300:])
        seen = inspection.inspect_output(probe, seen, result, self.blobs, self.marker)
        return _reached(seen, self.services.came[before:]), result

    @contextmanager
    def opened(self, kind: ContainerKind, probe: Probe, *args: str) -> Iterator[Session]:
        """The probe as a running job, with its stdin and stdout under the caller's control."""
        with self.sandbox.open(self._job_of(kind, probe, args, "")) as session:
            yield session

    def idle(self, kind: ContainerKind) -> JobResult:
        """A program that does nothing, at the policy's own limits."""
        return self.sandbox.run(self._job(kind, self.limits[kind], ("true",), "whole"))

    @contextmanager
    def image_with(self, kind: ContainerKind, command: str, *changes: str) -> Iterator[str]:
        """The id of the kind's image after root ran a shell command in it; removed afterwards."""
        body = {
            "Image": self.images(self.limits[kind].image), "User": "0:0",
            "Entrypoint": ["/bin/sh", "-c", command], "Cmd": [],
            "Labels": self.resources.labels("bare", "bare", seconds=300.0),
            "HostConfig": {"NetworkMode": "none"},
        }  # fmt: skip
        with translated("making an image for a probe"):
            made = create_container(self.engine, body, f"{self.resources.prefix}-image")
            try:
                self.engine.api.start(made)
                self.engine.api.wait(made, timeout=60)
                image: str = self.engine.api.commit(made, changes=list(changes))["Id"]
            finally:
                remove_container(self.engine, made)
        try:
            yield image
        finally:
            with translated("removing a probe's image"):
                self.engine.api.remove_image(image, force=True)

    def _job_of(self, kind: ContainerKind, probe: Probe, args: Sequence[str], image: str) -> Job:
        limits, _ = lowered_limits(self.limits[kind], probe)
        limits = replace(limits, image=image) if image else limits
        job = self._job(kind, limits, (*probe_argv(probe), *args), "/".join((probe.id, *args)))
        if probe.judge in _WITHOUT_HARVEST:
            return job
        return replace(job, harvest=(f"{inspection.OUTPUT_FOLDER}/",))

    def _job(self, kind: ContainerKind, limits: Limits, argv: tuple[str, ...], name: str) -> Job:
        return Job(
            scope=f"prove/{kind}/{name}",
            kind=kind,
            argv=argv,
            files=Tree() if argv == ("true",) else self._tree(limits, bare=False),
            limits=limits,
            harvest=(),
            env=tuple(ENVIRONMENT.items()),
            data=((DATA_SET, str(self.services.data)),) if kind == "experiment" else (),
        )

    def _tree(self, limits: Limits, *, bare: bool) -> Tree:
        given = given_json(limits, self.services, bare=bare, more={"marker": str(self.marker)})
        files = {**self._files, f"{PROBES}/{HELPERS}/given.json": given}
        return Tree.of({path: self.blobs.put(data) for path, data in files.items()})


def _reached(seen: Observation, came: Sequence[str]) -> Observation:
    """A probe that reached a service of the host got through, whatever it reports."""
    if not came:
        return seen
    saw = f"reached the host's service ({', '.join(sorted(set(came)))})"
    through = (replace(one, through=True, saw=saw) for one in seen.attempts)
    return replace(seen, attempts=tuple(through))
