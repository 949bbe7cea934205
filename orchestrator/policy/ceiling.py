"""The machine's ceilings: policies of its administrator that nothing run here may exceed.

::

    /etc/aisci/ceiling.yaml             holds everybody on this machine
    /etc/aisci/ceiling.d/GROUP.yaml     also holds the members of that group

All that apply hold together, and no reason under ``exceeds`` excuses. A ceiling that others than its owner
could change, or that cannot be read, stops whatever asked for it: it is never left out.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadPolicy, listed
from orchestrator.core.places import Problem
from orchestrator.core.strict_yaml import Document
from orchestrator.policy.check import PolicyFinding, only_blocks
from orchestrator.policy.compare import shown_setting, weaker
from orchestrator.policy.inherit import find_document
from orchestrator.policy.policy import Policy, load_blocks, load_policy
from orchestrator.policy.schema import BLOCKS

_RULE = "above-ceiling"
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class CeilingPlace:
    """The folder of the ceilings, and the user who must own it and all in it."""

    folder: Path = Path("/etc/aisci")
    owner: int = 0


PLACE = CeilingPlace()
"""Fixed: no option and no variable of a user moves it."""


def machine_ceilings(shipped: Path, place: CeilingPlace | None = None) -> tuple[Policy, ...]:
    """The ceilings that hold this account, that of everybody first. Raises :class:`BadPolicy`."""
    place = place or PLACE
    if not _there(place.folder, place, stat.S_ISDIR):
        return ()
    found = [_loaded(path, shipped) for path in _files(place)]
    return tuple(found)


def _files(place: CeilingPlace) -> Iterator[Path]:
    everybody = place.folder / "ceiling.yaml"
    _refuse_other_ending(place.folder / "ceiling.yml")
    if _there(everybody, place, stat.S_ISREG):
        yield everybody
    groups = place.folder / "ceiling.d"
    if not _there(groups, place, stat.S_ISDIR):
        return
    mine = _own_groups()
    for path in sorted(groups.iterdir()):
        _refuse_other_ending(path)
        if path.suffix != ".yaml":
            continue
        _there(path, place, stat.S_ISREG)
        try:
            group = grp.getgrnam(path.stem).gr_gid
        except KeyError:
            raise _untrusted(
                path, f"this machine has no group {path.stem!r}", "name the file after a group"
            ) from None
        if group in mine:
            yield path


def _own_groups() -> set[int]:
    """Of this process, and of its user as the machine knows them: a shell may have dropped some."""
    mine = {os.getgid(), os.getegid(), *os.getgroups()}
    with suppress(KeyError):
        user = pwd.getpwuid(os.getuid())
        mine |= set(os.getgrouplist(user.pw_name, user.pw_gid))
    return mine


def _there(path: Path, place: CeilingPlace, kind: Any) -> bool:
    """Whether ``path`` exists; it is then of that kind, its owner's alone to write, and readable."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise _untrusted(path, f"it cannot be looked at: {problem.strerror}", _RIGHTS) from problem
    if not kind(found.st_mode):
        what = "a folder" if kind is stat.S_ISDIR else "a plain file"
        raise _untrusted(path, f"it is not {what}; a link counts as none", f"make it {what}")
    if found.st_uid != place.owner:
        raise _untrusted(path, f"it belongs to user {found.st_uid}", f"chown root:root {path}")
    if found.st_mode & _BY_OTHERS:
        raise _untrusted(path, "its group or others may write it", f"chmod go-w {path}")
    if not os.access(path, os.R_OK | (os.X_OK if kind is stat.S_ISDIR else 0)):
        raise _untrusted(path, "this account may not read it", _RIGHTS)
    return True


_RIGHTS = "let every account read /etc/aisci: `chmod -R a+rX /etc/aisci`"


def _refuse_other_ending(path: Path) -> None:
    if path.suffix == ".yml" and os.path.lexists(path):
        raise _untrusted(path, "a ceiling's name ends in .yaml", f"rename it to {path.stem}.yaml")


def _untrusted(path: Path, why: str, todo: str) -> BadPolicy:
    return BadPolicy(
        "the ceiling of this machine cannot be relied on, so nothing runs",
        where=str(path),
        why=why,
        todo=f"its administrator: {todo}",
    )


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
