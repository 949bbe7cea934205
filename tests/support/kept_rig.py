"""A baseline of the quick template, kept as if a container of this machine had measured it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.tree import Tree
from orchestrator.machine.baseline_cache import keep_baseline
from orchestrator.record.blobs import BlobStore
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.experiments import baseline_job
from orchestrator.sandbox.scripted import ScriptedSandbox
from orchestrator.template.baseline import FORM, KeptBaseline, key_of
from tests.support.run_rig import pretend


def keep_quick(spec: RunSpec, folder: Path) -> KeptBaseline:
    """Keep it for this user; ``folder`` is for scratch."""
    blobs = BlobStore(folder / "scratch")
    files = Tree.of({name: blobs.put(data) for name, data in spec.template.files.items()})
    job = baseline_job(spec.template, spec.policy, spec.scale, files, scope="", data=())
    result = ScriptedSandbox(blobs, pretend(blobs), policy=spec.policy.hash).run(job)
    kept = KeptBaseline(
        form=FORM,
        key=key_of(job, "sha256:image", spec.policy.hash),
        template=spec.template.name,
        template_hash=spec.template.hash,
        scale=spec.scale,
        policy=spec.policy.name,
        image="sha256:image",
        program="0",
        machine="a machine",
        at="2026-01-01T00:00:00+00:00",
        seeds={},
        result=result,
    )
    keep_baseline(kept, blobs)
    return kept
