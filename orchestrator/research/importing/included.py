r"""The files that a paper's source reads in with ``\input`` and ``\include``, put where they are read.

What is not put in is named with the reason, so that nobody takes a part of a paper for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.core.filenames import shown
from orchestrator.research.paper.latex import BEGIN, END, uncommented

_DEPTH = 8  # files within files
_MOST_FILES = 100
_MOST_CHARS = 4 << 20  # of all files
_MOST_NAMED = 50  # files that were not read
_TOKEN = re.compile(
    r"\\(?:input|include|subfile)\s*\{([^{}]{1,300})\}"
    r"|\\input[ \t]+([^\s\\{}%]{1,300})"
    r"|(\\(?:input|include|subfile|import|subimport|inputfrom|subinputfrom|includefrom|subincludefrom"
    r"|InputIfFileExists)(?![A-Za-z@])[^\n]{0,60})"
    r"|\\begin\{((?:verbatim|filecontents)\*?|lstlisting|minted|comment)\}"
    r"|\\.|%[^\n\r]*",
    re.DOTALL,
)
r"""What is read in, what stands as it is, an escaped character (``\%``), a comment."""
_WORKED_OUT = re.compile(r"[\\#$~]")  # by TeX


@dataclass(slots=True)
class _Reading:
    """The state of one source."""

    read: Callable[[str], str]
    files: int = 0  # that were asked for
    chars: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    def put_in(self, tex: str, depth: int) -> str:
        parts, at, start = [], 0, 0
        open_to_the_end: set[str] = set()  # so that a long text is not searched again and again
        while match := _TOKEN.search(tex, start):
            start = match.end()
            if match[4]:
                if match[4] not in open_to_the_end:
                    end = tex.find(f"\\end{{{match[4]}}}", start)
                    open_to_the_end |= {match[4]} if end < 0 else set()
                    start = max(start, end)
            elif match[1] or match[2] or match[3]:
                name = (match[1] or match[2] or "").strip().strip('"')
                text = self._text(name, match[3] or match[0], depth)
                if text is not None:
                    parts += [tex[at : match.start()], text, "\n"]
                    at = start
        return "".join([*parts, tex[at:]])

    def _text(self, name: str, command: str, depth: int) -> str | None:
        """What a command reads in; None where that is not known, which is then named."""
        why, text = self._why_not(name, depth), ""
        self.files += 1
        if not why:
            try:
                text = self.read(name)
            except ValueError as error:
                why = str(error)
        if why:
            if len(self.unread) < _MOST_NAMED:
                written_out = name and not _WORKED_OUT.search(name)
                self.unread.setdefault(shown(name if written_out else command), why)
            return None
        self.chars += len(text)
        text = uncommented(text).partition("\\endinput")[0]
        if BEGIN in text:
            text = text.partition(BEGIN)[2].partition(END)[0]
        return self.put_in(text, depth + 1)

    def _why_not(self, name: str, depth: int) -> str:
        if not name or _WORKED_OUT.search(name):
            return "its name is not written out"
        if depth >= _DEPTH:
            return f"it is read in {_DEPTH} files deep"
        if self.files >= _MOST_FILES or self.chars >= _MOST_CHARS:
            return f"over {_MOST_FILES} files, or {_MOST_CHARS >> 20} MiB in all, are read in"
        return ""


def with_included(tex: str, read: Callable[[str], str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """``tex`` with the files that it reads in, and (name, reason) of those that were not. ``read`` gives the text
    of a name, or raises ValueError with the reason.
    """
    state = _Reading(read)
    document, end, after = tex.partition(END)
    whole = state.put_in(document, 0)
    return whole + end + after, tuple(state.unread.items())
