"""How a person, or a program, wants to follow a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a person, or a program, wants to follow."""

    quiet: bool
    as_json: bool
    verbose: bool = False
