"""What shows that one key of a policy is enforced: a request that changes, or a probe that sees it.

A policy is changed in one key, in its file form, and both policies then go the way that a run
takes: to an engine request, through a real container, or through a whole run on scripted edges.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.api.export import FileExporter
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind, Job, JobResult
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy, load_policy
from orchestrator.policy.schema import WholePolicy
from orchestrator.record.attestation import flatten_settings
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.sandbox import DockerSandbox
from tests.support import run_rig
from tests.support.golden_rig import request_of
from tests.support.places import DATA
from tests.support.sandbox_rig import opened_sandbox

SHIPPED = shipped_root() / "policies"
WALK = DATA / "policies" / "walk.yaml"


def base() -> Policy:
    return load_policy(str(WALK), SHIPPED)


def changed(policy: Policy, leaf: str, value: Any) -> Policy:
    """``policy`` with one key set, checked as a policy file is."""
    settings = policy.settings
    *path, last = leaf.split(".")
    at = settings
    for part in path:
        at = at.setdefault(part, {})
    assert at.get(last) != value, f"{leaf} is {value!r} already"
    at[last] = value
    return replace(policy, whole=WholePolicy.model_validate(settings))


# --- requests --------------------------------------------------------------------------------


def settings_of(policy: Policy, kind: ContainerKind) -> dict[str, str]:
    """The engine request as (dotted key, text), environment variables by name."""
    request = request_of(policy, kind)
    request["Image"] = policy.limits(kind).image
    request["Env"] = dict(line.split("=", 1) for line in request["Env"])
    ulimits = {one["Name"]: one["Hard"] for one in request["HostConfig"]["Ulimits"]}
    request["HostConfig"] = {**request["HostConfig"], "Ulimits": ulimits}
    return dict(flatten_settings(request))


def differing(before: Policy, after: Policy, kind: ContainerKind) -> dict[str, str]:
    """What stands otherwise in the second policy's request: key → the new text."""
    old, new = settings_of(before, kind), settings_of(after, kind)
    keys = [key for key in old | new if old.get(key) != new.get(key)]
    return {key: new.get(key, "") for key in keys}


# --- real containers -------------------------------------------------------------------------

PROBE = """
    import json, os, resource, socket, time
    began, seen = time.monotonic(), {}
    def attempt(name, work):
        try: work(); seen[name] = 'done'
        except OSError as error: seen[name] = error.strerror
    def fill():
        try:
            with open('fill', 'wb', buffering=0) as file:
                left = 12 << 20
                while left: left -= file.write(bytes(min(left, 1 << 20)))
        finally: os.unlink('fill')
    def litter():
        os.mkdir('many')
        try:
            for number in range(600): open(f'many/{number}', 'x').close()
        finally:
            for name in os.listdir('many'): os.unlink('many/' + name)
    for _ in range(200): print('x' * 1000)
    attempt('12 MiB', fill)
    attempt('600 files', litter)
    os.makedirs('run_1/a/b')
    for name in ('1', '2', '3', 'a/b/deep'): open('run_1/' + name, 'w').write('here')
    open('run_1/large', 'wb').write(bytes(300_000))
    seen['proxy'] = os.environ.get('HTTPS_PROXY', '')
    while time.process_time() < 0.8: pass
    while time.monotonic() - began < 1.8: time.sleep(0.05)
    print(json.dumps(seen))
"""
PATIENT = """
    import os, signal, sys, time
    def saves(*_):
        time.sleep(2); open('run_1/saved', 'w').write('in time'); sys.exit(0)
    os.mkdir('run_1'); signal.signal(signal.SIGTERM, saves); time.sleep(60)
"""


@dataclass(frozen=True)
class Seen:
    """What came of one real container: its result, and what its probe said last."""

    result: JobResult
    said: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, result: JobResult) -> Seen:
        last = (result.stdout.splitlines() or [""])[-1]
        return cls(result, json.loads(last) if last.startswith("{") else {})

    def __getitem__(self, what: str) -> str:
        """A file as ``home``/``left out``, the verdict, a mount, or what the probe said."""
        if what == "verdict":
            return str(self.result.verdict)
        if what == "files":
            return str(len(self.result.files.files))
        if what == "mounts":
            return dict(self.result.attestation.asked)["HostConfig.Mounts"]
        if what.startswith("run_1/"):
            return "home" if self.result.files.get(what) else "left out"
        return self.said.get(what, "")


@dataclass
class Bench:
    """A real sandbox; probes are run two at a time."""

    engine: Engine
    sandbox: DockerSandbox
    blobs: BlobStore

    def run(self, name: str, policy: Policy, kind: ContainerKind, program: str) -> Seen:
        code = self.blobs.put(textwrap.dedent(program).encode())
        job = Job(
            scope=name,
            kind=kind,
            argv=("python3", "probe.py"),
            files=Tree.of({"probe.py": code}),
            limits=policy.limits(kind),
            harvest=("run_1/",),
        )
        return Seen.of(self.sandbox.run(job))

    def run_all(self, wanted: dict[str, tuple[Policy, ContainerKind, str]]) -> dict[str, Seen]:
        with ThreadPoolExecutor(2) as pool:
            running = {name: pool.submit(self.run, name, *one) for name, one in wanted.items()}
            return {name: one.result() for name, one in running.items()}


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    engine = connect()
    try:
        blobs = BlobStore(folder / "blobs")
        run_id = f"walk-{folder}"
        with opened_sandbox(
            engine, blobs, run_id, lambda name: resolve_image(engine, name)
        ) as sandbox:
            yield Bench(engine, sandbox, blobs)
    finally:
        engine.close()


# --- whole runs on scripted edges --------------------------------------------------------------


class Priced:
    """``builtin/sweep`` at a tenth of a dollar and a thousand tokens a reply."""

    name = "builtin/sweep"
    COST = Usage(900, 100, 0.1)

    def ceiling(self, _ask: Ask) -> Usage:
        return self.COST

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        return replace(SweepModel().complete(ask, within), usage=self.COST)


def researched(policy: Policy, folder: Path) -> str:
    """How a whole run under ``policy`` ends: ``finished``, or the policy's line that ended it."""
    made = replace(run_rig.setup(folder), policy=policy)
    tools = RunDeps(
        edges=run_rig.scripted_edges(Priced()), exporter=FileExporter(), listener=lambda _: None
    )
    try:
        (outcome,) = research(made, run_rig.place(folder / "run", Mode.RECORD), tools)
    except BudgetSpent as error:
        return f"{error.where} {error.what}"
    if outcome.failure is None:
        return outcome.status
    return f"{outcome.failure.where} {outcome.failure.what}"
