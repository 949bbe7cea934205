"""Who begins a run here, and with which program: for the first line of its record."""

from __future__ import annotations

import os
import pwd
import re
import socket
from functools import cache
from pathlib import Path

from orchestrator.core.tree import digest
from orchestrator.record.pins import Origin

_PACKAGE = Path(__file__).parent.parent
_MOST = 1 << 20  # bytes of a file of git's that are read


def origin_here() -> Origin:
    """This host, this account, and the program as it lies on the disk."""
    return Origin(
        host=socket.gethostname(),
        user=account_name(),
        commit=commit_of(_PACKAGE.parent),
        code=code_hash(),
    )


def account_name() -> str:
    """The name of the account that this process runs as, and not what a variable says."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without an entry
        return f"uid {os.geteuid()}"


@cache
def code_hash() -> str:
    """One hash over the program's own files: a changed program has another, whatever its version says."""
    files = sorted(path for path in _PACKAGE.rglob("*") if path.suffix in {".py", ".md"})
    own = [path for path in files if "data" not in path.relative_to(_PACKAGE).parts]
    return digest([(str(one.relative_to(_PACKAGE)), digest(one.read_bytes())) for one in own])


def commit_of(checkout: Path) -> str:
    """The commit that a checkout is at, read without starting git; empty where there is none."""
    try:
        git = checkout / ".git"
        if git.is_file():  # a worktree names its folder
            git = checkout / _head(git).removeprefix("gitdir: ")
        head = _head(git / "HEAD")
        if not head.startswith("ref: "):
            return _commit(head)
        name, common = head.removeprefix("ref: "), git
        if (git / "commondir").is_file():
            common = git / _head(git / "commondir")
        for place in (git / name, common / name):
            if place.is_file():
                return _commit(_head(place))
        packed = (line.split() for line in _head(common / "packed-refs").splitlines())
        return next((_commit(row[0]) for row in packed if row[1:] == [name]), "")
    except (OSError, ValueError):
        return ""


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST).decode().strip()


def _commit(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else ""
