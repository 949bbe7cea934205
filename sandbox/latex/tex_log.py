"""What a log of TeX and BibTeX says: errors, warnings, what is undefined, and what is too wide or too high."""

from __future__ import annotations

import re
from typing import Any

MOST = 100  # entries of each list in the report
LINE = 400  # characters of each


def judged(log: str, bibtex: str, *, ended: bool) -> dict[str, Any]:
    """What TeX's and BibTeX's logs say, by kind. After a pass that broke off every name is undefined,
    so none is told.
    """
    undefined = re.findall(r"(?:Reference|Citation) [`'](.+?)' .*?undefined", log)
    undefined += re.findall(r"Warning--I didn't find a database entry for \"(.+?)\"", bibtex)
    warnings = re.findall(r"^(?:LaTeX|Package \w+)(?: Font)? Warning: (.+)$", log, re.MULTILINE)
    warnings += re.findall(r"^Warning--(.+)$", bibtex, re.MULTILINE)
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)([^\n]*)", log)
    return {
        "errors": clipped(errors(log)),
        "warnings": clipped(warnings),
        "undefined": clipped(undefined if ended else []),
        "overfull": measured(wide),
        "tall": measured(too_tall(log)),
    }


def too_tall(log: str) -> list[tuple[str, str]]:
    """(points, place) of each float and each page that is higher than its room."""
    floats = re.findall(r"Float too large for page by ([\d.]+)pt on (input line \d+)", log)
    boxes = re.finditer(r"Overfull \\vbox \(([\d.]+)pt too high\) ([^\n]*)", log)
    found = [(points, f"in a figure or table, {place}") for points, place in floats]
    for box in boxes:
        page = re.search(r"\[(\d+)", log[box.end() :])  # TeX names a page once it is out
        active = "output is active" in box[2] and page
        found.append((box[1], f"on page {page[1]}" if active and page else box[2]))
    return found


def measured(found: list[tuple[str, str]]) -> list[list[Any]]:
    return [[round(float(points), 1), where.strip()[:LINE]] for points, where in found][:MOST]


def errors(log: str) -> list[str]:
    """``line: message`` and TeX's next lines, which show where it stopped; without the end that TeX
    itself makes after an error.
    """
    place = r"^(?:(?:\./)?([^\s:]+\.[a-z]+):(\d+): |! ?)"
    more = r"(?:\n(?!!|\./| *==> Fatal).+){0,4}"
    found = []
    for name, number, message in re.findall(rf"{place}(.+{more})", log, re.MULTILINE):
        file = "" if name == "paper.tex" else f"{name}, "
        found.append((f"{file}line {number}: " if name else "") + message)
    last = ("==> Fatal error occurred", "Emergency stop.")
    return [one for one in found if not any(end in one for end in last)] or found[:1]


def clipped(lines: list[str]) -> list[str]:
    return [line[:LINE] for line in dict.fromkeys(lines)][:MOST]
