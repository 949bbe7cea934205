"""Does one policy allow more than another? The answer, key by key.

Values are compared in the file form of an effective policy (``"32GiB"``, ``"2h"``), so that a
message shows what the author wrote. A change that cannot be shown to allow less counts as weaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.core.units import SIZES, parse_size, parse_time
from orchestrator.policy import seccomp
from orchestrator.policy.schema import DESCRIPTIVE
from orchestrator.policy.seccomp_compare import no_weaker

Strength = Literal["stronger", "weaker", "different"]

_LADDERS = {"runtime": ("runc", "runsc"), "data": ("read-only", "none"), "process": (True, False)}
"""Settings from weakest to strongest."""

_LEFT_OUT = {"process": False}
"""The value of a setting that a block omits."""

_OURS = frozenset(
    {
        "aisci-sandbox",
        "aisci-sandbox:cpu",
        "aisci-sandbox:cuda",
        *("aisci-latex", "aisci-latex:latest"),
        *("aisci-editor", "aisci-editor:latest"),
        *("aisci-storage", "aisci-storage:latest"),
    }
)
"""Images that aisci builds and checks; a job can read everything in the image that it runs in."""

WHOLE = {"env", "network", "seccomp"}
"""Settings with several parts that are compared, and replaced, as a whole."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, both values as written, and whether the second policy is stronger there."""

    path: tuple[str, ...]
    before: Any
    after: Any
    verdict: Strength

    @property
    def key(self) -> str:
        return ".".join(self.path)


def flat_settings(
    mapping: Mapping[str, Any], path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], Any]:
    """Every setting by its path; an allow-list, an environment or a profile is one setting."""
    settings: dict[tuple[str, ...], Any] = {}
    for key, value in mapping.items():
        if not path and key in DESCRIPTIVE:
            continue
        if isinstance(value, Mapping) and key not in WHOLE:
            settings |= flat_settings(value, (*path, key))
        else:
            settings[(*path, key)] = value
    return settings


def amount(value: Any) -> float:
    """A number, a size in bytes or a time in seconds, for comparison."""
    if not isinstance(value, str):
        return float(value)
    return parse_size(value) if value.endswith(tuple(SIZES)) else parse_time(value)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The differences between the settings that both have, in the order of ``after``."""
    old = flat_settings(before)
    found = []
    for path, value in flat_settings(after).items():
        was = old.get(path, _LEFT_OUT.get(path[-1], value))
        if was != value:
            found.append(Difference(path, was, value, strength_of(path, was, value)))
    return tuple(found)


def weaker(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The settings in which ``after`` allows more than ``before``, or may do so."""
    return tuple(one for one in compare(before, after) if one.verdict == "weaker")


def strength_of(path: tuple[str, ...], before: Any, after: Any) -> Strength:
    """Whether ``after`` is stronger or weaker than ``before`` at ``path``; the two differ."""
    key = path[-1]
    if key == "image":
        return _images(before, after)
    if key == "user":
        return "different" if _ids(after) == _ids(before) else "weaker"
    if key in _LADDERS:
        less = _LADDERS[key].index(after) > _LADDERS[key].index(before)
    elif key == "env":
        less = after.items() < before.items()
    elif key == "network":
        less = _hosts(after) < _hosts(before)
    elif key == "seccomp":
        return _filters(before, after)
    elif key == "enforce":  # it has one value so far
        less = False
    elif "keep_free" in path:
        less = amount(after) > amount(before)
    else:
        less = amount(after) < amount(before)
    return "stronger" if less else "weaker"


def shown_setting(value: Any) -> str:
    """A setting's value as a policy file writes it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping) and "defaultAction" in value:
        return seccomp.profile_words(dict(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown_setting(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown_setting(one) for one in value) + "]"
    return str(value)


def _filters(before: Any, after: Any) -> Strength:
    """A profile that cannot be shown to allow no further call counts as weaker."""
    old, new = seccomp.profile_of(before), seccomp.profile_of(after)
    if not no_weaker(old, new):
        return "weaker"
    return "different" if no_weaker(new, old) else "stronger"


def _images(before: str, after: str) -> Strength:
    ours = [name in _OURS for name in (before, after)]
    return "different" if all(ours) else "stronger" if ours[1] else "weaker"


def _ids(user: str) -> list[int]:
    """Its numbers: another user may be able to read that user's files among the staged data."""
    return [int(part) for part in user.split(":")]


def _hosts(network: Any) -> frozenset[str]:
    return frozenset() if network == "none" else frozenset(network["allow"])
