"""The engine's create request of every shipped policy, for each kind of container.

``scripts/renew-golden.sh`` runs this module, which writes them all to ``tests/golden``. A word in
capitals replaces what differs between machines and jobs.
"""

from __future__ import annotations

import json
from typing import Any

from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind, Job, Limits
from orchestrator.core.tree import Tree, digest
from orchestrator.policy.policy import Policy, load_blocks, load_policy
from orchestrator.policy.schema import BLOCKS
from orchestrator.sandbox.job.spec import create_request
from tests.support.places import ROOT

FOLDER = ROOT / "tests" / "golden"
SHIPPED = shipped_root() / "policies"
KINDS: tuple[ContainerKind, ...] = ("experiment", "latex", "editor")
ARGV: dict[ContainerKind, tuple[str, ...]] = {
    "experiment": ("python", "experiment.py", "--out_dir=run_1"),
    "latex": ("python3", "/opt/aisci/latex/compile.py", "latex/template.tex", "latex/out"),
    "editor": ("python3", "-I", "/opt/aisci/editor/worker.py"),
}
IMAGE, VOLUME, SOCKET = "IMAGE", "VOLUME", "/SOCKET"


def whole_policies() -> tuple[str, ...]:
    """The shipped policies that a run can name: those with every block."""
    return tuple(name for name in shipped() if not blocks_only(name))


def shipped() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def blocks_only(name: str) -> bool:
    """Whether a file holds nothing but blocks for other policies."""
    return set(load_blocks(name, SHIPPED)[1].settings) <= set(BLOCKS)


def job_of(limits: Limits, kind: ContainerKind) -> Job:
    """One fixed job under these limits."""
    return Job(
        scope=f"golden/{kind}",
        kind=kind,
        argv=ARGV[kind],
        files=Tree(),
        limits=limits,
        harvest=("run_1/",),
        env=(("AISCI_SCALE", "smoke"),) if kind == "experiment" else (),
    )


def request_of(policy: Policy, kind: ContainerKind) -> dict[str, Any]:
    """What the engine is asked for when such a job runs under ``policy``."""
    limits = policy.limits(kind)
    return create_request(
        job_of(limits, kind),
        image=IMAGE,
        volume=VOLUME,
        labels={"aisci": "LABELS"},
        duplex=kind == "editor",
        gpus=tuple(f"GPU-{number}" for number in range(limits.gpus)),
        egress=SOCKET if limits.network else "",
    )


def text_of(request: dict[str, Any]) -> str:
    """The request as it is kept: a filter of system calls stands there by its hash."""
    host = request["HostConfig"]
    short = {**request, "HostConfig": {**host, "SecurityOpt": list(filters_of(request))}}
    return json.dumps(short, indent=2, sort_keys=True) + "\n"


def filters_of(request: dict[str, Any]) -> dict[str, str]:
    """Each security option by what is kept of it."""
    options: list[str] = request["HostConfig"]["SecurityOpt"]
    return {
        f"seccomp=sha256:{digest(option)}" if option.startswith("seccomp=") else option: option
        for option in options
    }


def all_requests() -> dict[str, str]:
    """File name → content."""
    return {
        f"{name}-{kind}.json": text_of(request_of(load_policy(name, SHIPPED), kind))
        for name in whole_policies()
        for kind in KINDS
    }


def main() -> None:
    """Rewrite every file, and remove those of policies that are no longer shipped."""
    wanted = all_requests()
    for old in FOLDER.glob("*.json"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
    print(f"{len(wanted)} files in {FOLDER.name}/; `git diff` shows what changed")


if __name__ == "__main__":
    main()
