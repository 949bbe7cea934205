"""Policies: what containers, ideas and runs may use; read strictly, inherited downwards only.

A policy extends at most one parent and may only take away from it; ``policies/base.yaml`` is the
ceiling. The *effective* policy, after inheritance and with every key written out, is what is
enforced, hashed, recorded and shown. A block may come from another file: ``latex: {extends:
latex}`` takes the block ``latex`` of the policy ``latex``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator import BadPolicy, UnknownName, UserError
from orchestrator.policy_compare import flat, weaker
from orchestrator.policy_schema import BLOCKS, Container, Whole, Written
from orchestrator.records import ContainerKind, Limits, digest
from orchestrator.yamlfile import Document, dump, nearest, read, validated

MAX_CHAIN = 8
_HEADER = ("version", "name", "description", "extends")


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
    """What a run may use: seconds, dollars, tokens, requests, containers at once, bytes."""

    wall: float
    usd: float
    tokens: int
    requests: int
    containers: int
    memory: int
    disk: int
    keep_free_disk: int
    keep_free_memory: int


@dataclass(frozen=True, slots=True)
class Policy:
    """An effective policy, and where it came from (``shipped`` or a path)."""

    whole: Whole
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
        """SHA-256, in hex, of the effective policy; equal wherever the file lies."""
        return digest(self.settings)

    @property
    def editor_on_host(self) -> bool:
        """Whether the editor runs as a process on the host (``editor: process``)."""
        return self.whole.editor.process

    def limits(self, kind: ContainerKind) -> Limits:
        """The block of one kind of container as plain numbers."""
        block: Container = getattr(self.whole, kind)
        return Limits(
            image=block.image,
            runtime=block.runtime,
            user=block.user,
            **block.resources.model_dump(),
            **block.time.model_dump(exclude={"cpu"}),
            cpu_time=block.time.cpu,
            **block.storage.model_dump(),
            logs=block.logs,
            harvest_files=block.harvest.files,
            harvest_bytes=block.harvest.bytes,
            harvest_file=block.harvest.file,
            harvest_depth=block.harvest.depth,
            gpus=block.gpus.count,
            gpu_memory=block.gpus.memory,
            network=block.network,
            seccomp=block.seccomp,
            env=tuple(block.env.items()),
        )

    @property
    def idea(self) -> IdeaLimits:
        idea = self.whole.idea
        return IdeaLimits(wall=idea.wall, gpu_time=idea.gpu_time, **idea.budget.model_dump())

    @property
    def run(self) -> RunLimits:
        run = self.whole.run
        return RunLimits(
            wall=run.wall,
            **run.budget.model_dump(),
            containers=run.containers,
            memory=run.memory,
            disk=run.disk,
            keep_free_disk=run.keep_free.disk,
            keep_free_memory=run.keep_free.memory,
        )


def load(name: str, shipped: Path) -> Policy:
    """The policy of that name: bare, from the folder ``shipped``; with a slash, a path.

    Raises :class:`UnknownName` and :class:`BadPolicy`.
    """
    document = _find(name, shipped, beside=Path())
    settings, chain = _effective(document, shipped, ())
    header = {key: document.data[key] for key in _HEADER[:3]}
    try:
        whole = Whole.model_validate(header | settings)
    except ValidationError as problem:
        loc = tuple(str(part) for part in problem.errors()[0]["loc"])
        raise document.bad(
            loc,
            f"the policy {document.data['name']!r} is not complete: {'.'.join(loc)} is missing",
            why="a policy that extends nothing has to write every key",
            todo=_how_to_complete(settings),
        ) from problem
    origin = document.path if "/" in name else "shipped"
    return Policy(whole, origin, chain, document)


def load_blocks(name: str, shipped: Path) -> tuple[Document, dict[str, Any]]:
    """A file's document and effective settings, whole or only some blocks of a policy."""
    document = _find(name, shipped, beside=Path())
    return document, _effective(document, shipped, ())[0]


def show(policy: Policy, *, effective: bool) -> str:
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
    keys = {".".join(path): path for path in flat(settings)}
    for key, value in changes.items():
        if key not in keys:
            raise UserError(f"no policy has the key {key!r}", todo=nearest(key, tuple(keys)))
        _put(settings, keys[key], value)
    try:
        whole = Whole.model_validate(settings)
    except ValidationError as problem:
        error = problem.errors()[0]
        why = str(error["msg"]).removeprefix("Value error, ")
        where = ".".join(str(part) for part in error["loc"])
        raise UserError("a policy's setting is wrong", where=where, why=why) from problem
    for more in weaker(policy.settings, whole.model_dump(mode="json")):
        raise UserError(
            f"{more.key} may only be lowered here",
            why=f"the policy {policy.name!r} says {more.before}; asked was {more.after}",
            todo="write a policy of your own that allows it, and name it with a slash",
        )
    before = flat(policy.settings)
    noted = tuple((key, str(before[keys[key]])) for key in changes)
    return replace(policy, whole=whole, lowered=policy.lowered + noted)


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        settings = settings[part]
    settings[path[-1]] = value


def _find(name: str, shipped: Path, *, beside: Path) -> Document:
    if "/" in name:
        path = beside / name
        if not path.is_file():
            raise UnknownName(f"no policy file {name!r}", where=str(path))
    else:
        known = sorted(file.stem for file in shipped.glob("*.yaml"))
        if name not in known:
            raise UnknownName(
                f"no policy is named {name!r}",
                why="a bare name is a policy that aisci ships",
                todo=f"{nearest(name, known)}; a file of your own has a slash: ./{name}",
            )
        path = shipped / f"{name}.yaml"
    document = read(path, BadPolicy)
    _refuse_empty(document, document.data, ())
    validated(document, Written)
    return document


def _refuse_empty(document: Document, data: Any, loc: tuple[str | int, ...]) -> None:
    """A key with nothing after it says neither "as the parent" nor "none"."""
    if data is None and loc:
        raise document.bad(loc, "the key has no value", todo="write one, or leave the key out")
    for key, value in data.items() if isinstance(data, dict) else ():
        _refuse_empty(document, value, (*loc, key))


def _effective(
    document: Document, shipped: Path, above: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings of ``document`` after inheritance, and the names from it to its last parent."""
    above = (*above, document.path)
    written = validated(document, Written).model_dump(mode="json", exclude_none=True)
    own = {key: value for key, value in written.items() if key not in _HEADER}
    for block in BLOCKS:
        if "extends" in own.get(block, {}):
            own[block] = _block(document, own[block], block, shipped, above)
    chain: tuple[str, ...] = (str(written["name"]),)
    if "extends" not in written:
        return own, chain
    parent = _parent(document, ("extends",), written["extends"], shipped, above)
    inherited, names = _effective(parent, shipped, above)
    settings = _merged(inherited, own)
    _only_less(document, (), inherited, settings, parent)
    return settings, chain + names


def _block(
    document: Document, own: dict[str, Any], block: str, shipped: Path, above: tuple[str, ...]
) -> dict[str, Any]:
    loc = (block, "extends")
    source = _parent(document, loc, own["extends"], shipped, above)
    settings, _ = _effective(source, shipped, above)
    if block not in settings:
        raise document.bad(loc, f"the policy {own['extends']!r} has no block {block!r}")
    rest = {key: value for key, value in own.items() if key != "extends"}
    merged = _merged(settings[block], rest)
    _only_less(document, (block,), settings[block], merged, source)
    return merged


def _parent(
    document: Document, loc: tuple[str, ...], name: str, shipped: Path, above: tuple[str, ...]
) -> Document:
    try:
        parent = _find(name, shipped, beside=Path(document.path).parent)
    except UnknownName as problem:
        raise document.bad(loc, problem.what, why=problem.why, todo=problem.todo) from problem
    if parent.path in above:
        raise document.bad(loc, "policies extend each other in a circle")
    if len(above) >= MAX_CHAIN:
        raise document.bad(loc, f"more than {MAX_CHAIN} policies extend one another")
    return parent


def _merged(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """``child`` over ``parent``; an environment or an allow-list is replaced as a whole."""
    merged = dict(parent)
    for key, value in child.items():
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        merged[key] = _merged(parent[key], value) if both and key != "env" else value
    return merged


def _only_less(
    document: Document,
    loc: tuple[str, ...],
    parent: Mapping[str, Any],
    child: Mapping[str, Any],
    source: Document,
) -> None:
    """Refuse a child that allows more; ``editor: process`` is a stated opt-out, seen by check."""
    for more in weaker(parent, child):
        if more.path[-1] == "process":
            continue
        key = ".".join((*loc, *more.path))
        raise document.bad(
            (*loc, *more.path),
            f"{key} allows more than the policy it extends",
            why=f"{source.data['name']!r} says {more.before}; here it is {more.after}",
            todo="lower it; or extend nothing and write the whole policy",
        )


def _how_to_complete(settings: Mapping[str, Any]) -> str:
    if set(settings) <= set(BLOCKS):
        block = next(iter(settings), "latex")
        return f"add `extends: base`; or refer to it from a policy: `{block}: {{extends: …}}`"
    return "add `extends: base`, or the key"
