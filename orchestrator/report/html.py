"""HTML without injection: every text is escaped, except :class:`Html`.

Control characters, terminal escapes and marks of the reading direction are made visible first
(``core/sanitize.py``), so that hostile text can neither act nor hide.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

from orchestrator.core.sanitize import plain

_MAX_TEXT = 200_000  # characters of one text
_VOID_ELEMENTS = frozenset({"meta", "img", "rect", "line", "circle"})
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_PICTURE = 4 * 1024 * 1024  # bytes of one picture that is put into a page


class Html(str):
    """Markup that this module made."""

    __slots__ = ()


Child = Html | str | int | float | None | Iterable["Child"]


def text(value: object) -> Html:
    """``value`` as escaped text, cut at 200,000 characters."""
    return Html(html.escape(plain(value, limit=_MAX_TEXT), quote=True))


def join(*children: Child) -> Html:
    """The children in order; lists are flattened, None is omitted."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, str | int | float):
            parts.append(text(child))
        elif child is not None:
            parts.append(join(*child))
    return Html("".join(parts))


def el(tag: str, /, *children: Child, **attributes: object) -> Html:
    """An element. ``class_`` means class; an underscore in a name means a dash; None is omitted."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID_ELEMENTS:
        return Html(f"<{tag}{pairs}/>")
    return Html(f"<{tag}{pairs}>{join(*children)}</{tag}>")


def fold(summary: Child, *children: Child, opened: bool = False) -> Html:
    """A part that opens on a click."""
    return el("details", el("summary", summary), *children, open="" if opened else None)


def data_table(heads: Iterable[Child], rows: Iterable[Iterable[Child]], class_: str = "") -> Html:
    """A table that scrolls separately on a narrow page."""
    names = list(heads)
    head = el("thead", el("tr", [_head(cell) for cell in names])) if any(names) else None
    body = el("tbody", [el("tr", [_cell(cell) for cell in row]) for row in rows])
    return el("div", el("table", head, body, class_=class_ or None), class_="wide")


def right(name: str) -> Html:
    """The head of a column of numbers."""
    return el("th", name, scope="col", class_="num")


def _head(cell: Child) -> Html:
    is_made = isinstance(cell, Html) and cell.startswith("<th")
    return Html(cell) if is_made else el("th", cell, scope="col")


def _cell(cell: Child) -> Html:
    return cell if isinstance(cell, Html) and cell.startswith("<td") else el("td", cell)


def number(cell: Child, **attributes: object) -> Html:
    """A table's cell for a number: right-aligned, with tabular figures."""
    more = attributes.pop("class_", "")
    return el("td", cell, class_=f"num {more}".strip(), **attributes)


def picture(data: bytes, alt: str) -> Html:
    """A PNG inside the page. Only its first bytes and its size are checked; the browser decodes it."""
    is_png = data.startswith(_PNG)
    if not is_png or len(data) > _MAX_PICTURE:
        why = f"{len(data)} bytes" if is_png else "it is not a PNG file"
        return el("p", f"{alt}: not shown, {why}", class_="quiet")
    source = Html("data:image/png;base64," + base64.b64encode(data).decode())
    return Html(f'<img alt="{text(alt)}" src="{source}"/>')
