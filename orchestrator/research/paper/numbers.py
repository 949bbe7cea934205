"""The form in which a paper prints a mean and its standard error."""

from __future__ import annotations

import math


def format_mean(mean: float, error: float | None = None) -> str:
    """A mean with the decimals of two significant digits of its standard error. Without an error,
    or with an error of 0: four significant digits; integers as integers.
    """
    if error is None or error == 0 or not math.isfinite(error):
        if float(mean).is_integer() and abs(mean) < 1e15:
            return str(int(mean))
        size = math.floor(math.log10(abs(mean))) if mean else 0
        return f"{mean:.{min(max(3 - size, 0), 12)}f}"
    rounded = f"{mean:.{_places(error)}f}"
    return rounded if float(rounded) else rounded.removeprefix("-")  # no sign that rounding left


def format_error(error: float) -> str:
    """A standard error with two significant digits."""
    return "0" if error == 0 else f"{error:.{_places(error)}f}"


def _places(error: float) -> int:
    return min(max(1 - math.floor(math.log10(error)), 0), 12)
