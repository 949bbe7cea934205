"""Where the options of commands get their defaults: the settings of :mod:`orchestrator.api.preferences`."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.api.preferences import PREFERENCES, settings_held

_READS_NONE = frozenset({"config", "demo", "docs", "completion", "version"})
"""Commands that must answer where a file of settings has errors; ``config`` tells them itself."""
_TAKES: dict[str, frozenset[str]] = {
    "run": frozenset(PREFERENCES) - {"results", "authority"},
    "ideas": frozenset({"model", "price", "max_usd", "policy", "scale"}),
    "resume": frozenset({"notify"}),
    "stamp": frozenset({"authority"}),
    "template baseline": frozenset({"policy", "scale"}),
}
"""The settings that commands take; on others, an option of the same name means something else, such as
another budget for a run that exists.
"""


@dataclass(frozen=True, slots=True)
class Defaults:
    """click's ``default_map`` for a command line, and the line that says which settings are in it."""

    options: dict[str, Any]
    told: str = ""


def default_options(words: Sequence[str], groups: Collection[str]) -> Defaults:
    """What the options of this command line's command are without one.

    ``groups`` are the commands that have commands. Nothing is read for a line that only asks for help.
    """
    path = words[: 2 if words[:1] and words[0] in groups else 1]
    if not path or path[0] in _READS_NONE or {"--help", "-h"} & set(words):
        return Defaults({})
    takes = _TAKES.get(" ".join(path), frozenset()) | {"results"}
    held = [one for one in settings_held(os.environ) if one.level and one.key in takes]
    if has_option(words, "--model"):  # the price is that of another model
        held = [one for one in held if one.key != "price"]
    if has_option(words, "--from-ideas") or has_option(
        words, "--ideas-file"
    ):  # its ideas are all pursued, unless a number is typed
        held = [one for one in held if one.key != "ideas"]
    found: dict[str, Any] = {one.key: one.value for one in held}
    for word in reversed(path):
        found = {word: found}
    told = [
        f"{one.key} {'' if one.key == 'notify' else f'{one.value} '}({one.origin})"
        for one in held
        if not has_option(words, f"--{one.key.replace('_', '-')}")
    ]
    told = told if path[0] in _TAKES and not {"--json", "--quiet", "-q"} & set(words) else []
    return Defaults(found, f"settings: {', '.join(told)}" if told else "")


def has_option(words: Sequence[str], option: str) -> bool:
    """Whether a command line has this option."""
    return any(word == option or word.startswith(f"{option}=") for word in words)
