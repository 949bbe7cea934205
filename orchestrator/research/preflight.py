"""Before a run's first question: a container of each kind that does nothing, and must hold.

What an engine says of itself shows some of what it cannot give; the disk's quota, the kernel's
own word on rights and limits, and a GPU that is too small show only in a container. Seen at a
run's first job it would be too late: by then a model's ideas are paid for.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.job import KINDS, Job
from orchestrator.core.protocols import Sandbox
from orchestrator.core.tree import Tree
from orchestrator.research.run_spec import RunSpec


def rehearse(setup: RunSpec, sandbox: Sandbox) -> None:
    """Run a program that does nothing in each kind of container that the run will need.

    Raises:
        ControlUnavailable: this machine does not give what the policy asks for.
        SandboxFailed: a container was not as asked; DiskFull, HostBusy: there is no room for it.
    """
    for job in _jobs(setup):
        result = sandbox.run(job, FOREVER)
        if not result.ok:
            raise ControlUnavailable(
                f"a program that does nothing ended as: {result.verdict}",
                where=f"the policy's block {job.kind}; its image is {job.limits.image}",
                why=result.stderr[-400:].strip(),
                todo="its limits may be too low to start anything; `aisci doctor` tries this machine",
            )


def _jobs(setup: RunSpec) -> Iterator[Job]:
    for kind in KINDS:
        if kind == "editor" and setup.policy.editor_on_host:
            continue
        yield Job(
            scope=f"rehearsal/{kind}",
            kind=kind,
            argv=("true",),
            files=Tree(),
            limits=setup.policy.limits(kind),
            harvest=(),
            data=setup.mounts if kind == "experiment" else (),
        )
