"""What is to be said of a policy file: what is wrong with it, and what its reader has to know.

A limit that can never be reached reads like a promise and is none; what cannot be enforced is
no line of a policy. Both are found here, before a run, and refused again by the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.host import Machine
from orchestrator.core.sanitize import plain_line
from orchestrator.core.strict_yaml import Document
from orchestrator.policy.compare import Difference, compare, flat, shown
from orchestrator.policy.lint import Found, of_budgets, of_container, of_machine, of_run
from orchestrator.policy.policy import Policy, load, load_blocks
from orchestrator.policy.schema import BLOCKS, Container, EditorContainer

Level = Literal["error", "exceeds", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` is file, line, column and key.

    An ``error`` is to be mended. ``exceeds`` allows more than a ceiling and says why, in
    ``reason``; a ``note`` is to be known.
    """

    level: Level
    where: str
    what: str
    todo: str = ""
    reason: str = ""

    def __str__(self) -> str:
        """One line for each part: what a stranger's policy says makes none of its own."""
        lines = [f"{self.level}: {_line(self.where)}", f"  {_line(self.what)}"]
        lines += [f"  reason: {_line(self.reason)}"] if self.reason else []
        lines += [f"  do: {_line(self.todo)}"] if self.todo else []
        return "\n".join(lines)


def _line(text: str) -> str:
    return plain_line(text, limit=4000)


def check(policy: Policy) -> tuple[Finding, ...]:
    """Everything to say about ``policy`` that holds on any machine."""
    found = [one for kind in BLOCKS for one in of_container(kind, getattr(policy.whole, kind))]
    found += of_budgets(policy.whole)
    idle = _findings("note", policy.document, of_run(policy.whole))
    return _findings("error", policy.document, found) + _notes(policy) + idle


def check_machine(policy: Policy, machine: Machine) -> tuple[Finding, ...]:
    """Limits above what ``machine`` has; there they would never bind."""
    return _findings("error", policy.document, of_machine(policy.whole, machine))


def check_file(name: str, shipped: Path) -> tuple[Finding, ...]:
    """As :func:`check`, also for a file that holds only blocks for other policies.

    Raises :class:`UnknownName`, and :class:`BadPolicy` where the file does not load.
    """
    document, said = load_blocks(name, shipped)
    if not only_blocks(said.settings):
        return check(load(name, shipped))
    found: list[Found] = []
    for kind, block in said.settings.items():
        missing = sorted(set(Container.model_fields) - set(block))
        if missing:
            todo = "a block that others extend writes every key"
            found.append((f"{kind}.{missing[0]}", "this key is missing", todo))
        else:
            found += of_container(kind, _model(kind).model_validate(block))
    return _findings("error", document, found)


def check_no_weaker(
    name: str, ceiling: Policy, shipped: Path, *, exceptions: bool = True
) -> tuple[int, tuple[Finding, ...]]:
    """How many settings were compared, and where ``name`` allows more than ``ceiling``, or may.

    Every setting of the effective policy is compared; of a file that holds only blocks, those
    blocks'. Where the file, or one that it extends, gives a reason under ``exceeds``, that is
    said and passes; without ``exceptions`` it is an error too.

    Raises as :func:`check_file` does.
    """
    document, said = load_blocks(name, shipped)
    settings = comparable(name, shipped)
    reasons = said.reasons if exceptions else None
    found = [
        _against(document, one, ceiling.name, reasons)
        for one in compare(ceiling.settings, settings)
        if one.verdict != "stronger"
    ]
    return len(flat(settings)), tuple(found)


def comparable(name: str, shipped: Path) -> dict[str, Any]:
    """The effective settings of a policy, or of each block that a file of blocks has whole."""
    _, said = load_blocks(name, shipped)
    if not only_blocks(said.settings):
        return load(name, shipped).settings
    whole = {
        kind: block
        for kind, block in said.settings.items()
        if set(Container.model_fields) <= set(block)  # what misses a key is check_file's to find
    }
    return {
        kind: _model(kind).model_validate(block).model_dump(mode="json")
        for kind, block in whole.items()
    }


def _against(
    document: Document, one: Difference, ceiling: str, reasons: Mapping[str, str] | None
) -> Finding:
    """One difference as a finding; without ``reasons`` none counts."""
    values = f"{ceiling!r} says {shown(one.before)}; here it is {shown(one.after)}"
    where = document.where(one.path)
    if one.verdict == "different":
        return Finding("note", where, f"{one.key} is another, which is no permission: {values}")
    what = f"{one.key} allows more than {ceiling!r}, or may: {values}"
    if reasons is None:
        return Finding("error", where, what, "lower it; no reason under `exceeds` counts here")
    if one.key in reasons:
        return Finding("exceeds", where, what, reason=reasons[one.key])
    todo = f'lower it; if it is meant, say why: `exceeds: {{{one.key}: "…"}}`'
    return Finding("error", where, what, todo)


def ceiling_of(name: str, shipped: Path) -> Policy:
    """The policy to compare with. Raises :class:`UserError` for a file of blocks alone."""
    if only_blocks(load_blocks(name, shipped)[1].settings):
        raise UserError(
            f"the policy {name!r} holds only blocks for other policies",
            where=f"--no-weaker-than {name}",
            todo="name a whole policy, such as base",
        )
    return load(name, shipped)


def only_blocks(settings: dict[str, Any]) -> bool:
    """Whether a file holds containers for other policies, and is no policy to run under."""
    return bool(settings) and set(settings) <= set(BLOCKS)


def _model(kind: str) -> type[Container]:
    return EditorContainer if kind == "editor" else Container


def refuse(name: str, findings: tuple[Finding, ...]) -> None:
    """Raise :class:`BadPolicy` with every error among ``findings``, if there is one."""
    errors = [one for one in findings if one.level == "error"]
    if errors:
        raise BadPolicy(
            f"the policy {name!r} cannot be used: {errors[0].what}",
            where=errors[0].where,
            why="\n".join(["and:"] * (len(errors) > 1) + [_short(one) for one in errors[1:]]),
            todo="\n".join(dict.fromkeys(one.todo for one in errors)),
        )


def _short(finding: Finding) -> str:
    """``10:24: experiment.resources.memory: 32GiB; …``: the file was named already."""
    place = finding.where.rsplit("/", 1)[-1]
    return f"{place}: {finding.what}"


def _findings(level: Level, document: Document, found: Iterable[Found]) -> tuple[Finding, ...]:
    return tuple(
        Finding(level, document.where(tuple(key.split("."))), what, todo)
        for key, what, todo in found
    )


def _notes(policy: Policy) -> tuple[Finding, ...]:
    if not policy.editor_on_host:
        return ()
    return (
        Finding(
            "note",
            policy.document.where(("editor",)),
            "the editor runs on the host with your rights, under its own guard alone",
            "leave `editor: process` out to keep it in a container",
        ),
    )
