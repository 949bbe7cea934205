"""Under which ceilings of its machine a run was: on its pages, where its record pins one."""

from __future__ import annotations

from orchestrator.record.pins import Pins
from orchestrator.report.html import Child, el


def held_by(pins: Pins) -> tuple[str, ...]:
    """The policy's name, and that of each ceiling that held it."""
    return (f"policy {pins.policy.name}", *(f"ceiling {one.name}" for one in pins.ceilings))


def ceiling_rows(pins: Pins) -> tuple[tuple[Child, ...], ...]:
    """A row for each ceiling; none for a run on a machine without, as in every record of before."""
    return tuple(
        ("ceiling", [f"{one.name} ({one.file}) ", el("span", one.hash, class_="hash")])
        for one in pins.ceilings
    )
