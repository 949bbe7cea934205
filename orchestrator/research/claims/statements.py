"""What the words of a sentence say of numbers, and of what no record has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.research.claims import words
from orchestrator.research.claims.behind_best import best_run_problems
from orchestrator.research.claims.clauses import Clause, clause_pairs, clause_scope, clauses
from orchestrator.research.claims.compared_with_one import comparison_with_one
from orchestrator.research.claims.directions import direction_problems
from orchestrator.research.claims.extremes import extreme_problems
from orchestrator.research.claims.factors import factor_problems
from orchestrator.research.claims.fractions_of import fraction_problems
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import NAME, Named
from orchestrator.research.claims.named_best import named_best_problems
from orchestrator.research.claims.one_error import one_error_problems
from orchestrator.research.claims.printed_directions import (
    printed_direction_problems,
    typed_change_problems,
)
from orchestrator.research.claims.quantity import (
    Quantity,
)
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.seeds import every_seed_problem


def statement_problems(
    text: str,
    seen: Named,
    marks: Sequence[tuple[int, Quantity]],
    ledger: Ledger,
    context: Context,
    *,
    rules: bool,
) -> list[str]:
    """What the words of one sentence say and the numbers do not; ``rules``: its section says how runs
    are made and compared, and no result.
    """
    problems = [
        f"{match[0]!r}: {what}"
        for pattern, what in _UNRECORDED
        for match in pattern.finditer(text)
        if match[0].lower() not in ledger.words and not _denied(text, match)
        if not any(one.start <= match.start() < one.end for one in seen.metrics)
    ]
    whole = [*comparison_with_one(text, seen, marks, ledger, context)]
    vague = rules or words.HEDGED.search(text.lower()) or words.OF_A_CURVE.search(text.lower())
    if not vague:
        problems += [said for *_, wrong in whole for said in wrong]
        problems += named_best_problems(text, seen, marks, ledger, context)
        problems += one_error_problems(text, seen, ledger, context)
    lead = ""
    for clause in (_with_its_subject(one, seen, marks) for one in clauses(seen, marks)):
        if vague:
            # what is printed as a difference is no hope and no picture
            problems += printed_direction_problems(clause, ledger)
            continue
        before = seen.masked[: clause.start]
        if _ONE_SEED.search(clause.text) or _IN_ONE_SEED.search(before):
            continue  # means say nothing of one seed
        scope = clause_scope(clause, seen, context)
        problems += extreme_problems(clause, scope, seen, ledger)
        here = text[clause.start : clause.start + len(clause.text)].lower()
        last = clause.start + len(clause.text)
        of_all = bool(_EXCEPT.search(clause.text) and _OF_ALL.search(here)) or any(
            clause.start < end and start < last for start, end, _ in whole
        )
        if not of_all and not (_NO_RUN.search(here) and _BY_MORE.search(here)):
            problems += direction_problems(clause, scope, ledger, here)
        problems += typed_change_problems(clause)
        problems += factor_problems(clause, scope, ledger)
        problems += fraction_problems(clause, scope, ledger)
        problems += best_run_problems(clause, here, ledger)
        said = f"{lead} {clause.text}"
        every = every_seed_problem(said, clause_pairs(scope, ledger), scope, ledger)
        problems += [every] if every else []
        lead = clause.text if _FOR_EACH.fullmatch(clause.text) else ""
    return problems


_ONE_SEED = re.compile(r"\bseeds?\s+(?:number\s+)?\d{2,}\b", re.IGNORECASE)
_IN_ONE_SEED = re.compile(r"\bseeds?\s+(?:number\s+)?\d{2,}\s*,?\s*(?:it\s+is\s*)?$", re.IGNORECASE)
_EXCEPT = re.compile(
    rf"\b(?:except(?:\s+for)?|apart\s+from|other\s+than|besides)\s+(?:the\s+|that\s+of\s+)*{NAME}"
)
_OF_ALL = re.compile(r"\b(?:all|every|each|no|none)\b")
"""Said of all but some: which these are, a comparison with one run reads."""
_FOR_EACH = re.compile(
    r"\W*(?:in|for|with|on)\s+(?:every|each|all)\b[^,;]{0,30}\bseeds?\s*", re.IGNORECASE
)
"""Before a comma: it is said of what follows."""
_NO_RUN = re.compile(r"\b(?:no|none|neither|never|not)\b")
_BY_MORE = re.compile(r"\bby (?:more than|at least|over)[\s$(]*\d*\.?\d")
"""What no run lowers by more than 0.05, one may lower."""
_STANDS = re.compile(r"\s*(?:is|lies|stays|stands|remains|was)\b")


def _with_its_subject(clause: Clause, seen: Named, marks: Sequence[tuple[int, Quantity]]) -> Clause:
    """For "its mean, 2.13, is below the bigram loss": the clause that begins with its verb, with the number that
    stands right before it.
    """
    place, mark = max(
        ((at, one) for at, one in marks if at < clause.start),
        default=(0, None),
        key=lambda one: one[0],
    )
    alone = not (clause.runs or clause.marks) and _STANDS.match(clause.text)
    if mark is None or not alone or seen.masked[place + 1 : clause.start].strip(" ,"):
        return clause
    text = seen.masked[place : clause.start + len(clause.text)]
    return replace(clause, start=place, text=text, marks=(mark,), places={mark: 0})


_UNRECORDED = (
    (words.HARDWARE, "the record does not say on which hardware the study ran"),
    (words.SOFTWARE, "the code of the study does not use it"),
    (words.TESTS, "no such test was made"),
)


def _denied(text: str, match: re.Match[str]) -> bool:
    near = text[max(0, match.start() - 60) : match.end() + 40].lower()
    return bool(words.NEGATED.search(near))
