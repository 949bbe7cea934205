"""Errors about the first difference between a repeated run and its record; errors as values."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.core import errors
from orchestrator.core.errors import AisciError, Diverged
from orchestrator.record.events import ErrorRecord


def error_record(error: AisciError) -> ErrorRecord:
    """An error in the form of the journal."""
    names = ("what", "where", "why", "todo", "transient")
    return ErrorRecord(type=type(error).__name__, **{name: getattr(error, name) for name in names})


def error_from(record: ErrorRecord) -> AisciError:
    """The recorded error, as an instance of its own class."""
    kind: type[AisciError] = getattr(errors, record.type)
    return kind(record.what, where=record.where, why=record.why, todo=record.todo)


def diverged(what: str, scope: str, ordinal: int, known: Any, now: Any) -> Diverged:
    path, before, after = first_difference(known, now)
    return Diverged(
        f"{what} number {ordinal + 1} in {scope!r} differs from the recorded one",
        where=f"at {path or 'the top'}: recorded {before}, now {after}",
        why="the template, a prompt, a policy or the program changed since the recording",
        todo="restore what changed, or continue as a new branch: `aisci resume --fork`",
    )


def unrecorded(what: str, scope: str, ordinal: int) -> Diverged:
    return Diverged(
        f"{what} number {ordinal + 1} in {scope!r} was never recorded",
        where=scope,
        why="a replay makes no calls",
        todo="`aisci resume` finishes an unfinished run; then it can be replayed whole",
    )


def first_difference(known: Any, now: Any, path: str = "") -> tuple[str, str, str]:
    """The first difference of two JSON values: (path, short old value, short new value)."""
    if isinstance(known, dict) and isinstance(now, dict):
        for key in sorted(known.keys() | now.keys()):
            if known.get(key) != now.get(key):
                return first_difference(known.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    if isinstance(known, list) and isinstance(now, list) and len(known) == len(now):
        for index, (left, right) in enumerate(zip(known, now, strict=True)):
            if left != right:
                return first_difference(left, right, f"{path}[{index}]")
    if isinstance(known, str) and isinstance(now, str):
        start = next(
            (i for i, (a, b) in enumerate(zip(known, now, strict=False)) if a != b),
            min(len(known), len(now)),
        )
        return path, _short(known[max(0, start - 20) :]), _short(now[max(0, start - 20) :])
    return path, _short(known), _short(now)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else text[:57] + "…"


def was_interrupted(error: BaseException | None) -> bool:
    """Whether a person's interrupt caused ``error``: then it is not an answer to record."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
