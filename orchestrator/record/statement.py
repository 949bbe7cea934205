"""What is said for good of one container: an in-toto Statement, made from a call's two bodies.

Subjects are the request, by the hash that the journal knows it by, and every file that came
home. The predicate says under which policy and limits the container was, what it was, what it
used and why it ended. JSON in, JSON out: whoever reads the journal can make it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
CONTAINER_PREDICATE = "https://aisci.invalid/container/v1"
"""The predicate's type: a name, no address; RFC 2606 keeps ``.invalid`` from ever being one."""

_Json = dict[str, Any]

_ENDED = ("verdict", "exit_code", "killed", "hit", "suspected")
_WHAT = ("container", "image", "engine", "kernel", "runtime", "storage")


def container_statement(
    port: str, scope: str, ordinal: int, request: str, asked: Mapping[str, Any], answer: _Json
) -> _Json | None:
    """The statement of a sandbox's or editor's call; None where no container did the work."""
    box = answer["attestation"]
    if box is None:
        return None
    files = dict(_home(asked, answer))
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
            **{name: box[name] for name in _WHAT},
            **{name: dict(box[name]) for name in ("asked", "inspected", "seen", "gpus")},
            "peaks": box["peaks"],
            "egress": box["egress"],
            "refused": answer["refused"],
            **{name: box[name] for name in _ENDED},
        },
    }


def _home(asked: Mapping[str, Any], answer: _Json) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of what came home: all of a job's files; of an edit's those it may change."""
    for path, sha256 in answer["files"]["files"]:
        if "editable" not in asked or path in asked["editable"]:
            yield path, sha256


def _subject(name: str, sha256: str) -> _Json:
    return {"name": name, "digest": {"sha256": sha256}}
