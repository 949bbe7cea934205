"""Does one policy allow more than another? The answer, key by key.

Values are compared in the file form of an effective policy (``"32GiB"``, ``"2h"``), so that a
message shows what the author wrote. A change that cannot be shown to allow less counts as weaker.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.core.units import SIZES, parse_size, parse_time
from orchestrator.policy.model_rules import NO_RULES, allows_no_more
from orchestrator.policy.schema import DESCRIPTIVE
from orchestrator.policy.seccomp import (
    Argument,
    Profile,
    SyscallRule,
    profile_of,
    profile_words,
    under,
)
from orchestrator.policy.values import ANY_AGE

Strength = Literal["stronger", "weaker", "different"]

_LADDERS = {
    "runtime": ("runc", "runsc"),
    "data": ("read-only", "none"),
    "process": (True, False),
    "feedback": ("tails", "verdict"),
}
"""Settings from weakest to strongest."""

_LEFT_OUT = {"process": False}
"""The value of a setting that a block omits."""

_OURS = {"aisci-sandbox", "aisci-sandbox:cpu", "aisci-sandbox:cuda"} | {
    f"aisci-{name}{tag}" for name in ("latex", "editor", "storage") for tag in ("", ":latest")
}
"""Images that aisci builds and checks; a job can read everything in the image that it runs in."""

_WHOLE_POLICY = {"experiment", "idea", "run"}
_NO_RULES = NO_RULES.model_dump(mode="json")

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
    if not path and mapping.keys() >= _WHOLE_POLICY:  # which leaves out what bounds nothing
        mapping = {**mapping, "model": {**_NO_RULES, **mapping.get("model", {})}}
        mapping["run"] = {"gpu_time": ANY_AGE, **mapping["run"]}
    if "image" in mapping:  # a container, which leaves out the other key if it bounds nothing
        mapping = {"image": mapping["image"], "image_age": ANY_AGE, **mapping}
    for key, value in mapping.items():
        if not path and key in DESCRIPTIVE:
            continue
        if isinstance(value, Mapping) and key not in WHOLE:
            settings |= flat_settings(value, (*path, key))
        else:
            settings[(*path, key)] = value
    return settings


def _amount(value: Any) -> float:
    """A number, a size in bytes or a time in seconds, for comparison."""
    if value == ANY_AGE:
        return math.inf
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
        return _of_images(before, after)
    if key == "user":  # another user may be able to read that user's files among the staged data
        before, after = ([int(part) for part in user.split(":")] for user in (before, after))
        return "different" if after == before else "weaker"
    if key == "seccomp":  # what cannot be shown to allow no further call counts as weaker
        old, new = profile_of(before), profile_of(after)
        return _by_inclusion(less=no_weaker(old, new), more=no_weaker(new, old))
    if path == ("model", "allow"):
        less, more = allows_no_more(before, after), allows_no_more(after, before)
        return _by_inclusion(less=less, more=more)
    if key in _LADDERS:
        less = _LADDERS[key].index(after) > _LADDERS[key].index(before)
    elif key == "env":
        less = after.items() < before.items()
    elif key == "network":
        less = _hosts(after) < _hosts(before)
    elif key == "enforce":  # it has one value so far
        less = False
    elif "keep_free" in path:
        less = _amount(after) > _amount(before)
    else:
        less = _amount(after) < _amount(before)
    return "stronger" if less else "weaker"


def _of_images(before: str, after: str) -> Strength:
    """An image of aisci's is no more than another image, unless that one is named by its content: whoever has
    the engine can give any image a name.
    """
    if after not in _OURS or "@sha256:" in before:
        return "weaker"
    return "different" if before in _OURS else "stronger"


def _by_inclusion(*, less: bool, more: bool) -> Strength:
    """``less``: the second is within the first; ``more``: the first is within the second."""
    if less and more:
        return "different"
    return "stronger" if less else "weaker"


def shown_setting(value: Any) -> str:
    """A setting's value as a policy file writes it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping) and "defaultAction" in value:
        return profile_words(dict(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown_setting(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown_setting(one) for one in value) + "]"
    return str(value)


def _hosts(network: Any) -> frozenset[str]:
    return frozenset() if network == "none" else frozenset(network["allow"])


def no_weaker(before: Profile, after: Profile) -> bool:
    """Whether ``after`` provably allows no call that ``before`` does not, under each runtime.

    Sound and not complete: each allowing rule of ``after`` must be found in ``before`` under the
    same call, with the same conditions or fewer, and no rule of ``before`` may refuse some of
    that call again.
    """
    given = ((before, after), (under(before, "runsc"), under(after, "runsc")))
    return all(_allows_no_more(old, new) for old, new in given)


def _allows_no_more(before: Profile, after: Profile) -> bool:
    native = {*before.architectures, *after.architectures}
    native |= {one.architecture for profile in (before, after) for one in profile.archMap}
    if any(not after.machines(name) <= before.machines(name) for name in native):
        return False
    refused = {name for rule in before.syscalls if not _allows(rule) for name in rule.names}
    allowed = dict.fromkeys(_allowed(before))
    return all(
        name not in refused
        and any(name == known and conditions >= fewer for known, fewer in allowed)
        for name, conditions in _allowed(after)
    )


def _allowed(profile: Profile) -> Iterator[tuple[str, frozenset[Argument]]]:
    for rule in profile.syscalls:
        if _allows(rule):
            yield from ((name, frozenset(rule.args)) for name in rule.names)


def _allows(rule: SyscallRule) -> bool:
    return rule.action == "SCMP_ACT_ALLOW"
