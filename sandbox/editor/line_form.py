"""A text file's own form: its byte order mark, its line ends, and whether its last line ends.

Models write plain lines, so Aider is shown plain lines; what is written has the form of the
file that it replaces.
"""

from __future__ import annotations

from difflib import SequenceMatcher

_MARK = b"\xef\xbb\xbf"


def plain_text(data: bytes) -> str:
    """A file's text in plain lines. Raises UnicodeDecodeError."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    return text if not text or text.endswith("\n") else text + "\n"


def in_form_of(before: bytes, text: str) -> bytes:
    """``text``, in plain lines, as bytes in the form of ``before``; as it is where that is empty.
    A lone surrogate is a ValueError.
    """
    mark, old = (_MARK if before.startswith(_MARK) else b""), before.decode("utf-8-sig")
    if old and not old.endswith("\n"):
        text = text.removesuffix("\n")
    return mark + (_with_ends_of(old, text) if "\r\n" in old else text).encode()


def _with_ends_of(old: str, text: str) -> str:
    """Lines that stood in ``old`` end as they did there, a new one as the line above it."""
    theirs, lines = old.split("\n"), text.split("\n")
    ended = [line.removesuffix("\r") for line in theirs]
    same = SequenceMatcher(None, ended, lines, autojunk=False).get_matching_blocks()
    stood = {new + k: old + k for old, new, size in same for k in range(size)}
    ends, end = list[str](), theirs[0][len(ended[0]) :]
    for number in range(len(lines) - 1):
        at = stood.get(number, len(theirs))
        if at < len(theirs) - 1:
            end = theirs[at][len(ended[at]) :]
        ends.append(end)
    ends.append("")  # nothing ends what stands after the last newline
    return "\n".join(line + end for line, end in zip(lines, ends, strict=True))
