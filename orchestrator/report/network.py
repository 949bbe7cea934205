"""What a container asked of the allow-list's proxy, and what became of it: one row a decision."""

from __future__ import annotations

from orchestrator.core.job import Attestation, Egress
from orchestrator.report.html import Html, data_table, el, fold, number, right
from orchestrator.report.page import pill, size


def egress_table(box: Attestation) -> Html | None:
    """A fold with every connection; None where the container had no way out or took none."""
    told = box.egress
    if not told:
        return None
    allowed = sum(one.count for one in told if one.allowed)
    refused = sum(one.count for one in told if not one.allowed)
    heads = ("asked for", "address", "", "why", right("sent"), right("received"), right("after"))
    return fold(
        f"connections through the allow-list: {allowed} allowed, {refused} refused",
        data_table(heads, [_row(one) for one in told]),
    )


def _row(one: Egress) -> tuple[Html | str, ...]:
    many = f" × {one.count}" if one.count > 1 else ""
    return (
        el("code", one.host),
        el("code", one.address),
        pill(("allowed" if one.allowed else "refused") + many, "good" if one.allowed else "bad"),
        one.why,
        number(size(one.sent)),
        number(size(one.received)),
        number(f"{one.at:.1f} s"),
    )
