"""Whether a number prints a fact, in its unit, and the words around it allow what the fact is."""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.research.claims.agreeing import agrees
from orchestrator.research.claims.durations import in_unit
from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.metric_kinds import is_of_kind
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Scope


def is_told(number: Printed, fact: Fact, text: str, scope: Scope, ledger: Ledger) -> bool:
    """Whether a number prints a fact, and the words around it allow what the fact is."""
    return (
        _in_words(number, fact, text, ledger)
        and agrees(fact, number, text, scope, ledger)
        and is_of_kind(number, fact, text, ledger)
    )


def _in_words(number: Printed, fact: Fact, text: str, ledger: Ledger) -> bool:
    """Whether a number with the unit behind it is a form of a fact."""
    if fact.kind in {"ratio", "percent", "errors"}:
        return prints_fact(number, fact, ledger)
    value = in_unit(number, fact.value, text, ledger.metric(fact.metric), ledger.words)
    return value is not None and prints_fact(number, replace(fact, value=value), ledger)


def prints_fact(number: Printed, fact: Fact, ledger: Ledger) -> bool:
    """Whether a number is a form of a fact: a percentage is one of a share, or a percent change."""
    value, change = fact.value, fact.kind in {"difference", "percent", "ratio"}
    if fact.kind == "percent":
        percent = number.percent and not number.points
        return percent and is_printed(number, value, unsigned=not number.signed)
    if number.percent or number.points:
        apart = fact.kind == "difference" and not number.points
        if number.percent and not change and _of_hundred(fact.metric, ledger):
            return is_printed(number, value)
        if not ledger.metric(fact.metric).share or fact.kind == "ratio" or apart:
            return False
        value *= 100
    return is_printed(number, value, unsigned=change and not number.signed)


_NO_PERCENT = re.compile(r"loss|time|sec|step|speed|bits|nats|error")


def _of_hundred(metric: str, ledger: Ledger) -> bool:
    """Whether a metric was recorded in percent: 88.0, not 0.88."""
    means = [cell.mean for (_, _, name), cell in ledger.cells.items() if name == metric]
    known = ledger.metric(metric)
    named = not _NO_PERCENT.search(metric.lower()) and known.unit.lower() in {"", "%", "percent"}
    return named and not known.share and all(0 <= mean <= 100 for mean in means) and max(means) > 1
