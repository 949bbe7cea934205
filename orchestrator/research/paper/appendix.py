"""The appendix before the code: settings, every result, and the differences of runs, under headings.

A heading and its sentence come first, and the tables stay below them: they do not drift.
"""

from __future__ import annotations

import re

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.places import SETTINGS_TARGET
from orchestrator.research.paper.all_results import all_results
from orchestrator.research.paper.differences_table import differences_table
from orchestrator.research.paper.settings_table import settings_table
from orchestrator.template.chance import clear_by_chance

# Tables of the page's width, and no page that is stretched between them.
_ONE_COLUMN = r"\csname if@twocolumn\endcsname\onecolumn\fi\raggedbottom"
_OF_A_MEAN = re.compile(r"\\measured\{[a-z]+-\d+-(?:x|\d+)-m-\d+\}")
_SETTINGS = (
    "The constants of the code at the scale that was run, the number of seeds, and what each run set "
    "otherwise."
)
_RESULTS = (
    "Every metric of every run, by data set, then the values of each seed of the headline metrics. A "
    "number in the text links to its place in these tables, a difference to its own below."
)
_DIFFERENCES = (
    "Each run less the run whose code it started from, less the baseline, and less each run that the text "
    "compares it with, in the headline metrics. "
    "Where both runs have a value for each seed, the difference is taken seed by seed, and its error is "
    "the standard error of the mean of these differences; else the error is the root of the sum of both "
    "squared standard errors. A difference is clear if it is larger than twice its error. Metrics in which "
    "none of these runs differ are left out."
)


def appendix(ledger: Ledger, tex: str) -> str:
    """The sections that have something to show; ``tex`` is the paper that links to them. The mean over
    the data sets is shown if the paper prints one.
    """
    results = all_results(ledger, averages=bool(_OF_A_MEAN.search(tex)))
    parts = [
        _section(
            "Settings", rf"\hypertarget{{{SETTINGS_TARGET}}}{{}}{_SETTINGS}", settings_table(ledger)
        ),
        _section("All Results", _RESULTS, results),
        _section(
            "Differences between Runs", _DIFFERENCES + _chance(ledger), differences_table(ledger)
        ),
    ]
    return "\n".join([_ONE_COLUMN, *(part for part in parts if part)])


def _chance(ledger: Ledger) -> str:
    """How often runs that differ in nothing look clearly different; nothing where no data set has pairs of seeds."""
    counts = [count for what, count in ledger.counts if what.startswith("seeds of ") and count > 1]
    if not counts:
        return ""
    fewest = min(counts)
    return (
        f" Over {fewest} seeds{', the fewest here,' if max(counts) > fewest else ''} chance alone makes "
        f"{100 * clear_by_chance(fewest):.0f}\\% of such differences clear where the two runs differ in "
        f"nothing (Student's $t$, {fewest - 1} degree{'s' if fewest > 2 else ''} of freedom), "
        "and nothing is corrected for how many are looked at."
    )


def _section(title: str, introduction: str, tables: str) -> str:
    above = f"\\section{{{title}}}\n{{\\interlinepenalty10000 {introduction}\\par}}\\nopagebreak"
    return f"{above}\n\n{tables}" if tables else ""
