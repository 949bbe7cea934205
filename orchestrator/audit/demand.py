"""Something asked of a run besides that its record holds, and how an audit's page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.page import pill

_SHOWN = 20  # of what does not meet a demand; the others are folded away


@dataclass(frozen=True, slots=True)
class Demand:
    """Something asked of every policy that the run was pinned with, and where it is not so.

    One that is not ``required`` is only reported.
    """

    what: str
    required: bool
    unmet: tuple[str, ...]

    @property
    def met(self) -> bool:
        return not self.unmet


def demands_part(demands: Sequence[Demand]) -> Html | None:
    """Each demand, whether it is met, and where it is not; nothing where nothing was asked."""
    if not demands:
        return None
    rows: list[tuple[Child, ...]] = [
        (one.what, "demanded" if one.required else "reported", _state(one), _unmet(one.unmet))
        for one in demands
    ]
    about = (
        "Asked of every policy that the run was pinned with, at its start and at each fork. It is no part of the "
        "verdict on the record. What is only reported changes no exit code."
    )
    return el("div", el("p", about), data_table(("asked", "", "", "where it is not so"), rows))


def demands_fact(demands: Sequence[Demand]) -> tuple[tuple[str, Child, Child], ...]:
    """The facts for the page's head: whether what was demanded holds."""
    required = [one for one in demands if one.required]
    if not required:
        return ()
    failed = sum(not one.met for one in required)
    held = f"{failed} of {len(required)} not met" if failed else "all met"
    return (("demanded besides", held, ""),)


def _state(one: Demand) -> Html:
    if one.met:
        return pill("met", "good")
    return pill("not met", "bad" if one.required else "warn")


def _unmet(unmet: Sequence[str]) -> list[Child]:
    first: list[Child] = [el("div", why, class_="small") for why in unmet[:_SHOWN]]
    rest: list[Child] = [el("div", why, class_="small") for why in unmet[_SHOWN:]]
    return [*first, fold(f"and {len(rest)} more", rest)] if rest else first
