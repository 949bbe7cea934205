"""The in-toto attestation of one container, made from the two bodies of its call.

Its subjects are the request, with its hash from the journal, and every harvested file. The
predicate states the container's policy, limits, settings, use and verdict. It is a function of JSON
in the journal, so any reader of the journal can compute it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
CONTAINER_PREDICATE = "https://aisci.invalid/container/v1"
"""The predicate's type. It is only a name: RFC 2606 reserves ``.invalid``, so it is no address."""

_Json = dict[str, Any]

_ENDED = ("verdict", "exit_code", "killed", "hit", "suspected")
_IDENTITY = ("container", "image", "engine", "kernel", "runtime", "storage")


def container_statement(
    port: str, scope: str, ordinal: int, request: str, asked: Mapping[str, Any], answer: _Json
) -> _Json | None:
    """The statement of a call to the sandbox or editor; None if no container did the work."""
    box = answer["attestation"]
    if box is None:
        return None
    files = dict(_harvested(asked, answer))
    return {
        "_type": STATEMENT,
        "subject": [
            _subject(f"{port} call {ordinal + 1} in {scope}", request),
            *(_subject(path, files[path]) for path in sorted(files)),
        ],
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
        },
    }


def _harvested(asked: Mapping[str, Any], answer: _Json) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of a job's files, or of the files that an edit may change."""
    for path, sha256 in answer["files"]["files"]:
        if "editable" not in asked or path in asked["editable"]:
            yield path, sha256


def _subject(name: str, sha256: str) -> _Json:
    return {"name": name, "digest": {"sha256": sha256}}
