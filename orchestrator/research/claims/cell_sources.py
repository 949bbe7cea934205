"""Where a number of a table's cell comes from: of what its heads name, or a setting."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.fixed import fixed_source
from orchestrator.research.claims.headed import HeadedNumber
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.tracing import found_facts, run_seconds, seed_facts

_PLUS_MINUS = re.compile(r"\s*%?\s*\+-")
_AFTER_PLUS_MINUS = re.compile(r"\+-\s*$")
_BRACKET = re.compile(r"\s*%?\s*[(\[]\s*(?:\+-)?\s*[\d.]+\s*%?\s*[)\]]")
_OPENED = re.compile(r"\d\s*%?\s*[(\[]\s*(?:\+-)?\s*$")
_CLOSED = re.compile(r"\s*%?\s*[)\]]")
"""In a cell, the error of a mean may stand in brackets behind it."""


def source_in_cell(
    at: HeadedNumber, mean: HeadedNumber | None, ledger: Ledger, *, strict: bool
) -> str:
    """Where the number of a cell comes from; ``mean`` is the number before it, whose error it may be."""
    if at.label:
        return at.label
    before, after = at.text[: at.number.start], at.text[at.number.end :]
    bracketed = bool(_OPENED.search(before) and _CLOSED.match(after))
    after_error = bracketed or bool(_AFTER_PLUS_MINUS.search(before))
    paired = bool(_PLUS_MINUS.match(after) or _BRACKET.match(after))
    facts = _facts(at, ledger, after_error=after_error, paired=paired, strict=strict)
    if mean is not None and after_error:
        means = _facts(mean, ledger, after_error=False, paired=True, strict=strict)
        own = {fact.place for fact in means}
        facts = (fact for fact in facts if not own or fact.place in own)
    if (fact := next(facts, None)) is not None:
        return fact.source(ledger)
    if seconds := run_seconds(at.number, at.scope, at.text, ledger):
        return seconds
    of_results = bool(at.bound and at.scope.metrics)
    return fixed_source(at.number, at.text, at.seen, ledger, of_results=of_results)


def _facts(
    at: HeadedNumber, ledger: Ledger, *, after_error: bool, paired: bool, strict: bool
) -> Iterator[Fact]:
    if at.seed is not None:
        return seed_facts(at.number, at.seed, at.scope, ledger)
    return found_facts(
        at.number, at.scope, at.text, ledger, after_error=after_error, paired=paired,
        row=True, headed=at.on_data, strict=strict,
    )  # fmt: skip
