"""Words that a text layer claims, held against what was read from a picture."""

from __future__ import annotations

import re
import unicodedata

# Letters that a reader of pictures takes for each other.
_ALIKE = str.maketrans("01|!5", "olils")
_STOPS = ".,;:()[]'\"“”‘’!?-"
_LETTERS = re.compile(r"[^\W\d_\u02b0-\u02ff]+")  # no accents that stand alone

WORD = 4  # letters in a row that are a word, wherever they stand
MANY = 6  # letters, that are one with signs between them


def plain(text: str) -> str:
    """Letters and digits alone, lower case, without accents; ligatures as their letters."""
    apart = unicodedata.normalize("NFKD", text).lower().translate(_ALIKE)
    return "".join(char for char in apart if char.isalnum())


def printable(text: str) -> str:
    """Without what no font shows: controls, tags, directions, private and unassigned characters."""
    return "".join(char for char in text if unicodedata.category(char)[0] != "C")


_SYMBOLS = re.compile("[\u0370-\u03ff\u2100-\u214f\U0001d400-\U0001d7ff]+")


def spoken(text: str) -> str:
    """A word without the symbols that a formula left on it: most of "θt have" is read, its symbols are not.
    A row of symbols that is as long as a word can say something, and stays.
    """
    rest = _SYMBOLS.sub(lambda row: row[0] if len(row[0]) >= WORD else "", text)
    return rest if _LETTERS.search(rest) else text


def telling(text: str) -> bool:
    """Whether a word says something by itself, and so must be read in the picture."""
    text = spoken(text)
    if any(ord(char) >= 0x1F000 for char in text):
        return True  # letters in squares, flags: no symbol of a paper
    flat = unicodedata.normalize("NFKC", text)
    runs = _runs(flat)
    if formula(flat):
        return max(runs) >= WORD or sum(runs) >= 2 * MANY or _foreign(flat)
    whole = max(runs) == WORD - 1 == len(flat.strip(_STOPS))
    return max(runs) >= WORD or whole or sum(runs) >= MANY or _foreign(flat)


def _runs(text: str) -> list[int]:
    return [len(run) for run in _LETTERS.findall(text)] or [0]


def formula(text: str) -> bool:
    """Whether a word has Greek letters or the signs of mathematics."""
    return any(_greek(char) or unicodedata.category(char) == "Sm" for char in text)


def _foreign(text: str) -> bool:
    """Whether a word has letters of an alphabet that is not read here."""
    return any(
        unicodedata.category(char) in {"Lo", "Lu", "Ll", "Lt"}
        and ord(char) > 0x24F
        and not _greek(char)
        for char in text
    )


def letters(text: str) -> bool:
    """Whether a word is Latin letters and nothing else but stops."""
    flat = unicodedata.normalize("NFKD", text).strip(_STOPS)
    return bool(re.fullmatch(r"[A-Za-z\u0300-\u036f]+", flat))


def _greek(char: str) -> bool:
    return "\u0370" <= char <= "\u03ff" or "\u2100" <= char <= "\u214f" or char == "\u00b5"


def likeness(word: str, read: str) -> float:
    """The share of ``word`` that stands in ``read``, at its best place there: 1 for all of it."""
    word, read = plain(word), plain(read)
    if not word or not read:
        return 0.0
    if word in read:
        return 1.0
    row = [0] * (len(read) + 1)
    for count, char in enumerate(word, start=1):
        above, row = row, [count]
        for at, other in enumerate(read):
            row.append(min(above[at] + (char != other), above[at + 1] + 1, row[at] + 1))
    return 1 - min(row) / len(word)


def alike(word: str, read: str) -> bool:
    """Whether ``word`` is what was read, as far as reading can be trusted: less in a formula."""
    word = spoken(word)
    if formula(word) and max(_runs(word)) < WORD:
        return likeness(word, read) >= 0.35
    return likeness(word, read) >= (0.7 if _LETTERS.fullmatch(word.strip(_STOPS)) else 0.5)
