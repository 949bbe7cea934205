"""Words of a factor, such as "halves" and "twice", held to the ratios of the record."""

from __future__ import annotations

import re
from itertools import product

from orchestrator.research.claims.clauses import Clause, clause_pairs, places_of
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.scope import Scope

_FACTOR = re.compile(
    r"\b(?P<word>halv(?:e|es|ed|ing)|(?<!of )(?<!and )(?<!character )(?<!letter )(?<!token )(?<!word )(?<!symbol )(?:doubl|tripl)(?:e|es|ed)(?! counts?\b)|twice(?! as (?:many|long))"
    r"|(?<=by )half|(?<=to )half|(?<=by )two thirds|(?<=by )a third|(?<=to )a third|(?<=to )a quarter"
    r"|(?<=to )a tenth|tenfold|threefold|fourfold|(?:three|four|five|ten) times(?= (?:as|that|those)\b)(?! as (?:many|few|long|often)\b))\b(?! (?:of )?the (?:updates|number|size|length|pairs|channels|data|training|batch|cost|time))"
)


_FACTORS = {
    "halv": 2.0, "half": 2.0, "doub": 2.0, "trip": 3.0, "twic": 2.0, "two ": 3.0, "a th": (1.5, 3.0),
    "a qu": 4.0, "a te": 10.0, "tenf": 10.0, "thre": 3.0, "four": 4.0, "five": 5.0,
    "ten ": 10.0,
}  # fmt: skip


def factor_problems(clause: Clause, scope: Scope, ledger: Ledger) -> list[str]:
    """For "halves", "twice": some change of the clause must be about that factor."""
    match = _FACTOR.search(clause.text.lower())
    if match is None or not scope.metrics or re.search(r"untrained|initial", clause.text.lower()):
        return []
    factor = _FACTORS[match["word"][:4]]
    wanted = factor if isinstance(factor, tuple) else (factor,)
    pairs = clause_pairs(scope, ledger) or list(product(ledger.numbers, ledger.numbers))
    if scope.open_run or not scope.subjects:
        pairs += [(n, other) for n in ledger.numbers for other in (*scope.objects, *scope.runs)]
    ratios = [
        one.mean / two.mean
        for run, other in pairs
        for place in places_of(scope, ledger)
        if (one := ledger.cells.get((run, *place))) and (two := ledger.cells.get((other, *place)))
        if two.mean and one.mean
    ]
    ratios += [
        one.mean / two.mean
        for run, data, (first, second) in product(
            scope.runs, scope.data or ledger.datasets, product(scope.all_metrics, scope.all_metrics)
        )
        if (one := ledger.cells.get((run, data, first)))
        and (two := ledger.cells.get((run, data, second)))
        if two.mean and one.mean
    ]
    near = (
        1.3
        if re.search(r"\b(?:about|almost|nearly|roughly|more than|over)\b", clause.text)
        else 1.13
    )
    both = [*ratios, *(1 / ratio for ratio in ratios)]
    if scope.subjects and not scope.open_run and match["word"].startswith(("halv", "doub", "trip")):
        both = [1 / ratio for ratio in ratios] if match["word"].startswith("halv") else ratios
    if not ratios or any(one / near <= ratio <= one * near for ratio in both for one in wanted):
        return []
    return [f"{match[0]!r} is no factor between these runs ({scope.told(ledger)})"]
