"""Which file names from a container are accepted, and how a refused name is displayed."""

from __future__ import annotations

import unicodedata

LONGEST_PATH, LONGEST_NAME = 1024, 255  # bytes


def why_unsafe(path: str, depth: int) -> str | None:
    """Why ``path`` is not safe in folders, archives, pages and terminals; None if it is."""
    if len(path) > LONGEST_PATH:
        return _TOO_LONG
    parts = path.split("/")
    rules = (
        (path.startswith("/"), "an absolute path"),
        (any(p in ("", ".", "..") for p in parts), "a path with an empty, `.` or `..` step"),
        (
            any(_unseen(letter) or letter == "\\" for letter in path),
            "a name with control, invisible or undecodable characters, or a backslash",
        ),
        (any(p.startswith("-") for p in parts), "a name that starts with a dash"),
        (any(p != p.strip(" ") for p in parts), "a name that starts or ends with a space"),
        (any(_is_gits(p) for p in parts), "a name that git treats as its own"),
        (
            max(len(_bytes(p)) for p in parts) > LONGEST_NAME or len(_bytes(path)) > LONGEST_PATH,
            _TOO_LONG,
        ),
        (len(parts) > depth, f"{len(parts)} levels deep; at most {depth}"),
    )
    return next((why for broken, why in rules if broken), None)


_TOO_LONG = f"a path over {LONGEST_PATH} bytes, or a name over {LONGEST_NAME}"
# Control, format (bidi and zero-width too), surrogate (undecodable), private, and every blank but
# the plain space.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks that are drawn as nothing: joiners, fillers, variation selectors, blank braille.
_BLANK = frozenset([0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0])
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def _unseen(letter: str) -> bool:
    """Whether two names that differ only in ``letter`` could look the same, or empty."""
    if letter == " ":
        return False
    number = ord(letter)
    hidden = number in _BLANK or any(number in some for some in _SELECTORS)
    return hidden or unicodedata.category(letter) in _UNSEEN


def _is_gits(name: str) -> bool:
    """``.git``, and the names that other file systems treat as it."""
    bare = name.casefold().partition(":")[0].rstrip(" .")
    return bare in {".git", "git~1"}


def shown(path: str) -> str:
    """A hostile path, escaped and shortened, safe in a record."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
    return text if len(text) <= 200 else text[:200] + "…"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
