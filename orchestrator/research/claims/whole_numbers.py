"""The readings of a number that several runs hold together."""

from __future__ import annotations

from orchestrator.research.claims.closeness import distance_reading
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.reached import reached_reading
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.whole_readings import WholeReading, part_of
from orchestrator.research.paper.prose import Sentence


def whole_reading(
    number: Printed, sentence: Sentence, seen: Named, ledger: Ledger, context: Context
) -> WholeReading | None:
    """What a number says of several runs, and whether it holds; None where it is of one, or stands in a table."""
    if sentence.cells or number.signed:
        return None
    part = part_of(number, seen, sentence.text, context)
    found = distance_reading(part, seen.masked, ledger)
    return found or reached_reading(part, seen.masked, ledger)
