"""What stands in the cells of a table: a number with few digits, the name of a run, a metric's heading."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from decimal import Decimal

from orchestrator.core.research import BASELINE
from orchestrator.research.claims.ledger import Cell, KnownMetric, KnownRun, Ledger
from orchestrator.research.paper.floats import CHAR, GAP, TableRow, printed_length
from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.numbers import format_error, format_mean
from orchestrator.research.paper.tables import breakable, metric_words

_ARROWS = {"lower": r"~$\downarrow$", "higher": r"~$\uparrow$", "none": ""}
_LARGE, _SMALL = 1e7, 1e-4  # beyond these, a power of ten is printed
_MOST_WHOLE = 1e12  # a count is printed with all its digits
_APART = 1e6  # a mean this many times its error is printed with a power of ten of its own
LONGEST_NAME = 27  # characters of a run's name on one line
LONGEST_LABEL = 36  # of a metric with its unit


def printed_cell(cell: Cell | None) -> str:
    """A mean, and its standard error if there are several values; ``--`` for no cell."""
    if cell is None:
        return "--"
    return printed_value(cell.mean, None if len(cell.values) == 1 else cell.error)


def printed_value(mean: float, error: float | None = None) -> str:
    r"""``$0.72 \pm 0.08$``, with a power of ten where it would have many digits. A value that is 0 for
    every seed has no error.
    """
    if not math.isfinite(mean):
        return "diverged"
    if error is None or not math.isfinite(error) or mean == error == 0:
        return f"${_plain(mean)}$"
    size = max(abs(mean), error)
    if error and size / error > _APART:
        return rf"${_plain(mean, 9)} \pm {_power(error)}$"
    if size == 0 or _SMALL <= size < _LARGE:
        return rf"${format_mean(mean, error)} \pm {format_error(error)}$"
    power = math.floor(math.log10(size))
    one, other = (Decimal(number).scaleb(-power) for number in (mean, error))
    places = max(1 - math.floor(math.log10(other)), 1) if error else 1
    return rf"$({one:.{places}f} \pm {other:.{places}f}) \times 10^{{{power}}}$"


def _plain(number: float, digits: int = 4) -> str:
    size = abs(number)
    if float(number).is_integer() and size < _MOST_WHOLE:
        return str(int(number))
    if not _SMALL <= size < _LARGE:
        return _power(number)
    return format_mean(number) if digits == 4 else f"{number:.{digits}g}"


def _power(number: float, digits: int = 3) -> str:
    mantissa, power = f"{number:.{digits}e}".split("e")
    mantissa = mantissa.rstrip("0")
    return rf"{mantissa}{'0' if mantissa.endswith('.') else ''} \times 10^{{{int(power)}}}"


def printed_setting(value: float) -> str:
    """A setting, with every digit that its code has."""
    if (float(value).is_integer() and abs(value) < _MOST_WHOLE) or _SMALL <= abs(value) < _LARGE:
        return f"${format(Decimal(repr(float(value))).normalize(), 'f')}$"
    return f"${_power(value, len(Decimal(repr(float(value))).normalize().as_tuple().digits) - 1)}$"


def printed_short(value: float) -> str:
    """A value of one seed, with four significant digits, or three behind zeros."""
    text = f"{value:.{4 if abs(value) >= 0.1 else 3}g}"
    return text if "e" in text else f"${text}$"


def run_name(run: KnownRun) -> str:
    return BASELINE if run.number == 0 else breakable(run.name)


def dataset_name(dataset: str) -> str:
    return rf"\texttt{{{breakable(dataset)}}}"


def metric_label(metric: KnownMetric) -> str:
    """A metric in one line: words, unit, an arrow to the better side."""
    unit = f" ({breakable(metric.unit)})" if _has_unit(metric) else ""
    return breakable(metric_words(metric.name)) + unit + _ARROWS[metric.direction]


def metric_heading(metric: KnownMetric, width: int) -> tuple[str, ...]:
    """The same in lines of about ``width`` characters, for the top of a column."""
    *lines, last = heading(metric_words(metric.name), width)
    unit = heading(f"({metric.unit})", width) if _has_unit(metric) else ()
    return (*lines, last + _ARROWS[metric.direction], *unit)


def heading(text: str, width: int) -> tuple[str, ...]:
    """``text`` in lines of at most ``width`` characters."""
    return tuple(map(escape, textwrap.wrap(" ".join(text.split()), width) or [""]))


def _has_unit(metric: KnownMetric) -> bool:
    return metric.unit.strip().lower() not in {"", "none", "1"}


def heading_rows(first: str, columns: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Rows of a heading, each column's lines at the bottom and centred; ``first`` names the rows."""
    height = max(map(len, columns))
    return tuple(
        " & ".join(
            [
                first if at == height - 1 else "",
                *(
                    rf"\multicolumn{{1}}{{c}}{{{lines[at - height]}}}"
                    if at >= height - len(lines)
                    else ""
                    for lines in columns
                ),
            ]
        )
        for at in range(height)
    )


def first_column(names: Sequence[str], most: int = LONGEST_NAME) -> tuple[str, float]:
    """The ``tabular`` letter and the width in points of the column that names the rows, in which a name
    of more than ``most`` characters takes several lines.
    """
    longest = max(map(printed_length, names), default=0)
    width = min(longest, most) * CHAR
    return (f"p{{{width:g}pt}}" if longest > most else "l"), width + GAP


def named_row(name: str, cells: Sequence[str], column: str, most: int = LONGEST_NAME) -> TableRow:
    """A row under its name, which may take several lines if the ``column`` is of the kind ``p``."""
    if column == "l":
        # The end of the row above would take a bracket or a star for its own.
        return TableRow(" & ".join(["{}" + name if name.startswith(("[", "*")) else name, *cells]))
    lines = math.ceil(printed_length(name) / (most - 3))
    return TableRow(" & ".join([rf"\raggedright\hangindent=0.8em {name}", *cells]), lines)


def column_width(cells: Sequence[str], lines: Sequence[str]) -> float:
    """Points that a column of these cells takes under a heading of these lines."""
    return max(map(printed_length, [*cells, *lines]), default=0) * CHAR + GAP


def seeds_of(ledger: Ledger, dataset: str) -> tuple[int, ...]:
    """How many seeds the runs have on a data set, each number once; empty if that is not known."""
    most: dict[int, int] = {}
    for (run, name, _), cell in ledger.cells.items():
        if name == dataset and cell.values:
            most[run] = max(most.get(run, 0), len(cell.values))
    counted = dict(ledger.counts).get(f"seeds of {dataset}")
    return tuple(sorted(set(most.values()))) or ((counted,) if counted else ())
