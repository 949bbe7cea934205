"""Under which ceilings of its machine a run was, and what signatures that demanded: on its pages, where its record pins any."""

from __future__ import annotations

from orchestrator.record.pins import Pins
from orchestrator.report.html import Child, el


def held_by(pins: Pins) -> tuple[str, ...]:
    """The policy's name, and that of each ceiling that held it."""
    return (f"policy {pins.policy.name}", *(f"ceiling {one.name}" for one in pins.ceilings))


def ceiling_rows(pins: Pins) -> tuple[tuple[Child, ...], ...]:
    """A row for each ceiling, and for each key that signed policy or images; none for a run on a machine without,
    as in every record of before.
    """
    signed = dict[tuple[str, str], list[str]]()
    for one in pins.signatures:
        signed.setdefault((one.signer, one.key), []).append(one.of)
    return (
        *(
            ("ceiling", [f"{one.name} ({one.file}) ", el("span", one.hash, class_="hash")])
            for one in pins.ceilings
        ),
        *(
            ("signed", [f"{', '.join(of)}, by {name} ", el("span", key, class_="hash")])
            for (name, key), of in signed.items()
        ),
    )
