"""The rows of the table that ``test_every_field.py`` walks: each a way to see that a key holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.api.adapters import real_edges
from orchestrator.api.images import resolve_images
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.errors import AisciError, BudgetSpent, ImageStale
from orchestrator.core.job import ContainerKind
from orchestrator.core.tree import Tree
from orchestrator.policy.check import check
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import BLOCKS
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.objects import create_container, remove_container, remove_volume
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.gpus.nvml import GpuDevice
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job import slot
from orchestrator.sandbox.job.spec import create_request
from orchestrator.sandbox.job.verify import read_back
from tests.contracts.editor import Replies, block
from tests.support import field_rig as rig
from tests.support import golden_rig, run_rig
from tests.support.sandbox_rig import opened_sandbox

GIB = 1 << 30


class Shown:
    """One row: how a key's effect is seen. ``value`` is another legal one than the walk's."""

    def show(self, leaf: str, walked: Walked) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Request(Shown):
    """Another container is made: the engine is asked for this in exactly these places, and has it.

    An empty text stands for a long one: a filter of system calls, the gate's few lines.
    """

    value: Any
    places: dict[str, str]

    def show(self, leaf: str, walked: Walked) -> None:
        kind: ContainerKind = leaf.split(".", maxsplit=1)[0]  # type: ignore[assignment]  # a block's name
        before = rig.base()
        after = rig.changed(before, leaf, self.value)
        found = rig.differing(before, after, kind)
        assert found.keys() == self.places.keys()
        assert {key: text for key, text in found.items() if self.places[key]} == {
            key: text for key, text in self.places.items() if text
        }
        for other in BLOCKS:
            if other != kind:
                assert rig.differing(before, after, other) == {}  # type: ignore[arg-type]  # as above
        old, new = walked.made(before, kind), walked.made(after, kind)
        seen = {key for key in old | new if old.get(key) != new.get(key)}
        if "Image" in self.places:  # another image brings variables of its own
            seen = {key for key in seen if not key.startswith("Env.")}
        assert seen == {INSPECTED.get(place, place) for place in self.places}


INSPECTED = {
    "User": "Config.User",
    "Entrypoint": "Config.Entrypoint",
    "HostConfig.Ulimits.nofile": "HostConfig.Ulimits",
    "HostConfig.Ulimits.fsize": "HostConfig.Ulimits",
}
"""Places of a request that an inspected container has under another name."""


@dataclass(frozen=True)
class Probe(Shown):
    """A program in a real container sees ``before``, and with the new value ``after``."""

    value: Any
    what: str
    before: str
    after: str
    program: str = rig.PROBE
    first: tuple[tuple[str, Any], ...] = ()

    def policies(self, leaf: str) -> tuple[Policy, Policy]:
        """Before and after; ``first`` are keys of the same block that both have otherwise."""
        before = rig.base()
        for key, value in self.first:
            before = rig.changed(before, f"{leaf.split('.', maxsplit=1)[0]}.{key}", value)
        return before, rig.changed(before, leaf, self.value)

    def show(self, leaf: str, walked: Walked) -> None:
        before, after = walked.seen(leaf)
        assert (before[self.what], after[self.what]) == (self.before, self.after), after.result


@dataclass(frozen=True)
class Both(Shown):
    """A key that holds in two ways."""

    ways: tuple[Shown, ...]

    def show(self, leaf: str, walked: Walked) -> None:
        for way in self.ways:
            way.show(leaf, walked)


@dataclass(frozen=True)
class Refused(Shown):
    """Only one value can be had; another is refused, naming the key."""

    value: Any

    def show(self, leaf: str, walked: Walked) -> None:  # noqa: ARG002  # needs none
        policy = rig.changed(rig.base(), leaf, self.value)
        named = [one for one in check(policy) if one.level == "error" and leaf in one.where]
        assert named, check(policy)


@dataclass(frozen=True)
class TooOld(Shown):
    """A run does not start: its images, which may be used otherwise, are older, and the key is named."""

    value: str

    def show(self, leaf: str, walked: Walked) -> None:
        before = rig.base()
        assert resolve_images(before, walked.bench.engine)
        with pytest.raises(ImageStale, match="the policy allows") as caught:
            resolve_images(rig.changed(before, leaf, self.value), walked.bench.engine)
        assert leaf in caught.value.where


@dataclass(frozen=True)
class NoOther(Shown):
    """There is one value; any other is no policy."""

    value: Any

    def show(self, leaf: str, walked: Walked) -> None:  # noqa: ARG002  # needs none
        with pytest.raises(ValidationError, match=leaf.replace(".", r"\.")):
            rig.changed(rig.base(), leaf, self.value)


@dataclass(frozen=True)
class Ends(Shown):
    """A whole run that finishes does not, and the error names the key."""

    value: Any
    gpus: int = 0

    def show(self, leaf: str, walked: Walked) -> None:
        before = rig.base()
        if self.gpus:
            before = rig.changed(before, "experiment.gpus.count", self.gpus)
            before = rig.changed(before, "idea.gpu_time", "1h")
        folder = walked.folder / leaf
        assert rig.researched(before, folder / "before") == "finished"
        assert leaf in rig.researched(rig.changed(before, leaf, self.value), folder / "after")


@dataclass(frozen=True)
class Waits(Shown):
    """A second job has to wait, where it did not."""

    value: Any

    def show(self, leaf: str, walked: Walked) -> None:
        before = rig.base()
        assert walked.admits(before) == "both at once"
        assert walked.admits(rig.changed(before, leaf, self.value)) == "one by one"


@dataclass(frozen=True)
class Keeps(Shown):
    """A job is refused for what the host keeps, naming the key."""

    value: Any
    error: type[AisciError]

    def show(self, leaf: str, walked: Walked) -> None:
        before = rig.base()
        assert walked.admits(before) == "both at once"
        with pytest.raises(self.error, match="keeps") as caught:
            walked.admits(rig.changed(before, leaf, self.value))
        assert leaf in str(caught.value)


@dataclass(frozen=True)
class Named(Shown):
    """A test of its own, for what no row can say."""

    test: Callable[[Walked], None]

    def show(self, leaf: str, walked: Walked) -> None:  # noqa: ARG002  # knows its own
        self.test(walked)


class Nvml:
    """A driver with one GPU of 16 GiB, on which some process uses one."""

    def devices(self) -> tuple[GpuDevice, ...]:
        return (GpuDevice("GPU-walk", 16 * GIB),)

    def processes(self, _uuid: str) -> tuple[tuple[int, int], ...]:
        return ((1, GIB),)


class Walked:
    """Real and scripted edges for all rows; every probe is run once, two at a time."""

    def __init__(self, bench: rig.Bench, folder: Path, rows: Mapping[str, Shown]) -> None:
        self.bench, self.folder, self.rows = bench, folder, rows
        self.setup = replace(run_rig.setup(folder), images=resolve_images(rig.base(), bench.engine))
        self._made: dict[str, dict[str, str]] = {}
        self._probed: dict[str, rig.Seen] = {}
        self._names: dict[str, tuple[str, str]] = {}

    def made(self, policy: Policy, kind: ContainerKind) -> dict[str, str]:
        """A container as the engine has made it under ``policy``, by setting; never started."""
        known = f"{kind} {policy.hash}"
        if known not in self._made:
            engine = self.bench.engine
            body = golden_rig.request_of(policy, kind)
            body["Image"] = engine.images.get(policy.limits(kind).image).id
            body["HostConfig"]["Mounts"][0]["Source"] = "aisci-test-walk"
            if body["HostConfig"]["Runtime"] not in engine.api.info()["Runtimes"]:
                pytest.skip("the engine has no runsc; what it would be asked for was seen")
            container = create_container(engine, body, "aisci-test-walk")
            try:
                self._made[known] = dict(read_back(engine, container, body).inspected)
            finally:
                remove_container(engine, container)
                remove_volume(engine, "aisci-test-walk")
        return self._made[known]

    def seen(self, leaf: str) -> tuple[rig.Seen, rig.Seen]:
        """What the probe of a key saw before and after."""
        if not self._probed:
            self._probe_all()
        before, after = self._names[leaf]
        return self._probed[before], self._probed[after]

    def _probe_all(self) -> None:
        wanted: dict[str, tuple[Policy, ContainerKind, str]] = {}
        for leaf, row in self.rows.items():
            for way in row.ways if isinstance(row, Both) else (row,):
                if isinstance(way, Probe):
                    kind: ContainerKind = leaf.split(".")[0]  # type: ignore[assignment]  # a block's name
                    before, after = way.policies(leaf)
                    shared = f"{kind} before {way.first}"
                    wanted[shared] = (before, kind, way.program)
                    wanted[leaf] = (after, kind, way.program)
                    self._names[leaf] = (shared, leaf)
        self._probed = self.bench.run_all(wanted)

    def admits(self, policy: Policy) -> str:
        """Whether two experiments of a run may be there at once."""
        setup = replace(self.setup, policy=policy)
        with real_edges(setup, self.bench.engine, "walk-admits") as over:
            sandbox = over(BlobStore(self.folder / "blobs")).sandbox
            allowance: Admission = sandbox.pool.admission  # type: ignore[attr-defined]  # the real one's
            limits = policy.limits("experiment")
            places = {self.folder: limits.workspace}
            with allowance.held(limits, places):
                try:
                    with allowance.held(limits, places, Deadline.after(0.5, "patience")):
                        return "both at once"
                except BudgetSpent:
                    return "one by one"

    def edited(self, policy: Policy) -> tuple[type, bool]:
        """The editor that a run under ``policy`` has, and whether its edit was attested."""
        blobs = BlobStore(self.folder / "blobs")
        request = EditRequest(
            scope="walk",
            purpose="walk.edit",
            instruction="Set x to 2.",
            files=Tree.of({"experiment.py": blobs.put(b"x = 1\n")}),
            editable=("experiment.py",),
            limits=policy.limits("editor"),
        )
        model = Replies([block("experiment.py", "x = 1\n", "x = 2\n")])
        setup = replace(self.setup, policy=policy)
        with real_edges(setup, self.bench.engine, "walk-edits") as over:
            editor = over(blobs).editor
            edit = editor.edit(request, model, FOREVER)
        assert edit.changed == ("experiment.py",)
        return type(editor), edit.attestation is not None

    def on_gpu(self, policy: Policy) -> str:
        """How a real container ends of which a scripted driver says that it uses one GiB."""
        engine, blobs = self.bench.engine, self.bench.blobs
        mine = {"label": ["aisci.run=walk-gpu"]}

        def container_of(_pid: int) -> str:
            return " ".join(one["Id"] for one in engine.api.containers(filters=mine))

        def without_device(*job: Any, **settings: Any) -> dict[str, Any]:
            body = create_request(*job, **settings)
            assert body["HostConfig"]["DeviceRequests"]
            return {**body, "HostConfig": {**body["HostConfig"], "DeviceRequests": []}}

        with (
            pytest.MonkeyPatch.context() as patch,
            opened_sandbox(
                engine,
                blobs,
                "walk-gpu",
                lambda name: resolve_image(engine, name),
                gpus=GpuPool(Nvml(), container_of),
            ) as sandbox,
        ):
            patch.setattr(slot, "create_request", without_device)
            bench = rig.Bench(engine, sandbox, blobs)
            return bench.run("gpu", policy, "experiment", "import time; time.sleep(1)")["verdict"]
