#!/usr/bin/env python3
"""Draw which room imports which, from the source itself, into docs/images/rooms.svg.

usage: .venv/bin/python scripts/import-graph.py

An arrow's width grows with the number of imports; one that does not go down is drawn in red.
"""

from __future__ import annotations

import sys
from collections import Counter
from html import escape
from math import log2
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.source_rules import FLOOR, FLOORS, program, room_of, rooms_imported  # noqa: E402

WIDTH, STEP, BOX, HIGH = 1000, 118, 128, 44  # pixels: the picture, a floor, a room
ORDER = {  # from left to right, so that few arrows cross
    2: ("policy", "template", "record", "models", "editor", "literature"),
    3: ("sandbox", "research", "report"),
    4: ("machine", "proof", "audit", "agreement", "exchange"),
}
COLOURS = ("#1f5a92", "#8a5a00", "#2f7a4d", "#7a3b86", "#a1343c", "#4a5560")


def arrows(root: Path) -> Counter[tuple[str, str]]:
    """How many imports lead from one room to another."""
    found: Counter[tuple[str, str]] = Counter()
    for path in program(root):
        room = room_of(path, root)
        for other in set(rooms_imported(path)):
            if room and other != room and other in FLOOR:
                found[room, other] += 1
    return found


def places() -> dict[str, tuple[float, float]]:
    """The middle of each room's box."""
    where = {}
    for number, rooms in enumerate(FLOORS, start=1):
        names = ORDER.get(number, tuple(sorted(rooms)))
        assert set(names) == rooms, "a room has no place in ORDER"
        y = HIGH + STEP * (len(FLOORS) - number)
        for index, name in enumerate(names):
            where[name] = WIDTH * (index + 1) / (len(names) + 1), y
    return where


def drawn(root: Path) -> str:
    """The picture as SVG."""
    where = places()
    height = HIGH + STEP * (len(FLOORS) - 1) + 2 * HIGH
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="16">'
        ),
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for (room, other), count in sorted(arrows(root).items(), key=lambda item: item[1]):
        (x, y), (tx, ty) = where[room], where[other]
        down = FLOOR[other] < FLOOR[room]
        colour = COLOURS[FLOOR[room] - 1] if down else "#d00000"
        start, end = y + HIGH / 2, ty - HIGH / 2
        parts.append(
            f'<path d="M{x:.0f} {start:.0f} C{x:.0f} {start + 46:.0f} {tx:.0f} {end - 46:.0f} '
            f'{tx:.0f} {end:.0f}" fill="none" stroke="{colour}" stroke-opacity="0.55" '
            f'stroke-width="{0.8 + 0.7 * log2(count):.1f}"><title>{room} imports {other}: '
            f"{count} files</title></path>"
        )
        parts.append(f'<circle cx="{tx:.0f}" cy="{end:.0f}" r="3" fill="{colour}"/>')
    for room, (x, y) in where.items():
        parts.append(
            f'<rect x="{x - BOX / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{BOX}" height="{HIGH}" '
            f'rx="6" fill="#f6f7f9" stroke="{COLOURS[FLOOR[room] - 1]}" stroke-width="1.5"/>'
            f'<text x="{x:.0f}" y="{y + 6:.0f}" text-anchor="middle">{escape(room)}/</text>'
        )
    for number in range(1, len(FLOORS) + 1):
        y = HIGH + STEP * (len(FLOORS) - number) + 5
        parts.append(f'<text x="12" y="{y}" fill="#777777" font-size="13">floor {number}</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    target = ROOT / "docs" / "images" / "rooms.svg"
    target.write_text(drawn(ROOT), "utf-8")
    up = [pair for pair in arrows(ROOT) if FLOOR[pair[1]] >= FLOOR[pair[0]]]
    print(f"{target.relative_to(ROOT)}: {len(arrows(ROOT))} arrows, {len(up)} of them not down")
    sys.exit(bool(up))
