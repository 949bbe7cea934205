"""The readings of a number that several runs hold together."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.behind_best import behind_best_reading
from orchestrator.research.claims.changed_by import change_reading
from orchestrator.research.claims.closeness import distance_reading
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.listed_others import listed_others_reading
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.ranges_of_runs import range_reading
from orchestrator.research.claims.reached import reached_reading
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.setting_bounds import setting_reading
from orchestrator.research.claims.whole_readings import WholeReading, part_of
from orchestrator.research.paper.prose import Sentence

_CONDITION = re.compile(
    r"\b(?:if|when|whenever|until|unless|once|must|requir\w+|threshold|criterion|tolerance|counts?(?:ed)? as|stop(?:s|ped)?|declared|considered"
    r"|defined?|convention)\b"
)
"""What is a rule, and no result: "runs count as equal if they differ by less than 0.02"."""
_COUNT = re.compile(r"\s+(?:\w+\s+)?(?:seeds|layers|heads|runs|epochs|models|data\s?sets|tasks)\b")
"""Behind a number that counts, and is no result."""
_ERRORS = re.compile(
    r"[\s-]+(?:of\s+)?(?:(?:their|its|the|these|combined|paired|standard)\s+)*(?:errors?|deviations?|sigmas?|SDs?|SEs?)\b"
)
"""Behind a number of errors."""


def whole_reading(
    number: Printed, sentence: Sentence, seen: Named, ledger: Ledger, context: Context
) -> WholeReading | None:
    """What a number says of several runs, and whether it holds; None where it is of one, or stands in a table."""
    if sentence.cells or number.signed or _ERRORS.match(seen.masked, number.end):
        return None
    part = part_of(number, seen, sentence.text, context, ledger)
    if _CONDITION.search(part.before) or words.HEDGED.search(part.before):
        return None
    found = setting_reading(part, seen, ledger)
    if found is None and not _COUNT.match(seen.masked, number.end):
        found = range_reading(part, seen, ledger) or listed_others_reading(part, seen, ledger)
        found = found or behind_best_reading(part, seen, ledger)
        found = found or distance_reading(part, seen.masked, ledger)
        found = found or change_reading(part, ledger)
        found = found or reached_reading(part, seen.masked, ledger)
    return found
