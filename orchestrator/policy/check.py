"""Findings about a policy file: what is wrong with it, and what its reader must know.

A limit that can never be reached promises what it does not give, and a setting that cannot be
enforced has no place in a policy. Both are found here, before a run; the sandbox refuses them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.host import Machine
from orchestrator.core.places import Place, Problem
from orchestrator.core.sanitize import plain_line
from orchestrator.core.strict_yaml import Document
from orchestrator.policy.compare import Difference, compare, flat_settings, shown_setting
from orchestrator.policy.exceptions import ExceptionOf
from orchestrator.policy.expiry import of_exceptions
from orchestrator.policy.lint import LintRow, of_budgets, of_container, of_machine, of_run
from orchestrator.policy.parents import no_ceiling
from orchestrator.policy.policy import Policy, load_blocks, load_policy
from orchestrator.policy.schema import BLOCKS, Container, EditorContainer

Level = Literal["error", "exceeds", "warning", "note"]

_REQUIRED = {key for key, field in Container.model_fields.items() if field.is_required()}


_line = partial(plain_line, limit=4000)


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """``rule`` is the name of what was broken, for programs.

    An ``error`` must be corrected. ``exceeds`` allows more than a ceiling, for the ``reason`` given.
    A ``warning`` is about what a reviewer must decide, a ``note`` is information.
    """

    level: Level
    rule: str
    place: Place
    what: str
    todo: str = ""
    reason: str = ""

    @property
    def where(self) -> str:
        return str(self.place)

    def __str__(self) -> str:
        """One line for each part; text from the policy cannot add lines."""
        lines = [f"{self.level}: {_line(self.where)}", f"  {_line(self.what)}"]
        lines += [f"  reason: {_line(self.reason)}"] if self.reason else []
        lines += [f"  do: {_line(self.todo)}"] if self.todo else []
        return "\n".join(lines)


def check(policy: Policy) -> tuple[PolicyFinding, ...]:
    """The findings about ``policy`` that are true on any machine."""
    found = [one for kind in BLOCKS for one in of_container(kind, getattr(policy.whole, kind))]
    found += of_budgets(policy.whole)
    found += of_exceptions(policy.exceptions, _today())
    what = "the editor runs on the host with your rights, under its own guard only"
    todo = "remove `editor: process` to run it in a container"
    on_host = LintRow("editor", what, todo, "editor-on-host")
    notes = [*([on_host] if policy.editor_on_host else []), *of_run(policy.whole)]
    alone: list[LintRow] = []
    if policy.origin != "shipped" and len(policy.chain) == 1:
        what = "extends nothing: no ceiling; no other policy limits this one"
        todo = "add `extends: base`, or compare it: `aisci policy check --no-weaker-than base`"
        alone.append(LintRow("name", what, todo, "no-ceiling"))
    document = policy.document
    return (
        _findings("error", document, found)
        + _findings("warning", document, alone)
        + _findings("note", document, notes)
    )


def check_machine(
    policy: Policy, machine: Machine, level: Level = "error"
) -> tuple[PolicyFinding, ...]:
    """Limits above what ``machine`` has, where they would never bind; one finding for each key."""
    return _findings(level, policy.document, of_machine(policy.whole, machine))


def of_error(error: BadPolicy) -> tuple[PolicyFinding, ...]:
    """The findings of a file that does not load: each of its errors."""
    what = ": ".join(filter(None, (error.what, error.why)))
    problems = error.problems or (Problem(Place(error.where), what, error.todo, "syntax"),)
    return tuple(
        PolicyFinding("error", one.rule, one.place, one.what, one.todo) for one in problems
    )


def check_file(name: str, shipped: Path) -> tuple[PolicyFinding, ...]:
    """As :func:`check`, also for blocks alone. Raises :class:`UnknownName`, :class:`BadPolicy`."""
    document, effective = load_blocks(name, shipped)
    if not only_blocks(effective.settings):
        found = list(no_ceiling(document, shipped))
        return check(load_policy(name, shipped)) + _findings("warning", document, found)
    found = list(of_exceptions(effective.exceptions, _today()))
    for kind, block in effective.settings.items():
        missing = sorted(_REQUIRED - set(block))
        if missing:
            what = f"the block is not complete: {', '.join(missing)} {_are(missing)} missing"
            todo = "of a policy: add `extends: base`; of a block for others: add the missing keys"
            found.append(LintRow(kind, what, todo, "incomplete"))
        else:
            found += of_container(kind, _model(kind).model_validate(block))
    return _findings("error", document, found)


def check_no_weaker(
    name: str, ceiling: Policy, shipped: Path, *, exceptions: bool = True
) -> tuple[int, tuple[PolicyFinding, ...]]:
    """How many settings were compared, and where ``name`` allows more than ``ceiling``, or may.

    Each setting of the effective policy is compared, or of a file's blocks. One with a reason under
    ``exceeds``, in the file or in one that it extends, is reported and passes; without
    ``exceptions`` it is an error too. Raises the errors of :func:`check_file`.
    """
    document, effective = load_blocks(name, shipped)
    settings = comparable(name, shipped)
    reasons = effective.exceptions if exceptions else None
    found = [
        _against(document, one, ceiling.name, reasons)
        for one in compare(ceiling.settings, settings)
        if one.verdict != "stronger"
    ]
    return len(flat_settings(settings)), tuple(found)


def comparable(name: str, shipped: Path) -> dict[str, Any]:
    """The effective settings of a policy, or of each complete block in a file of blocks."""
    _, effective = load_blocks(name, shipped)
    if not only_blocks(effective.settings):
        return load_policy(name, shipped).settings
    return {
        kind: _model(kind).model_validate(block).model_dump(mode="json")
        for kind, block in effective.settings.items()
        if set(block) >= _REQUIRED  # check_file reports the missing keys
    }


def _against(
    document: Document, one: Difference, ceiling: str, reasons: Mapping[str, ExceptionOf] | None
) -> PolicyFinding:
    """One difference as a finding; ``reasons`` is None where no reason is accepted."""
    values = f"{ceiling!r} has {shown_setting(one.before)}; here it is {shown_setting(one.after)}"
    place, rule = document.place(one.path), "weaker-than-ceiling"
    if one.verdict == "different":
        what = f"{one.key} differs and allows no more: {values}"
        return PolicyFinding("note", "differs", place, what)
    what = f"{one.key} allows more than {ceiling!r}, or may: {values}"
    if reasons is None:
        todo = "lower it; --no-exceptions accepts no reason"
        return PolicyFinding("error", rule, place, what, todo)
    if one.key in reasons:
        return PolicyFinding("exceeds", rule, place, what, reason=str(reasons[one.key]))
    todo = f'lower it, or give the reason: `exceeds: {{{one.key}: "…"}}`'
    return PolicyFinding("error", rule, place, what, todo)


def ceiling_of(name: str, shipped: Path) -> Policy:
    """The policy to compare with. Raises :class:`UserError` for a file of blocks alone."""
    if only_blocks(load_blocks(name, shipped)[1].settings):
        raise UserError(
            f"the policy {name!r} has only blocks for other policies",
            where=f"--no-weaker-than {name}",
            todo="name a whole policy, such as base",
        )
    return load_policy(name, shipped)


def only_blocks(settings: dict[str, Any]) -> bool:
    """Whether a file has only containers for other policies, so that no run can use it."""
    return bool(settings) and set(settings) <= set(BLOCKS)


def check_expiry(name: str, shipped: Path, within: float) -> tuple[PolicyFinding, ...]:
    """An error for each exception that ends ``within`` so many seconds. Raises as :func:`check_file`."""
    document, effective = load_blocks(name, shipped)
    found = of_exceptions(effective.exceptions, _today(), within)
    return _findings("error", document, (row for row in found if row.rule == "expires-soon"))


def require_current(policy: Policy) -> None:
    """Raise :class:`BadPolicy` where an exception of ``policy`` is over."""
    rows = of_exceptions(policy.exceptions, _today())
    refuse(policy.name, _findings("error", policy.document, rows))


def _today() -> date:
    return datetime.now(UTC).date()


def _model(kind: str) -> type[Container]:
    return EditorContainer if kind == "editor" else Container


def _are(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


def refuse(name: str, findings: tuple[PolicyFinding, ...]) -> None:
    """Raise :class:`BadPolicy` with every error among ``findings``, if there is one."""
    errors = [one for one in findings if one.level == "error"]
    if errors:
        problems = [Problem(one.place, one.what, one.todo, one.rule) for one in errors]
        file = errors[0].place.file
        raise BadPolicy.listing(file, problems, f"the policy {name!r} cannot be used")


def _findings(
    level: Level, document: Document, found: Iterable[LintRow]
) -> tuple[PolicyFinding, ...]:
    return tuple(
        PolicyFinding(level, row.rule, document.place(_loc(row.key)), row.what, row.todo)
        for row in found
    )


def _loc(key: str) -> tuple[str, ...]:
    """The path of a key with its dots; below ``exceeds`` a key has the dots in it."""
    first, _, rest = key.partition(".")
    return (first, rest) if first == "exceeds" else tuple(key.split("."))
