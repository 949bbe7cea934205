"""What this account used of the budgets of the month: its own, and that of the machine's administrator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BadFile
from orchestrator.core.files import config_home
from orchestrator.core.units import number_text
from orchestrator.machine.doctor import Check, CheckState
from orchestrator.record.machine_budget import MachineBudget
from orchestrator.record.month import MonthBudget

_GROUP = "budgets of the month"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthUse:
    """One limit: whose it is, what is limited, how much is used, the file that sets it and the one that counts.
    ``kept``: this account cannot lower the count.
    """

    whose: str
    what: str
    used: float
    most: float
    file: Path
    counted: Path
    kept: bool

    @property
    def text(self) -> str:
        """Use and limit in words."""
        return f"{number_text(round(self.used, 2))} of {number_text(self.most)} {self.what}"


def month_uses() -> tuple[MonthUse, ...]:
    """Every limit that holds this account. Raises :class:`BadFile`."""
    return (*_machines(), *_own())


def _machines() -> Iterator[MonthUse]:
    budget = MachineBudget.of_account()
    if budget is None:
        return
    used, limits = budget.used(), budget.limits
    for what, had, most in (
        ("US dollars", used.usd, limits.usd),
        ("GPU hours", used.gpu / 3600, limits.gpu_hours),
    ):
        if most is not None:
            yield MonthUse(
                whose="this machine's", what=what, used=had, most=most, file=budget.file,
                counted=budget.ledger.path, kept=budget.ledger.kept,
            )  # fmt: skip


def _own() -> Iterator[MonthUse]:
    budget = MonthBudget.of_user()
    if budget is None:
        return
    used, limits = budget.spent(), budget.limits
    tokens = used.prompt_tokens + used.completion_tokens
    for what, had, most in (
        ("US dollars", used.usd or 0.0, limits.usd),
        ("tokens", tokens, limits.tokens),
        ("requests", used.requests, limits.requests),
    ):
        if most is not None:
            yield MonthUse(
                whose="your own", what=what, used=had, most=most,
                file=config_home() / "budget.yaml", counted=budget.folder, kept=False,
            )  # fmt: skip


def budget_checks() -> tuple[Check, ...]:
    """The same as the doctor's lines; a file that cannot be relied on stops every run, and is a failure."""
    try:
        return tuple(map(_check, month_uses()))
    except BadFile as error:
        found = ": ".join(filter(None, (error.what, error.where, error.why)))
        return (Check(_GROUP, "file", "fail", found, "read", error.todo),)


def _check(use: MonthUse) -> Check:
    reset = ""
    if use.whose == "this machine's" and not use.kept:
        reset = f"; counted in {use.counted}, which this account can remove"
    over = use.used >= use.most
    todo = f"{use.file} sets it" if over else ""
    state: CheckState = "warn" if over else "note" if reset else "ok"
    return Check(_GROUP, f"{use.whose} {use.what}", state, use.text + reset, "read", todo)
