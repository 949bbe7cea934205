"""The connections that a container requested, and the decisions of the allow-list."""

from __future__ import annotations

from orchestrator.core.job import Attestation, Egress
from orchestrator.report.html import Html, data_table, el, fold, number, right
from orchestrator.report.page import pill, size


def egress_table(box: Attestation) -> Html | None:
    """A fold with every connection; None if the container requested none."""
    if not box.egress:
        return None
    allowed = sum(egress.count for egress in box.egress if egress.allowed)
    refused = sum(egress.count for egress in box.egress if not egress.allowed)
    heads = ("host", "address", "", "why", right("sent"), right("received"), right("after"))
    return fold(
        f"connections through the allow-list: {allowed} allowed, {refused} refused",
        data_table(heads, [_row(egress) for egress in box.egress]),
    )


def _row(egress: Egress) -> tuple[Html | str, ...]:
    many = f" × {egress.count}" if egress.count > 1 else ""
    return (
        el("code", egress.host),
        el("code", egress.address),
        pill(
            ("allowed" if egress.allowed else "refused") + many, "good" if egress.allowed else "bad"
        ),
        egress.why,
        number(size(egress.sent)),
        number(size(egress.received)),
        number(f"{egress.at:.1f} s"),
    )
