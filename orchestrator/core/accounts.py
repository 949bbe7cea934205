"""The account that runs the program, and its groups as the machine knows them."""

from __future__ import annotations

import grp
import os
import pwd
from contextlib import suppress


def own_groups() -> set[int]:
    """Of this process, and of its user as the machine knows them: a shell may have dropped some."""
    mine = {os.getgid(), os.getegid(), *os.getgroups()}
    with suppress(KeyError):
        user = pwd.getpwuid(os.getuid())
        mine |= set(os.getgrouplist(user.pw_name, user.pw_gid))
    return mine


def group_number(name: str) -> int | None:
    """The number of the group of that name; None where this machine has none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def user_number(name: str) -> int | None:
    """The number of the user of that name; None where this machine has none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
