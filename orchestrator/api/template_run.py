"""A template's programs in real containers, outside of a run: for a check and for a baseline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator.api.adapters import pool_for
from orchestrator.api.data import data_for
from orchestrator.api.images import resolve_images
from orchestrator.core.job import ContainerKind, Job, JobResult, Peaks
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import LATEX_OUTPUT
from orchestrator.research.paper import latex
from orchestrator.research.paper.latex import TEX
from orchestrator.research.stages.experiments import baseline_job
from orchestrator.research.stages.plots import why_no_figure
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.template.contract.advice import Attempted
from orchestrator.template.contract.files import sample_paper
from orchestrator.template.contract.measured import FINAL
from orchestrator.template.folder import PAPER
from orchestrator.template.template import Template


class TrialListener(Protocol):
    """Follows the containers of a trial; is a sandbox's ``on_event`` too."""

    def begin(self, what: str, minutes: float | None = None, stops: float = 0.0) -> None:
        """A container is about to start; ``minutes`` is the manifest's estimate, if it has one, and
        ``stops`` is after how many seconds the policy stops an experiment.
        """

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        """What the sandbox reports of the job that runs."""


def usage_of(peaks: Peaks) -> dict[str, Any]:
    """What a container used, for a program: seconds and bytes."""
    return {
        "seconds": round(peaks.wall, 3),
        "cpu_seconds": round(peaks.cpu_time, 3),
        "memory_bytes": peaks.memory,
        "disk_bytes": peaks.disk,
        "gpu_memory_bytes": peaks.gpu_memory,
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """One template at one scale under one policy, with an engine behind it."""

    template: Template
    policy: Policy
    scale: str
    files: Tree
    store: BlobStore
    sandbox: DockerSandbox
    live: TrialListener
    images: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...] = ()  # (name, hash)

    def experiment(self, scope: str, what: str = "experiment.py") -> JobResult:
        """``experiment.py`` once, as the baseline of a run would be."""
        job = self.job(scope)
        self.live.begin(what, self.template.scale(self.scale).minutes, job.limits.wall)
        return self.sandbox.run(job)

    @property
    def tried(self) -> Attempted:
        """What advice on a failure is given for."""
        limits = self.policy.limits("experiment")
        return Attempted(self.template, self.scale, limits.gpus, limits.memory)

    @property
    def image(self) -> str:
        """The id of the image that the experiment runs in."""
        return dict(self.images)[self.policy.limits("experiment").image]

    def job(self, scope: str) -> Job:
        return baseline_job(
            self.template, self.policy, self.scale, self.files, scope=scope, data=self.data
        )

    def plot(self, ran: JobResult) -> tuple[JobResult, tuple[str, ...]]:
        """Run ``plot.py`` on an experiment's output; also the names of the PNG files it drew."""
        self.live.begin("plot.py")
        job = Job(
            scope="trial/plot",
            kind="experiment",
            argv=("python", "plot.py"),
            files=self.files.without("latex").updated(ran.files),
            limits=self.policy.limits("experiment").without_gpus(),
            harvest=("*.png",),
            env=tuple(self.template.scale(self.scale).env.items()),
            data=self.data,
        )
        result = self.sandbox.run(job)
        drawn = (
            name for name, sha in result.files.files if not why_no_figure(name, self.store.get(sha))
        )
        return result, tuple(drawn)

    def typeset(self) -> JobResult:
        """Compile the skeleton as a run prepares it, with a sentence in each place; its report is
        harvested.
        """
        self.live.begin("latex")
        skeleton = latex.prepared(self.template.text(PAPER), "Nobody", "a trial", ())
        text = sample_paper(skeleton)
        files = self.files.under("latex").updated(Tree.of({TEX: self.store.put(text.encode())}))
        job = Job(
            scope="trial/paper",
            kind="latex",
            argv=("python3", "/opt/aisci/latex/compile.py", TEX, LATEX_OUTPUT),
            files=files,
            limits=self.policy.limits("latex"),
            harvest=(f"{LATEX_OUTPUT}/",),
        )
        return self.sandbox.run(job)

    def numbers(self, ran: JobResult) -> bytes:
        """The bytes of ``final_info.json``, if it was harvested."""
        return self.store.get(ran.files.as_dict()[FINAL])


@contextmanager
def opened_trial(
    template: Template,
    policy: Policy,
    scale: str,
    live: TrialListener,
    *,
    kinds: tuple[ContainerKind, ...],
    extra: Path | None = None,
) -> Iterator[Trial]:
    """An engine, its images and a scratch store for ``template``; all removed at the end.

    ``extra`` is a folder whose sub-folders are mounted as data sets.
    Raises what :func:`orchestrator.api.prepare.prepare` raises of policies and images.
    """
    template.scale(scale)
    data = data_for(template, scale, policy, extra)
    engine = connect()
    images = resolve_images(policy, engine, template, kinds)
    with tempfile.TemporaryDirectory(prefix="aisci-trial-") as folder:
        store = BlobStore(Path(folder))
        files = Tree.of({name: store.put(data) for name, data in template.files.items()})
        run_id = f"trial-{template.name}"
        with pool_for(policy, engine, run_id, images=images, data=data, on_event=live) as pool:
            sandbox, mounts = (
                DockerSandbox(pool, store),
                tuple((one.name, one.hash) for one in data),
            )
            yield Trial(template, policy, scale, files, store, sandbox, live, images, mounts)
