"""The machine's ceilings: policies of its administrator that nothing run here may exceed.

::

    /etc/aisci/ceiling.yaml             holds everybody on this machine
    /etc/aisci/ceiling.d/GROUP.yaml     also holds the members of that group

All that apply hold together, and no reason under ``exceeds`` excuses. A ceiling that others than its owner
could change, or that cannot be read, stops whatever asked for it: it is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.core import machine_folder
from orchestrator.core.accounts import group_number, own_groups
from orchestrator.core.errors import BadPolicy, listed
from orchestrator.core.machine_folder import MachineFolder, Untrusted
from orchestrator.core.places import Problem
from orchestrator.core.strict_yaml import Document
from orchestrator.policy.check import PolicyFinding, only_blocks
from orchestrator.policy.compare import shown_setting, weaker
from orchestrator.policy.inherit import find_document
from orchestrator.policy.policy import Policy, load_blocks, load_policy
from orchestrator.policy.schema import BLOCKS

_RULE = "above-ceiling"


def machine_ceilings(shipped: Path, place: MachineFolder | None = None) -> tuple[Policy, ...]:
    """The ceilings that hold this account, that of everybody first. Raises :class:`BadPolicy`."""
    try:
        paths = tuple(_files(place or machine_folder.MACHINE))
    except Untrusted as found:
        raise BadPolicy(
            "the ceiling of this machine cannot be relied on, so nothing runs",
            where=str(found.path),
            why=found.why,
            todo=f"its administrator: {found.todo}",
        ) from found
    return tuple(_loaded(path, shipped) for path in paths)


def _files(place: MachineFolder) -> Iterator[Path]:
    everybody, groups = place.folder / "ceiling.yaml", place.folder / "ceiling.d"
    if not place.holds(place.folder, folder=True):
        return
    if place.holds(everybody):
        yield everybody
    if not place.holds(groups, folder=True):
        return
    mine = own_groups()
    named = (one for one in groups.iterdir() if one.suffix in {".yaml", ".yml"})
    for path in sorted({one.with_suffix(".yaml") for one in named}):
        place.holds(path)
        group = group_number(path.stem)
        if group is None:
            why = f"this machine has no group {path.stem!r}"
            raise Untrusted(path, why, "name the file after a group")
        if group in mine:
            yield path


def _loaded(path: Path, shipped: Path) -> Policy:
    """The ceiling in ``path``: whole, and made of no further file, whose rights nobody looks at."""
    document = find_document(str(path), shipped, beside=Path())
    for loc, value in _named_files(document):
        raise document.bad(
            loc,
            f"a ceiling takes nothing from another file, and this names {value[:80]!r}",
            why="whoever can write that file could raise the ceiling",
            todo="write it in full: `aisci policy show ./FILE.yaml --effective`",
            rule="parent",
        )
    if only_blocks(load_blocks(str(path), shipped)[1].settings):
        raise document.bad(
            (),
            "the ceiling has only blocks for other policies",
            todo="add `extends: base`, or the missing keys",
            rule="incomplete",
        )
    return load_policy(str(path), shipped)


def _named_files(document: Document) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where the file names another one: a parent by its path, or a profile of system calls."""
    blocks = [((key,), document.data.get(key)) for key in BLOCKS]
    for loc, block in [((), document.data), *blocks]:
        if not isinstance(block, dict):
            continue
        parent, profile = block.get("extends"), block.get("seccomp")
        if isinstance(parent, str) and "/" in parent:
            yield (*loc, "extends"), parent
        if isinstance(profile, str) and profile != "default":
            yield (*loc, "seccomp"), profile


def above_ceilings(
    document: Document, settings: Mapping[str, Any], ceilings: tuple[Policy, ...]
) -> tuple[PolicyFinding, ...]:
    """Where ``settings``, of a policy or of some blocks, allow more than one of ``ceilings``, or may."""
    found = []
    for ceiling in ceilings:
        for one in weaker(ceiling.settings, settings):
            values = f"there {shown_setting(one.before)}; here {shown_setting(one.after)}"
            what = f"allows more than this machine's ceiling {ceiling.origin}, or may"
            todo = "lower it; only the machine's administrator can raise the ceiling"
            place = document.place(one.path)
            found.append(PolicyFinding("error", _RULE, place, f"{what}: {values}", todo))
    return tuple(found)


def require_below(policy: Policy, ceilings: tuple[Policy, ...]) -> None:
    """Raise :class:`BadPolicy` for the first of ``ceilings`` that ``policy`` is above, with each setting."""
    for ceiling in ceilings:
        found = above_ceilings(policy.document, policy.settings, (ceiling,))
        if not found:
            continue
        more = weaker(ceiling.settings, policy.settings)
        rows = [
            f"{one.key}: there {shown_setting(one.before)}; here {shown_setting(one.after)}"
            for one in more
        ]
        error = BadPolicy(
            f"the policy {policy.name!r} allows more than this machine's ceiling, or may",
            where=ceiling.origin,
            why=listed(rows),
            todo="use a smaller policy, or lower these settings; only the administrator can raise a ceiling",
        )
        error.problems = tuple(Problem(one.place, one.what, one.todo, one.rule) for one in found)
        raise error
