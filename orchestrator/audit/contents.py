"""What the record says its images held: each list is there, and is of an image that the same line pins."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.audit.record import RunRecord
from orchestrator.core.errors import BadJournal
from orchestrator.record.events import Forked, RunStarted, from_json
from orchestrator.record.pins import ImageContents

_MOST = 16 << 20  # bytes of a list


@dataclass(frozen=True, slots=True)
class RecordedContents:
    """An image's contents as its line has them, and the number of packages in its list; None without one."""

    image: ImageContents
    packages: int | None


def recorded_contents(
    event: RunStarted | Forked, record: RunRecord
) -> tuple[tuple[RecordedContents, ...], tuple[tuple[str, str], ...]]:
    """The contents that a line names, and (what, why) of each that does not hold."""
    wrong, told = [], []
    pinned = dict(event.pins.images)
    for one in event.contents:
        if pinned.get(one.name) != one.id:
            why = f"{one.name} is pinned as {pinned.get(one.name) or 'nothing'}; the list is of {one.id}"
            wrong.append(("a package list is of an image that this line does not pin", why[:300]))
        count = _count(one, record) if one.packages else None
        if one.packages and count is None:
            wrong.append(
                ("the package list of an image cannot be read", f"{one.name}, {one.packages[:12]}…")
            )
        told.append(RecordedContents(one, count))
    return tuple(told), tuple(wrong)


def _count(image: ImageContents, record: RunRecord) -> int | None:
    """The number of packages in the image's list; None where that is no list of this image."""
    try:
        value = from_json(record.run.blobs.get(image.packages, _MOST))
        packages = value["packages"]
        return len(packages) if value["image"] == image.id and isinstance(packages, list) else None
    except (BadJournal, ValueError, LookupError, TypeError, RecursionError):
        return None
