"""Inheritance: the settings of a policy file together with those of its parents.

A child may only restrict. To allow more, its top-level key ``exceeds`` names the setting and gives
the reason, which becomes part of the effective policy and of its hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadPolicy, UnknownName
from orchestrator.core.problems import Loc, Wrong, nearest
from orchestrator.core.strict_yaml import Document, read, validated
from orchestrator.policy import seccomp
from orchestrator.policy.compare import WHOLE, flat_settings, shown_setting, strength_of, weaker
from orchestrator.policy.document import Written
from orchestrator.policy.exceptions import EXCEPTION, HOST_EDITOR, ExceptionOf, vague
from orchestrator.policy.schema import BLOCKS, DESCRIPTIVE, SETTINGS
from orchestrator.policy.secret_values import secret_values

MAX_CHAIN = 8
_PARENT = "parent"  # a rule, for programs
_BY_NATURE = {HOST_EDITOR: False}  # needs a reason under no parent, too; a child may drop both


@dataclass(frozen=True, slots=True)
class Exceeding:
    """An exception, and the parent's value (None: no parent)."""

    exception: ExceptionOf
    ceiling: Any = None

    def still(self, path: tuple[str, ...], value: Any) -> bool:
        """Whether ``value`` still allows more than the ceiling."""
        if self.ceiling is None:
            return True
        return value != self.ceiling and strength_of(path, self.ceiling, value) == "weaker"


@dataclass(frozen=True, slots=True)
class Effective:
    """A file's settings after inheritance, and the names of its chain of parents."""

    settings: dict[str, Any]
    chain: tuple[str, ...]
    exceeds: dict[str, Exceeding]

    @property
    def exceptions(self) -> dict[str, ExceptionOf]:
        """The exception for each setting that exceeds its parent's."""
        return {key: one.exception for key, one in sorted(self.exceeds.items())}

    @property
    def written_exceptions(self) -> dict[str, Any]:
        """The exceptions as files write them."""
        return {key: one.written for key, one in self.exceptions.items()}


def find_document(name: str, shipped: Path, *, beside: Path) -> Document:
    """The document of that name: bare, from ``shipped``; with a slash, a path.

    Raises :class:`UnknownName`, and :class:`BadPolicy` for a file that breaks the schema.
    """
    if "/" in name:
        path = beside / name
        if not path.is_file():
            todo = "check the path, or use a bare name: `aisci policy list` prints them"
            if path.is_dir():
                todo = "this is a folder: name the files in it"
            raise UnknownName(f"there is no policy file {name!r}", where=str(path), todo=todo)
    else:
        known = sorted(file.stem for file in shipped.glob("*.yaml"))
        if name not in known:
            raise UnknownName(
                f"there is no policy {name!r}",
                where=f"the shipped policies, in {shipped}",
                why="a bare name selects a policy that aisci ships",
                todo=f"{nearest(name, known)}\nfor a file of your own, write ./{name}",
            )
        path = shipped / f"{name}.yaml"
    document = read(path, BadPolicy)
    found = (*_empty(document.data, ()), *vague(document.data), *secret_values(document.data))
    validated(document, Written, found)
    return document


def _empty(data: Any, loc: Loc) -> Iterator[Wrong]:
    """Keys without a value: they mean neither "as the parent" nor "none"."""
    if data is None and loc:
        yield Wrong(loc, f"the key {loc[-1]!r} has no value", "write a value, or remove the key")
    for key, value in data.items() if isinstance(data, dict) else ():
        yield from _empty(value, (*loc, key))


def effective(document: Document, shipped: Path, above: tuple[str, ...] = ()) -> Effective:
    """The settings of ``document`` after inheritance. Raises :class:`BadPolicy`."""
    written = validated(document, Written).model_dump(mode="json", exclude_none=True)
    reasons = {key: ExceptionOf(one) for key, one in written.get("exceeds", {}).items()}
    child = _Child(document, shipped, (*above, document.path), reasons)
    own = {key: value for key, value in written.items() if key not in (*DESCRIPTIVE, "extends")}
    for block in BLOCKS:
        if "seccomp" in own.get(block, {}):
            own[block]["seccomp"] = _profile(document, block, own[block]["seccomp"])
    compared = {block for block in BLOCKS if "extends" in own.get(block, {})}
    beyond: dict[str, Exceeding] = {}  # of this file
    kept: dict[str, Exceeding] = {}  # of its parents
    for block in sorted(compared):
        own[block], more, above_it = child.block(own[block], block)
        beyond, kept = beyond | more, kept | above_it
    chain: tuple[str, ...] = (str(written["name"]),)
    if "extends" in written:
        parent = child.parent(("extends",), written["extends"])
        own, chain = _merged(parent.settings, own), chain + parent.chain
        beyond |= child.beyond((), parent.settings, own, parent.chain[0])
        kept = _kept(parent.exceeds, own) | _kept(kept, own)
        compared = set(own)
    child.refuse_idle(beyond, compared)
    child.refuse_host_editor(own, kept)
    unseen = {key: Exceeding(reason, _BY_NATURE.get(key)) for key, reason in reasons.items()}
    return Effective(own, chain, kept | unseen | beyond)


@dataclass(frozen=True, slots=True)
class _Child:
    """A file that may extend others; ``above`` are the paths on the way to it, its own the last."""

    document: Document
    shipped: Path
    above: tuple[str, ...]
    reasons: Mapping[str, ExceptionOf]

    def parent(self, loc: tuple[str, ...], name: str) -> Effective:
        """The policy that ``loc`` names."""
        document = self.document
        try:
            parent = find_document(name, self.shipped, beside=Path(document.path).parent)
        except UnknownName as problem:
            what, why, todo = problem.what, problem.why, problem.todo
            raise document.bad(loc, what, why=why, todo=todo, rule=_PARENT) from problem
        if parent.path in self.above:
            raise document.bad(
                loc,
                "policies extend each other in a circle",
                why=" → ".join(Path(path).name for path in (*self.above, parent.path)),
                todo="remove one of these `extends`",
                rule=_PARENT,
            )
        if len(self.above) >= MAX_CHAIN:
            raise document.bad(
                loc,
                f"more than {MAX_CHAIN} policies extend one another",
                todo="extend a policy closer to base",
                rule=_PARENT,
            )
        return effective(parent, self.shipped, self.above)

    def block(
        self, own: dict[str, Any], block: str
    ) -> tuple[dict[str, Any], dict[str, Exceeding], dict[str, Exceeding]]:
        """``own`` merged into the named policy's block; where it exceeds that; where that exceeds."""
        loc = (block, "extends")
        parent = self.parent(loc, own["extends"])
        if block not in parent.settings:
            raise self.document.bad(
                loc,
                f"the policy {own['extends']!r} has no block {block!r}",
                why=f"its blocks are: {', '.join(key for key in BLOCKS if key in parent.settings)}",
                todo=f"name a policy that has the block, or remove `extends` from {block}",
                rule=_PARENT,
            )
        del own["extends"]
        merged = _merged(parent.settings[block], own)
        if block == "editor":
            merged.setdefault("process", False)  # a container, even if the policy's parent has none
        beyond = self.beyond((block,), parent.settings[block], merged, parent.chain[0])
        return merged, beyond, _kept(parent.exceeds, {block: merged})

    def beyond(
        self, at: tuple[str, ...], parent: Mapping[str, Any], child: Mapping[str, Any], name: str
    ) -> dict[str, Exceeding]:
        """Where ``child`` allows more than ``parent`` with a reason; without one it is refused."""
        explained: dict[str, Exceeding] = {}
        wrong: list[Wrong] = []
        for more in weaker(parent, child):
            path = (*at, *more.path)
            key = ".".join(path)
            if key in self.reasons:
                explained[key] = Exceeding(self.reasons[key], more.before)
            else:
                what = f"{name!r} has {shown_setting(more.before)}; here it is {shown_setting(more.after)}"
                what = f"{key} allows more than the policy it extends: {what}"
                todo = f'lower it, or give the reason: `exceeds: {{{key}: "…"}}`'
                wrong.append(Wrong(path, what, todo, "weaker-than-parent"))
        if wrong:
            raise self.document.all_bad(wrong)
        return explained

    def refuse_host_editor(self, own: Mapping[str, Any], kept: Mapping[str, Exceeding]) -> None:
        """``editor: process`` gives Aider your rights: a file that extends nothing says why, too."""
        if own.get("editor", {}).get("process") and HOST_EDITOR not in {*self.reasons, *kept}:
            raise self.document.bad(
                ("editor",),
                "`editor: process` runs Aider on the host with your rights, and has no reason",
                todo=f'remove it, or give the reason: `exceeds: {{{HOST_EDITOR}: "…"}}`',
                rule=EXCEPTION,
            )

    def refuse_idle(self, beyond: Mapping[str, Exceeding], compared: set[str]) -> None:
        """An entry of ``exceeds`` that exceeds nothing misleads its reader."""
        idle: list[Wrong] = []
        for key in self.reasons:
            if key not in SETTINGS:
                todo = nearest(key, SETTINGS)
                what = f"no policy has the key {key!r}"
                idle.append(Wrong(("exceeds", key), what, todo, EXCEPTION))
            elif key.partition(".")[0] in compared and key not in beyond:
                what = f"{key} does not exceed the policy that this one extends"
                idle.append(Wrong(("exceeds", key), what, "remove the line", EXCEPTION))
        if idle:
            raise self.document.all_bad(idle)


def _profile(document: Document, block: str, setting: Any) -> Any:
    """The whole profile, where ``setting`` is the path of its file."""
    if not isinstance(setting, str) or setting == seccomp.DEFAULT:
        return setting
    try:
        return seccomp.read_profile(Path(document.path).parent / setting).normal()
    except BadPolicy as problem:
        raise document.bad(
            (block, "seccomp"), f"{problem.what}: {setting}", why=problem.why, todo=problem.todo
        ) from problem


def _merged(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """``child`` merged into ``parent``; an environment or an allow-list is replaced as a whole."""
    merged = dict(parent)
    for key, value in child.items():
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        merged[key] = _merged(parent[key], value) if both and key not in WHOLE else value
    return merged


def _kept(above: Mapping[str, Exceeding], settings: Mapping[str, Any]) -> dict[str, Exceeding]:
    """Those of ``above`` that ``settings`` still exceeds."""
    values = {".".join(path): (path, value) for path, value in flat_settings(settings).items()}
    return {key: one for key, one in above.items() if key in values and one.still(*values[key])}
