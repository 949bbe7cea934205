"""What this machine's administrator lets each account use in a calendar month: ``/etc/aisci/budgets.yaml``.

::

    everybody: {usd: 100, gpu_hours: 40}  # each account, not all of them together
    groups: {students: {usd: 20}}         # also holds each member of that group
    users: {alice: {gpu_hours: 200}}      # also holds that account
    ledger: /var/lib/aisci/spent          # where use is counted, out of the accounts' reach

All that apply hold together: the smallest number counts. A name that this machine does not know stops everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.core import machine_folder
from orchestrator.core.accounts import group_number, own_groups, user_number
from orchestrator.core.problems import Wrong
from orchestrator.core.strict_yaml import read, validated

BUDGETS_FILE = "budgets.yaml"
_Most = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]
_Folder = Annotated[str | None, Field(pattern=r"^/[^\x00-\x1f]{1,1000}$")]
_NAME_IT = "correct the name, or remove the line"


class AccountLimits(BaseModel, extra="forbid", frozen=True):
    """The most of a month, for one account; None: no limit."""

    usd: _Most = None
    gpu_hours: _Most = None


class _BudgetsFile(BaseModel, extra="forbid", frozen=True):
    everybody: AccountLimits = AccountLimits()
    groups: dict[str, AccountLimits] = Field(default_factory=dict)
    users: dict[str, AccountLimits] = Field(default_factory=dict)
    ledger: _Folder = None


@dataclass(frozen=True, slots=True)
class LimitsHere:
    """What holds this account, by which file, and the folder of the ledger where one is named."""

    limits: AccountLimits
    file: Path
    ledger: Path | None


def limits_here() -> LimitsHere | None:
    """The limits of this account; None where the administrator sets none for it.

    Raises :class:`BadFile` for a file that cannot be relied on.
    """
    path = machine_folder.MACHINE.file(BUDGETS_FILE)
    if path is None:
        return None
    document = read(path)
    file = validated(document, _BudgetsFile)
    if unknown := tuple(_unknown(file)):
        raise document.all_bad(unknown)
    mine = own_groups()
    groups = [most for name, most in file.groups.items() if group_number(name) in mine]
    users = [most for name, most in file.users.items() if user_number(name) == os.getuid()]
    limits = _least([file.everybody, *groups, *users])
    if limits == AccountLimits():
        return None
    return LimitsHere(limits, path, Path(file.ledger) if file.ledger else None)


def _unknown(file: _BudgetsFile) -> Iterator[Wrong]:
    for name in file.groups:
        if group_number(name) is None:
            yield Wrong(("groups", name), f"this machine has no group {name!r}", _NAME_IT)
    for name in file.users:
        if user_number(name) is None:
            yield Wrong(("users", name), f"this machine has no user {name!r}", _NAME_IT)


def _least(every: list[AccountLimits]) -> AccountLimits:
    usd = [one.usd for one in every if one.usd is not None]
    hours = [one.gpu_hours for one in every if one.gpu_hours is not None]
    return AccountLimits(usd=min(usd, default=None), gpu_hours=min(hours, default=None))
