"""Before a run's first call: a container of each kind that does nothing, with every check.

An engine's own report does not show everything: a disk quota, the rights and limits in the kernel,
and a GPU that is too small can only be checked in a container. At the run's first job it would be
too late, because the ideas of a model are paid for by then.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from orchestrator.core.deadline import FOREVER
from orchestrator.core.edit import WORKER
from orchestrator.core.errors import ControlUnavailable, UserError
from orchestrator.core.job import KINDS, ContainerKind, Job, JobResult
from orchestrator.core.protocols import Sandbox
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.compile import paper_env
from orchestrator.template.template import Template


def require_time(template: Template, policy: Policy, scale: str) -> None:
    """Raise :class:`UserError` if one run of the scale takes longer than the policy allows."""
    minutes = template.scale(scale).minutes
    if minutes is None:
        return
    seconds = 60 * minutes
    gpus = policy.limits("experiment").gpus
    limits = [
        ("experiment.time.wall", policy.limits("experiment").wall),
        ("idea.wall", policy.idea.wall),
        ("run.wall", policy.run.wall),
    ]
    if gpus:
        limits.append(("idea.gpu_time", policy.idea.gpu_time / gpus))
        limits.append(("run.gpu_time", policy.run.gpu_time / gpus))
    for key, most in limits:
        if seconds > most:
            fitting = [
                name
                for name, one in template.manifest.scales.items()
                if one.minutes is not None and 60 * one.minutes <= most
            ]
            smaller = f"choose --scale {' or '.join(fitting)}, or " if fitting else "choose "
            raise UserError(
                f"a run of the scale {scale!r} takes about {seconds / 60:g} minutes; "
                f"the policy allows {most / 60:g}",
                where=f"policy {policy.name}, {key}",
                why="it would be killed, and what it cost would be lost",
                todo=f"{smaller}a policy with a longer {key}",
            )


def rehearse(spec: RunSpec, sandbox: Sandbox) -> None:
    """Run a program that does nothing in each kind of container that the run will need.

    Raises :class:`ControlUnavailable` if this machine cannot enforce the policy,
    :class:`SandboxFailed` if a container differs from its request, and :class:`DiskFull` or
    :class:`HostBusy` if there is no room for one.
    """
    kinds = [kind for kind in KINDS if kind != "editor" or not spec.policy.editor_on_host]
    jobs = [_nothing(spec, kind) for kind in kinds]
    with ThreadPoolExecutor(len(jobs), "rehearsal") as threads:  # they wait for the engine
        ended = [threads.submit(sandbox.run, job, FOREVER) for job in jobs]
        for job, result in zip(jobs, ended, strict=True):
            _require_ended_well(job, result.result())


def _require_ended_well(job: Job, result: JobResult) -> None:
    if not result.ok:
        raise ControlUnavailable(
            f"a program that does nothing ended as: {result.verdict}",
            where=f"the policy's block {job.kind}; its image is {job.limits.image}",
            why=result.stderr[-400:].strip(),
            todo="its limits may be too low to start anything; `aisci doctor` tries this machine",
        )


def _nothing(spec: RunSpec, kind: ContainerKind) -> Job:
    """In each container all is as in the run's own jobs, so that the one that is made behind it serves the
    first of them.
    """
    job = Job(
        scope=f"rehearsal/{kind}",
        kind=kind,
        argv=("true",),
        files=Tree(),
        limits=spec.policy.limits(kind),
        harvest=(),
    )
    if kind == "editor":
        return replace(job, preload=WORKER)
    if kind == "latex":
        return replace(job, env=paper_env({spec.author, *(pin.author for pin in spec.roles)}))
    env = tuple(spec.template.scale(spec.scale).env.items())
    return replace(job, env=env, data=spec.mounts, preload=spec.template.manifest.preload)
