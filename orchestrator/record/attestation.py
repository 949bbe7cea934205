"""Evidence: what one container was asked to be, what the engine says it was, what it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.core.job import Verdict

SettingPairs = tuple[tuple[str, str], ...]

# What only a program's own words can say: text in stderr → the limit it speaks of.
_TELLS = (
    ("No space left on device", "storage"),
    ("File too large", "file size"),
    ("MemoryError", "memory"),
    ("Cannot allocate memory", "memory"),
    ("CUDA out of memory", "gpu memory"),
    ("Resource temporarily unavailable", "pids"),
    ("can't start new thread", "pids"),
    ("Too many open files", "open files"),
)


def flatten_settings(value: Any, name: str = "") -> SettingPairs:
    """A nested engine answer as sorted (dotted key, text) pairs; lists keep their order."""
    if isinstance(value, Mapping) and value:
        return tuple(
            pair
            for key in sorted(value, key=str)
            for pair in flatten_settings(value[key], f"{name}.{key}" if name else str(key))
        )
    if isinstance(value, list | tuple):
        return ((name, ", ".join(_text(item) for item in value)),)
    return ((name, _text(value)),)


def mismatches(asked: SettingPairs, inspected: SettingPairs) -> tuple[str, ...]:
    """Each setting that the engine did not take as asked, in words."""
    have = dict(inspected)
    return tuple(
        f"{name}: asked {value!r}, the engine has {have.get(name)!r}"
        for name, value in asked
        if have.get(name) != value
    )


def same_keys(asked: Mapping[str, Any], inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the engine's answer that was asked for, in the shape it was asked in."""
    return {
        key: same_keys(value, found) if isinstance(value, Mapping) and isinstance(found, Mapping) else found
        for key, value in asked.items()
        for found in (inspected.get(key),)
    }  # fmt: skip


def verdict(killed: Verdict | None, exit_code: int | None, hit: Iterable[str]) -> Verdict:
    """Why a job ended: host kill, memory, storage, pids, failed; exit 0 stays finished."""
    if killed is not None:
        return killed
    if exit_code == 0:
        return Verdict.FINISHED
    limits = {name.split(":", 1)[0] for name in hit}
    if "memory" in limits:
        return Verdict.OUT_OF_MEMORY
    if "storage" in limits:
        return Verdict.OUT_OF_STORAGE
    if "pids" in limits:
        return Verdict.OUT_OF_PIDS
    return Verdict.FAILED


def suspected(stderr: str, hit: Iterable[str]) -> tuple[str, ...]:
    """Limits that the program's own words speak of and no measurement shows."""
    known = {name.split(":", 1)[0] for name in hit}
    found = {limit for text, limit in _TELLS if text in stderr}
    return tuple(sorted(found - known))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(value[key])}" for key in sorted(value))
    return "" if value is None else str(value)
