"""Where a typed number of a sentence comes from: a result, a count of seeds, a setting."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.research.claims.cell_sources import source_in_cell
from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.fixed import counted_noun, fixed_source
from orchestrator.research.claims.headed import headed
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.scope import Context, Scope, scope_of
from orchestrator.research.claims.seeds import is_count_of_seeds, is_part, parts_of_seeds
from orchestrator.research.claims.tracing import found_facts, run_seconds
from orchestrator.research.claims.universal import universal_source
from orchestrator.research.claims.whole_numbers import whole_reading
from orchestrator.research.paper.prose import Sentence

_BEFORE_ERROR = re.compile(r"\s*%?\s*\+-")
_AFTER_ERROR = re.compile(r"\+-\s*$")


def number_source(
    number: Printed,
    sentence: Sentence,
    seen: Named,
    ledger: Ledger,
    context: Context,
    mean: Printed | None,
    *,
    strict: bool,
) -> str:
    """Where a number comes from; ``mean`` is the number before it, whose error it may be."""
    whole = whole_reading(number, sentence, seen, ledger, context)
    if whole is None and not number.percent and counted_noun(number, seen.masked):
        return fixed_source(number, sentence.text, seen, ledger, of_results=False)
    scope = scope_of(number, seen, seen.masked, context)
    if (part := parts_of_seeds(seen.masked, ledger).get(number.start)) is not None:
        return (
            "values per seed" if is_part(*part, scope, seen.masked, ledger, strict=strict) else ""
        )
    if is_count_of_seeds(number, seen.masked, ledger):
        return "how many seeds"
    if (at := headed(number, sentence, seen, scope, ledger)) is not None:
        around = mean and scope_of(mean, seen, seen.masked, context)
        other = headed(mean, sentence, seen, around, ledger) if mean and around else None
        return source_in_cell(at, other, ledger, strict=strict) or fixed_source(
            number, sentence.text, seen, ledger, of_results=at.bound
        )
    if whole is not None:
        return whole.read.replace("read as", "of several runs") if whole.holds else ""
    return _source_in_text(number, sentence, seen, scope, ledger, context, mean, strict=strict)


def number_read(
    number: Printed, sentence: Sentence, seen: Named, ledger: Ledger, context: Context
) -> str:
    """How a number was read, for whoever corrects it."""
    whole = whole_reading(number, sentence, seen, ledger, context)
    return whole.read if whole else scope_of(number, seen, seen.masked, context).told(ledger)


def _source_in_text(
    number: Printed,
    sentence: Sentence,
    seen: Named,
    scope: Scope,
    ledger: Ledger,
    context: Context,
    mean: Printed | None,
    *,
    strict: bool,
) -> str:
    after_error = bool(_AFTER_ERROR.search(seen.masked[: number.start]))
    paired = bool(_BEFORE_ERROR.match(seen.masked, number.end))
    facts = found_facts(
        number, scope, seen.masked, ledger, after_error=after_error, paired=paired,
        row=sentence.kind == "row", strict=strict,
    )  # fmt: skip
    if mean is not None and after_error:
        own = {
            fact.place
            for fact in _facts_of_mean(mean, seen, ledger, context, sentence, strict=strict)
        }
        facts = (fact for fact in facts if not own or fact.place in own)
    if (fact := next(facts, None)) is not None:
        return fact.source(ledger)
    if bound := universal_source(number, scope, sentence.text, ledger):
        return bound
    if seconds := run_seconds(number, scope, seen.masked, ledger):
        return seconds
    return fixed_source(
        number,
        sentence.text,
        seen,
        ledger,
        of_results=bool(scope.metrics and seen.metrics and seen.runs),
    )


def _facts_of_mean(
    mean: Printed,
    seen: Named,
    ledger: Ledger,
    context: Context,
    sentence: Sentence,
    *,
    strict: bool,
) -> Iterator[Fact]:
    scope = scope_of(mean, seen, seen.masked, context)
    return found_facts(
        mean, scope, seen.masked, ledger, after_error=False, paired=True,
        row=sentence.kind == "row", strict=strict,
    )  # fmt: skip
