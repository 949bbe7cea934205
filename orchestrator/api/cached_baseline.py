"""The kept baseline that a run may start from."""

from __future__ import annotations

from orchestrator.core.protocols import Blobs, Sandbox
from orchestrator.core.tree import Tree, digest
from orchestrator.machine import baseline_cache as baselines
from orchestrator.record.pins import BaselinePin
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.experiments import baseline_job
from orchestrator.template.baseline import KeptBaseline, key_of


def kept_for(setup: RunSpec) -> KeptBaseline | None:
    """The kept baseline whose job equals the one of ``setup``, or None."""
    template = setup.template
    files = Tree.of({path: digest(data) for path, data in template.files.items()})
    job = baseline_job(template, setup.policy, setup.scale, files, scope="", data=setup.mounts)
    image = dict(setup.images)[job.limits.image]
    return baselines.find_baseline(
        template.name, setup.scale, key_of(job, image, setup.policy.hash)
    )


def pin_of(kept: KeptBaseline) -> BaselinePin:
    """What a run's record keeps of the baseline that it starts from."""
    container = kept.result.attestation.container
    return BaselinePin(key=kept.key, at=kept.at, machine=kept.machine, container=container)


def with_kept_baseline(setup: RunSpec, blobs: Blobs, real: Sandbox) -> Sandbox:
    """``real``, and in front of it the baseline that the run's pins name, if it is still kept."""
    if setup.baseline is None:
        return real
    kept = baselines.find_baseline(setup.template.name, setup.scale, setup.baseline.key)
    return real if kept is None else baselines.CachedBaselineSandbox(kept, blobs, real)
