"""``notes.txt`` of the AI Scientist: the idea at its top, then a heading and a description for each run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from orchestrator.core.sanitize import plain_line

_MOST = 1 << 20  # characters that are searched
_TITLE = re.compile(r"(?im)^#{1,3}[ \t]*Title:[ \t]*(.{1,1000})$")
_ABOUT = re.compile(
    r"(?im)^#{1,3}[ \t]*Experiment description:[ \t]*(.{1,8000}?)(?=^#|\Z)", re.DOTALL
)
_RUN = re.compile(r"(?im)^#{1,4}[ \t]*\**[ \t]*Run[ \t]+(\d{1,3})\b[ \t]*\**[:.\- \t]*(.{0,500})$")
_HEADING = re.compile(r"(?m)^#{1,4}[ \t]")
_SAID = re.compile(r"(?i)^[ \t]*\**Description\**:\**[ \t]*")
_OTHER = re.compile(r"(?i)^[ \t]*\**(?:Results|Analysis|Next Steps|Observations|Conclusion)\**:")


@dataclass(frozen=True, slots=True)
class RunNote:
    """What the notes say of a run, each on one line; empty where they say nothing."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class ReadNotes:
    """The idea's title and experiment, and the note of each run by its number."""

    title: str = ""
    experiment: str = ""
    runs: Mapping[int, RunNote] = field(default_factory=dict)


def read_notes(text: str) -> ReadNotes:
    """The notes in ``text``, whatever it is."""
    text = text[:_MOST].replace("\r\n", "\n")
    title, about = _TITLE.search(text), _ABOUT.search(text)
    runs: dict[int, RunNote] = {}
    for match in _RUN.finditer(text):
        end = _HEADING.search(text, match.end())
        body = text[match.end() : end.start() if end else len(text)]
        runs.setdefault(int(match[1]), RunNote(_line(match[2], 60), _line(_described(body), 600)))
    return ReadNotes(
        _line(title[1], 200) if title else "", about[1].strip()[:4000] if about else "", runs
    )


def _described(body: str) -> str:
    """The text after ``Description:`` up to the next such heading, or what is no result where nothing is called
    so.
    """
    lines = [line for line in body.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if said := _SAID.match(line):
            rest = takewhile(lambda one: not _OTHER.match(one), lines[number + 1 :])
            return " ".join([line[said.end() :], *rest])
    return " ".join(line for line in lines if not _OTHER.match(line) and "{" not in line)


def _line(text: str, limit: int) -> str:
    return plain_line(text.replace("*", "").strip(" #"), limit=limit)
