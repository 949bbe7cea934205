r"""Numbers and units of the package siunitx as text: ``\SI{1.5}{\kilo\second}`` as "1.5 ks"."""

from __future__ import annotations

import re

from orchestrator.research.paper.unprinted import COMMAND_OPTIONS

_GROUP = r"\s*+\{([^{}]{0,300}(?:\{[^{}]{0,60}\}[^{}]{0,300}){0,6})\}"
_COMMAND = re.compile(
    r"\\(?P<name>SIrange|SIlist|SI|qtyrange|qtylist|qty|numrange|numlist|numproduct|num|unit|si|ang)(?![A-Za-z])\*?"
    + COMMAND_OPTIONS
)
_COUNT = {"SIrange": 3, "qtyrange": 3, "SIlist": 2, "SI": 2, "qtylist": 2, "qty": 2, "numrange": 2}
_ARGUMENT = re.compile(_GROUP)
_PREFIXES = {
    "pico": "p", "nano": "n", "micro": "u", "milli": "m", "centi": "c", "deci": "d", "kilo": "k", "mega": "M",
    "giga": "G", "tera": "T", "peta": "P",
}  # fmt: skip
_SYMBOLS = {
    "second": "s", "minute": "min", "hour": "h", "day": "d", "metre": "m", "meter": "m", "gram": "g", "hertz": "Hz", "watt": "W",
    "joule": "J", "volt": "V", "kelvin": "K", "byte": "B", "bit": "bit", "percent": "%", "per": "/", "squared": "", "cubed": "",
    "s": "s", "ms": "ms", "us": "us", "ns": "ns", "h": "h", "min": "min",
}  # fmt: skip
_TOKEN = re.compile(r"\\([A-Za-z]+)|([^\\]+)")
_LARGE = {"k": "k", "M": "M"}
_UNCERTAIN = re.compile(r"(\d+(?:\.(\d+))?)\((\d+(?:\.\d+)?)\)")
_POWER = re.compile(r"(?<=\d)\s*\\(?:times|cdot)\s*10\s*\^")


def with_units(text: str) -> str:
    """``text`` in which each command of siunitx stands as what it prints."""
    parts, at = [], 0
    while match := _COMMAND.search(text, at):
        count, end, arguments = _COUNT.get(match["name"], 1), match.end(), list[str]()
        while len(arguments) < count and (group := _ARGUMENT.match(text, end)):
            arguments.append(group[1])
            end = group.end()
        parts.append(text[at : match.start()])
        if len(arguments) == count:
            parts.append(_printed(match["name"], arguments))
            at = end
        else:
            parts.append(match[0])
            at = match.end()
    return "".join([*parts, text[at:]])


def _printed(name: str, arguments: list[str]) -> str:
    if name in {"unit", "si"}:
        return f" {_unit(arguments[0])}"
    unit = _unit(arguments[-1]) if name.startswith(("SI", "qty")) else ""
    if name in {"SIrange", "qtyrange", "numrange"}:
        numbers = f"{_number(arguments[0])}{_beside(unit)} to {_number(arguments[1])}"
    elif name.endswith("list"):
        rows = [_number(one) + _beside(unit) for one in arguments[0].split(";")]
        return ", ".join(rows)
    else:
        numbers = _number(arguments[0])
    return numbers + _beside(unit)


def _beside(unit: str) -> str:
    """A unit behind its number: with a blank, but for the sign of a percentage and a thousand."""
    if not unit:
        return ""
    return (
        rf"\{unit}" if unit == "%" else (unit if unit[:1] in _LARGE and " " in unit else f" {unit}")
    )


def _number(said: str) -> str:
    """A number with its error as it is read elsewhere: ``1.013(9)`` has the error 0.009."""

    def error(match: re.Match[str]) -> str:
        places = len(match[2] or "")
        size = match[3] if "." in match[3] else f"{int(match[3][:9]) / 10**places:.{places}f}"
        return f"{match[1]} +- {size}"

    said = _UNCERTAIN.sub(error, said)
    return re.sub(r"(?<=\d)\s*[x]\s*(?=\d)", r" \\times ", said).strip()


def _unit(said: str) -> str:
    r"""``\kilo\second`` as "ks", ``\kilo\token`` as "k tokens", a unit in letters as it stands."""
    said = said.replace(r"\%", r"\percent").strip()
    out, prefix = "", ""
    for command, letters in _TOKEN.findall(said):
        if letters:
            out += letters.strip()
        elif command in _PREFIXES:
            prefix = _PREFIXES[command]
        elif command in _SYMBOLS:
            out += prefix + _SYMBOLS[command]
            prefix = ""
        elif command not in {"text", "mathrm", "square", "cubic"}:
            out += f"{prefix} {command}s" if prefix else f" {command}s".lstrip()
            prefix = ""
    return (out + prefix).strip("{} ") if out or prefix else ""
