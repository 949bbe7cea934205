"""What a plotting reply says of its figures: a caption for each, and those to leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.sanitize import plain_line

CAPTION = 1200  # characters
# "FIGURE: a.png — caption", also in a list or in bold, with any dash or a colon.
_LINE = re.compile(
    r"^[ \t>*_#`-]{0,12}(figure|leave[ _]out)[*_`]{0,3}[ \t]?:[ \t*_`\"']{0,8}"
    r"([\w.+-]{1,80}\.png)[ \t*_`\"']{0,8}(?:[—–:-]{1,3}|\|)[ \t*_]{0,4}(\S.{0,2000})$",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SaidOfFigures:
    """(name, caption) and (name, reason) of what a reply says, the last word of each figure."""

    captions: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def then(self, later: SaidOfFigures) -> SaidOfFigures:
        """This, as a later reply changed it: a figure is either shown or left out."""
        now = dict(later.left_out)
        captions = {**dict(self.captions), **dict(later.captions)}
        again = dict(later.captions).keys() - now.keys()
        left = {name: why for name, why in self.left_out if name not in again} | now
        return SaidOfFigures(tuple(captions.items()), tuple(left.items()))


def said_of_figures(reply: str) -> SaidOfFigures:
    """The lines ``FIGURE: name.png — caption`` and ``LEAVE OUT: name.png — reason`` of a reply."""
    captions, left = dict[str, str](), dict[str, str]()
    for kind, name, text in _LINE.findall(reply):
        said = captions if kind.lower() == "figure" else left
        said[name] = plain_line(text.strip(" \t*_`"), limit=CAPTION)
    return SaidOfFigures(tuple(captions.items()), tuple(left.items()))
