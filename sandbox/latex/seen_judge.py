"""Which words of a layer the picture of their page shows: by reading it, a second time where need be."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import pymupdf
from seen_layer import Word, drawn_over, drawn_when, grown
from seen_ocr import Read, Unread, along, read_lines
from seen_words import alike, letters, likeness, plain, telling

T = TypeVar("T")
MOST_AGAIN = 3  # sheets of lines that are read again
BAND = 24  # points: words are looked up by the band of the page that they are in
SHARE = 0.5  # of the telling words of a line, that must be seen for the rest of it to be kept
SHORT = 3  # letters
RUN = 8  # letters that short words say together, one after another


class Judge:
    """Judges the words of one page by what was read in its picture."""

    def __init__(self, shown: Any, bare: Any, read: Sequence[Read], until: float) -> None:
        self._shown, self._until = shown, until
        self._over, self._when = drawn_over(shown), drawn_when(bare)
        self._bands: dict[int, list[Read]] = {}
        for one in read:
            for band in range(int(one.box.y0 // BAND), int(one.box.y1 // BAND) + 1):
                self._bands.setdefault(band, []).append(one)

    def judge(self, lines: Sequence[Sequence[Word]]) -> None:
        """Give a ``why`` to each word that says something and is not seen."""
        groups = [*_telling(lines), *_spelled(lines)]
        open_groups = [group for group in groups if not self._seen(group, self._near(group))]
        open_groups = self._again(open_groups)
        for group in open_groups:
            for word in group:
                word.why = self._why(word)
        for line in lines:
            _with_the_line(line)
            for word in line:
                if word.why == "colour" and self._is_covered(word):
                    word.why = "covered"

    @staticmethod
    def _seen(group: Sequence[Word], read: str) -> bool:
        said = "".join(word.text for word in group)
        found = alike(said, read) if len(group) == 1 else likeness(said, read) >= SHARE
        for word in group if found else ():
            word.seen = True
        return found

    def _near(self, group: Sequence[Word]) -> str:
        """What was read where these words are, and just beside."""
        found: dict[int, Read] = {}
        for word in group:
            box = word.box
            reach = 0.3 * min(box.height, box.width, 20)
            around = grown(box, reach, -reach / 2)
            for band in range(int(box.y0 // BAND), int(box.y1 // BAND) + 1):
                for one in self._bands.get(band, ()):
                    if one.box.intersects(around):
                        found[id(one)] = one
        rows = sorted(found.values(), key=lambda one: (one.line, one.box.x0))
        return "".join(one.text for one in rows)

    def _again(self, groups: list[list[Word]]) -> list[list[Word]]:
        """Read these once more, line by line and enlarged; those that are not seen now either."""
        lines: dict[tuple[int, int], list[list[Word]]] = {}
        for group in groups:
            lines.setdefault((group[0].line, group[-1].line), []).append(group)
        waiting = list(lines.values())
        unseen: list[list[Word]] = []
        for _ in range(MOST_AGAIN):
            places = [(_around(_flat(line)), line[0][0].along) for line in waiting]
            try:
                left = self._until - time.monotonic()
                read = read_lines(self._shown, places, left) if places else []
            except Unread:
                break
            for line, found in zip(waiting, read, strict=False):
                unseen += [group for group in line if not self._seen(group, _at(group, found))]
            waiting = waiting[len(read) :]
        return unseen + _flat(waiting)

    def _why(self, word: Word) -> str:
        """The kind of what hides a word that reading does not find."""
        if not word.drawn:
            return "invisible"
        if self._is_covered(word):
            return "covered"
        return "glyphs" if len(plain(self._near([word]))) >= SHORT else "unread"

    def _is_covered(self, word: Word) -> bool:
        """Whether something was drawn over most of it, later."""
        when = self._when.get((word.text[0], round(word.origin[0]), round(word.origin[1])))
        area = max(word.box.get_area(), 0.01) / 2
        return when is not None and any(
            at > when and (box & word.box).get_area() > area for at, box in self._over
        )


def _flat(rows: Iterable[Iterable[T]]) -> list[T]:
    return [one for row in rows for one in row]


def _at(group: Sequence[Word], found: Sequence[tuple[float, float, str]]) -> str:
    """What was read of a line where these words are."""
    box = _around(group)
    start, end = along(box, group[0].along)
    reach = 0.3 * min(box.width, box.height, 20)
    return "".join(
        text for first, last, text in found if last > start - reach and first < end + reach
    )


def _telling(lines: Sequence[Sequence[Word]]) -> Iterator[list[Word]]:
    for line in lines:
        yield from ([word] for word in line if not word.why and telling(word.text))


def _spelled(lines: Sequence[Sequence[Word]]) -> Iterator[list[Word]]:
    """Short words in a row that may say something together: "g i v e", "do so or".

    What has no letter or digit does not part them; digits, and the letters of formulas, do.
    """
    group: list[Word] = []
    for word in (word for line in lines for word in line if not word.why):
        if not plain(word.text):
            continue
        if not telling(word.text) and letters(word.text):
            group.append(word)
            continue
        if len(group) > SHORT and sum(len(plain(one.text)) for one in group) >= RUN:
            yield group
        group = []
    if len(group) > SHORT and sum(len(plain(one.text)) for one in group) >= RUN:
        yield group


def _around(group: Sequence[Word]) -> pymupdf.Rect:
    box = pymupdf.Rect(group[0].box)
    for word in group:
        box |= word.box
    return box


def _with_the_line(line: Sequence[Word]) -> None:
    """What says nothing by itself is kept where most of its line is."""
    by_eye = [word for word in line if telling(word.text)]
    if by_eye and sum(word.seen for word in by_eye) < SHARE * len(by_eye):
        why = next(word.why for word in by_eye if not word.seen)
        for word in line:
            word.why = word.why or ("" if word.seen else why)
