"""All runs, data sets and metrics that a sentence names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.research.claims import words
from orchestrator.research.claims.data_names import data_mentions
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import NAME, Mention, Named
from orchestrator.research.claims.metric_names import metric_mentions
from orchestrator.research.claims.run_names import run_mentions


def named(text: str, ledger: Ledger) -> Named:
    """The mentions in one sentence."""
    runs, unknown = run_mentions(text, ledger)
    data = list(data_mentions(text, ledger))
    masked = _blanked(text, [*runs, *data])
    metrics = list(metric_mentions(masked, ledger))
    for one in metrics:
        if any(c.isdigit() for c in text[one.start : one.end]):
            masked = _without_name_digits(masked, one)
    return Named(
        tuple(sorted(runs, key=lambda one: one.start)),
        tuple(sorted(data, key=lambda one: one.start)),
        tuple(sorted(metrics, key=lambda one: one.start)),
        unknown,
        masked,
    )


def _blanked(text: str, mentions: Iterable[Mention]) -> str:
    for one in mentions:
        if not one.alias:
            text = text[: one.start] + NAME * (one.end - one.start) + text[one.end :]
    return text


def _without_name_digits(text: str, mention: Mention) -> str:
    """The 99 of "step val acc 99" is part of a name."""
    digits = {part for name in mention.names for part in words.words_of(name) if part.isdigit()}
    part = text[mention.start : mention.end]
    for one in digits:
        part = re.sub(rf"(?<![\d.]){re.escape(one)}(?![\d.%])", " " * len(one), part)
    return text[: mention.start] + part + text[mention.end :]
