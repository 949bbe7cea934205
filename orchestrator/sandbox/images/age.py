"""How old an image is, and the bound that a policy sets: an old image lacks security updates."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import takewhile

from orchestrator.core.errors import ImageStale
from orchestrator.core.units import TIMES, time_text
from orchestrator.sandbox.engine.client import Engine, Image, translated
from orchestrator.sandbox.images.build import BASE_LABEL, NAME_LABEL

OLD_AFTER = 30  # days: an image then lacks a month of Debian's security updates


def made_at(image: Image) -> str:
    """When the image was made, in ISO 8601; empty where the engine does not say.

    An image of aisci's is as old as its oldest own layer: a build may use a layer of an earlier
    build again, with the packages of that day.
    """
    base = image.labels.get(BASE_LABEL)
    if base is not None:
        with translated("reading the layers of an image"):
            layers = takewhile(lambda layer: layer["Id"] != base, image.history())
            times = [int(layer["Created"]) for layer in layers]
        if times:
            return datetime.fromtimestamp(min(times), UTC).isoformat()
    return str(image.attrs.get("Created") or "")


def seconds_since(made: str, now: datetime) -> float | None:
    """The age of what was made at ``made``, in seconds; None where that is no time."""
    try:
        then = datetime.fromisoformat(f"{made[:19]}+00:00")
    except ValueError:
        return None
    return max(0.0, (now - then).total_seconds())


def require_recent(engine: Engine, name: str, most: float, key: str) -> None:
    """Raise :class:`ImageStale` if the image is older than ``most`` seconds, which ``key`` sets."""
    with translated(f"looking for the image {name}"):
        image = engine.images.get(name)
    age = seconds_since(made_at(image), datetime.now(UTC))
    if age is not None and age <= most:
        return
    known = "of unknown age" if age is None else f"{age / TIMES['d']:.1f} days old"
    ours = image.labels.get(NAME_LABEL) in (name, f"{name}:latest")
    raise ImageStale(
        f"the image {name} is {known}, and the policy allows {time_text(most)}",
        where=f"the policy's {key}; {image.id}",
        why="an image lacks the security updates that came after it was made",
        todo=f"aisci images build --fresh {name}" if ours else f"build or pull {name} again",
    )
