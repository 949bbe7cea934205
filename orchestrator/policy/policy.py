"""Policies: what containers, ideas and runs may use; parsed strictly, and only restricted by children.

A policy extends at most one parent and may only restrict it; ``policies/base.yaml`` is the ceiling.
The *effective* policy, after inheritance and with every key written out, is enforced, hashed,
recorded and shown. A block can come from another file: ``latex: {extends: latex}`` takes the block
``latex`` of the policy ``latex``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.core.errors import UserError
from orchestrator.core.job import ContainerKind, Limits
from orchestrator.core.problems import explained, nearest
from orchestrator.core.strict_yaml import Document, dump
from orchestrator.core.tree import digest
from orchestrator.policy.compare import flat_settings, weaker
from orchestrator.policy.exceptions import ExceptionOf
from orchestrator.policy.inherit import Effective, effective, find_document
from orchestrator.policy.parents import refuse_false_parents
from orchestrator.policy.schema import BLOCKS, Container, WholePolicy
from orchestrator.policy.seccomp import setting_text


@dataclass(frozen=True, slots=True)
class IdeaLimits:
    """What one idea may use: seconds, GPU-seconds, US dollars, tokens, requests."""

    wall: float
    gpu_time: float
    usd: float
    tokens: int
    requests: int


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a run may use: seconds, dollars, tokens, requests, containers at once, bytes, GPU-seconds."""

    wall: float
    usd: float
    tokens: int
    requests: int
    containers: int
    memory: int
    disk: int
    keep_free_disk: int
    keep_free_memory: int
    gpu_time: float = math.inf


@dataclass(frozen=True, slots=True)
class Policy:
    """An effective policy, and where it came from (``shipped`` or a path)."""

    whole: WholePolicy
    origin: str
    chain: tuple[str, ...]
    document: Document
    lowered: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def settings(self) -> dict[str, Any]:
        """Every key of the effective policy in its file form."""
        return self.whole.model_dump(mode="json")

    @property
    def hash(self) -> str:
        """SHA-256, in hex, of the effective policy; independent of the file's place."""
        return digest(self.settings)

    @property
    def editor_on_host(self) -> bool:
        """Whether the editor runs as a process on the host (``editor: process``)."""
        return self.whole.editor.process

    def limits(self, kind: ContainerKind) -> Limits:
        """The block of one kind of container as plain numbers."""
        return limits_of(getattr(self.whole, kind))

    @property
    def tells_tails(self) -> bool:
        """Whether the end of a failed attempt's output may be told a model."""
        return self.whole.model.feedback == "tails"

    @property
    def exceptions(self) -> dict[str, ExceptionOf]:
        """The settings that exceed a parent's, by key."""
        written = self.settings.get("exceeds", {})
        return {key: ExceptionOf(one) for key, one in written.items()}

    @property
    def idea(self) -> IdeaLimits:
        idea = self.whole.idea
        return IdeaLimits(wall=idea.wall, gpu_time=idea.gpu_time, **idea.budget.model_dump())

    @property
    def run(self) -> RunLimits:
        run = self.whole.run
        keep = {f"keep_free_{name}": size for name, size in run.keep_free.model_dump().items()}
        own = run.model_dump(exclude={"budget", "keep_free"}, exclude_defaults=True)
        return RunLimits(**own, **run.budget.model_dump(), **keep)


def limits_of(block: Container) -> Limits:
    """One container's block as plain numbers."""
    return Limits(
        image=block.image,
        runtime=block.runtime,
        user=block.user,
        **block.resources.model_dump(),
        **block.time.model_dump(exclude={"cpu"}),
        cpu_time=block.time.cpu,
        **block.storage.model_dump(),
        logs=block.logs,
        **{f"harvest_{name}": most for name, most in block.harvest.model_dump().items()},
        gpus=block.gpus.count,
        gpu_memory=block.gpus.memory,
        network=block.network,
        seccomp=setting_text(block.seccomp),
        env=tuple(block.env.items()),
    )


def load_policy(name: str, shipped: Path) -> Policy:
    """The policy of that name or path. Raises :class:`UnknownName` and :class:`BadPolicy`."""
    document, found = load_blocks(name, shipped)
    settings = found.settings
    header = {key: document.data[key] for key in ("version", "name", "description")}
    try:
        whole = WholePolicy.model_validate(
            header | {"exceeds": found.written_exceptions} | settings
        )
    except ValidationError as problem:
        missing = [".".join(str(part) for part in one["loc"]) for one in problem.errors()]
        todo = "add `extends: base`, or the missing keys"
        if settings and set(settings) <= set(BLOCKS):
            block = next(iter(settings))
            todo = f"add `extends: base`; or use the block in a policy: `{block}: {{extends: …}}`"
        names = ", ".join(missing[:12]) + (", …" if len(missing) > 12 else "")
        raise document.bad(
            tuple(missing[0].split(".")),
            f"the policy {document.data['name']!r} is not complete: "
            f"{names} {'is' if len(missing) == 1 else 'are'} missing",
            why="a policy that extends nothing must write every key",
            todo=todo,
            rule="incomplete",
        ) from problem
    origin = document.path if "/" in name else "shipped"
    policy = Policy(whole, origin, found.chain, document)
    if origin != "shipped" and (shipped / f"{policy.name}.yaml").is_file():
        _refuse_false_name(policy, shipped)
    return policy


def _refuse_false_name(policy: Policy, shipped: Path) -> None:
    """A record names its policy: a shipped one's name must not stand for other limits."""
    _, own = load_blocks(policy.name, shipped)
    if set(own.settings) <= set(BLOCKS) or load_policy(policy.name, shipped).hash != policy.hash:
        raise policy.document.bad(
            ("name",),
            f"{policy.name!r} is the name of a shipped policy, and this is another",
            why="records and reports name a policy by this name",
            todo="give it a name of its own",
            rule="name",
        )


def load_blocks(name: str, shipped: Path) -> tuple[Document, Effective]:
    """A file and its settings after inheritance: a whole policy, or only some blocks of one."""
    document = find_document(name, shipped, beside=Path())
    found = effective(document, shipped)
    refuse_false_parents(document, shipped)
    return document, found


def policy_text(policy: Policy, *, effective: bool) -> str:
    """The file as written, or the effective policy as YAML that loads to the same hash."""
    if not effective:
        return policy.document.text
    head = [f"# effective policy {policy.name} ({policy.origin}), SHA-256 {policy.hash}"]
    head += [f"# {' extends '.join(policy.chain)}"] if len(policy.chain) > 1 else []
    head += [f"# lowered: {key} from {before}" for key, before in policy.lowered]
    return "\n".join(head) + "\n" + dump(policy.settings)


def lowered(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """``policy`` with settings by dotted key, such as ``{"experiment.time.wall": "10m"}``.

    Raises :class:`UserError` for an unknown key, a bad value, or one that allows more.
    """
    settings = policy.settings
    keys = {".".join(path): path for path in flat_settings(settings)}
    for key, value in changes.items():
        if key not in keys:
            raise UserError(
                f"no policy has the key {key!r}",
                where=f"a setting to lower in the policy {policy.name!r}",
                todo=nearest(key, keys),
            )
        *parts, last = keys[key]
        block: dict[str, Any] = settings
        for part in parts:
            block = block.setdefault(part, {})
        block[last] = value
    try:
        whole = WholePolicy.model_validate(settings)
    except ValidationError as problem:
        first = explained(problem, settings)[0]
        raise UserError(
            "a policy cannot have this setting",
            where=".".join(str(part) for part in first.loc),
            why=first.what,
            todo=first.todo,
        ) from problem
    for more in weaker(policy.settings, whole.model_dump(mode="json")):
        raise UserError(
            f"the command line can only lower {more.key}",
            where=f"the policy {policy.name!r}",
            why=f"the policy has {more.before}; {more.after} was requested",
            todo="write a policy of your own that allows it, and use it: --policy ./FILE.yaml",
        )
    before = flat_settings(policy.settings)
    noted = tuple((key, str(before[keys[key]])) for key in changes)
    return replace(policy, whole=whole, lowered=policy.lowered + noted)


def without_budgets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a policy without what a run that continues may have more of: dollars and GPU time."""
    plain: dict[str, Any] = deepcopy(dict(settings))
    for block in ("run", "idea"):
        plain[block].pop("gpu_time", None)
        plain[block]["budget"].pop("usd", None)
    return plain
