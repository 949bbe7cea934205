"""Evidence of a container: the requested settings, the engine's report, and the verdict.

The in-toto attestation of a container is made from the two bodies of its call. Its subjects are the
request, with its hash from the journal, and every harvested file. The predicate states the
container's policy, limits, settings, use and verdict. It is a function of JSON in the journal, so
any reader of the journal can compute it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.core.job import Verdict

SettingPairs = tuple[tuple[str, str], ...]

STATEMENT = "https://in-toto.io/Statement/v1"
CONTAINER_PREDICATE = "https://aisci.invalid/container/v1"
"""The predicate's type. It is only a name: RFC 2606 reserves ``.invalid``, so it is no address."""

_Json = dict[str, Any]

_ENDED = ("verdict", "exit_code", "killed", "hit", "suspected")
_IDENTITY = ("container", "image", "engine", "kernel", "runtime", "storage")
_TIMES = ("began", "ended")  # of the program; older records do not know them

# Text in stderr → the limit that it suggests; only a program's own output shows these.
_STDERR_TEXTS = (
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
    """A nested value as (dotted key, text) pairs, sorted by key; lists keep their order."""
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
    """A text for each setting whose value in the engine differs from the request."""
    have = dict(inspected)
    return tuple(
        f"{name}: asked {value!r}, the engine has {have.get(name)!r}"
        for name, value in asked
        if have.get(name) != value
    )


def same_keys(asked: Mapping[str, Any], inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the engine's answer whose keys were requested, in the shape of the request."""
    return {
        key: same_keys(value, inspected[key])
        if isinstance(value, Mapping) and isinstance(inspected.get(key), Mapping)
        else inspected.get(key)
        for key, value in asked.items()
    }


def verdict(killed: Verdict | None, exit_code: int | None, hit: Iterable[str]) -> Verdict:
    """Why a job ended: host kill, memory, storage, pids, failed. Exit code 0 is always finished."""
    if killed is not None:
        return killed
    if exit_code == 0:
        return Verdict.FINISHED
    limits = {name.split(":", 1)[0] for name in hit}
    # A program that lacks memory often fails to write or to start a process too: the first wins.
    reasons = (
        ("memory", Verdict.OUT_OF_MEMORY),
        ("storage", Verdict.OUT_OF_STORAGE),
        ("pids", Verdict.OUT_OF_PIDS),
    )
    return next((reason for name, reason in reasons if name in limits), Verdict.FAILED)


def suspected(stderr: str, hit: Iterable[str]) -> tuple[str, ...]:
    """Limits that the program's own output suggests and no measurement shows."""
    known = {name.split(":", 1)[0] for name in hit}
    limits = {limit for text, limit in _STDERR_TEXTS if text in stderr}
    return tuple(sorted(limits - known))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(value[key])}" for key in sorted(value))
    return "" if value is None else str(value)


def container_statement(
    port: str, scope: str, ordinal: int, request: str, asked: Mapping[str, Any], answer: _Json
) -> _Json | None:
    """The statement of a call to the sandbox or editor; None if no container did the work."""
    box = answer["attestation"]
    if box is None:
        return None
    # Of an edit, only the files that it may change.
    files = {
        path: sha256
        for path, sha256 in answer["files"]["files"]
        if "editable" not in asked or path in asked["editable"]
    }
    subjects = [(f"{port} call {ordinal + 1} in {scope}", request), *sorted(files.items())]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects],
        "predicateType": CONTAINER_PREDICATE,
        "predicate": {
            "scope": scope,
            "kind": asked.get("kind", "editor"),
            "policy": box["policy"],
            "limits": asked["limits"],
            **{name: box[name] for name in _IDENTITY},
            **{name: dict(box[name]) for name in ("asked", "inspected", "seen", "gpus")},
            "peaks": box["peaks"],
            "egress": box["egress"],
            "refused": answer["refused"],
            **{name: box[name] for name in _ENDED},
            **{name: box[name] for name in _TIMES if box.get(name)},
        },
    }
