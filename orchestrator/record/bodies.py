"""The JSON of a call or a note: stored in its line, or as a blob if it is large."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import canonical
from orchestrator.record.events import Body

INLINE = 16 * 1024  # bytes of canonical JSON; larger bodies become blobs


def to_json(value: Any) -> Any:
    """``value`` as JSON: dictionaries, lists, texts and numbers."""
    return json.loads(canonical(value))


def store_body(value: Any, blobs: Blobs) -> Body:
    """Store the JSON ``value``, as a blob if its canonical form exceeds ``INLINE`` bytes."""
    raw = canonical(value)
    return Body(inline=value) if len(raw) <= INLINE else Body(blob=blobs.put(raw))


def read_body(body: Body, blobs: Blobs) -> Any:
    """The JSON value of ``body``. Raises :class:`BadJournal` if its blob is missing or changed."""
    return body.inline if body.blob is None else json.loads(blobs.get(body.blob))
