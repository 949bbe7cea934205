"""Removes the values of secrets from text, before anything is hashed, written or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_ID)?$", re.IGNORECASE)
_SHORTEST = 6
"""Characters; a shorter value would also occur in ordinary words."""


def redact(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with each secret's value, also URL-quoted or JSON-escaped, replaced by ``[NAME]``."""
    named = [(name, value) for name, value in environ.items() if _SECRET.search(name)]
    for name, value in sorted(named, key=lambda item: -len(item[1])):
        bare = value.strip()
        if len(bare) < _SHORTEST:
            continue
        for spelling in (bare, quote(bare, safe=""), json.dumps(bare)[1:-1]):
            text = text.replace(spelling, f"[{name}]")
    return text
