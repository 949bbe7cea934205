"""Sizes and times as people write them in a policy: ``"32GiB"``, ``"2h"``; and back.

A bare number is refused, because its unit is unknown. Sizes are powers of 1024 only, because
memory and disk limits are set in them; ``GB`` would be ambiguous.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from orchestrator.core.problems import Invalid

MIB, GIB = 2**20, 2**30  # bytes
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 36525 * 86400.0  # seconds; clocks and locks of a machine overflow not far beyond
_QUANTITY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)([A-Za-z]+)", re.ASCII)


def _parse(value: Any, units: dict[str, int], example: str) -> Decimal:
    todo = f'write it like "{example}"; the units are {", ".join(units)}'
    if not isinstance(value, str):
        raise Invalid("needs a unit", todo)
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise Invalid(f"{value[:40]!r} is not a number followed by a unit", todo)
    number, unit = match.groups()
    if unit not in units:
        raise Invalid(f"has the unknown unit {unit!r}", todo)
    return Decimal(number) * units[unit]


def parse_size(value: Any) -> int:
    """Bytes. Raises :class:`Invalid` for anything but a whole number of bytes with a unit."""
    size = _parse(value, SIZES, "32GiB")
    if size != int(size):
        raise Invalid("is not a whole number of bytes", "use a smaller unit, such as 512MiB")
    return int(size)


def parse_time(value: Any) -> float:
    """Seconds. Raises :class:`Invalid` for anything but a number with a unit, of a century at most."""
    seconds = float(_parse(value, TIMES, "2h"))
    if seconds > LONGEST:
        raise Invalid(f"is longer than a century ({time_text(LONGEST)})", "write a shorter time")
    return seconds


def _text(amount: Decimal, units: dict[str, int]) -> str:
    """In the largest unit that holds ``amount`` a whole number of times."""
    for name, size in sorted(units.items(), key=lambda item: -item[1]):
        if amount and amount % size == 0:
            return f"{amount // size:f}{name}"
    return f"{amount.normalize():f}{next(iter(units))}" if amount else f"0{next(iter(units))}"


def size_text(size: int) -> str:
    """Bytes as they are written in a policy; :func:`parse_size` gives them back."""
    return _text(Decimal(size), SIZES)


def number_text(number: float) -> str:
    """A number for a reader, without an exponent where it is whole: ``2000000``, ``20.5``."""
    return str(int(number)) if number == int(number) else f"{number:.10g}"


def rough_text(size: int) -> str:
    """Bytes of a machine, for a reader: one decimal, rounded down, never above the real amount."""
    unit = max((one for one in SIZES.items() if one[1] <= max(size, 1)), key=lambda one: one[1])
    return f"{size * 10 // unit[1] / 10:g}{unit[0]}"


def time_text(seconds: float) -> str:
    """Seconds as they are written in a policy; :func:`parse_time` gives them back."""
    return _text(Decimal(str(seconds)), TIMES)


def quantity(units: dict[str, int], examples: list[str]) -> dict[str, Any]:
    """A quantity as the published schema shows it."""
    form = rf"^[0-9]{{1,15}}(\.[0-9]{{1,6}})?({'|'.join(units)})$"
    return {"type": "string", "pattern": form, "examples": examples}


def _written(units: dict[str, int], examples: list[str]) -> Any:
    return Annotated[Any, WithJsonSchema(quantity(units, examples))]


Size = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=_written(SIZES, ["512MiB", "32GiB"])),
    PlainSerializer(size_text, when_used="json"),
]
"""Bytes in the program, a text with a unit in the file."""

Time = Annotated[
    float,
    BeforeValidator(parse_time, json_schema_input_type=_written(TIMES, ["90s", "10m", "2h"])),
    PlainSerializer(time_text, when_used="json"),
]
"""Seconds in the program, a text with a unit in the file."""
