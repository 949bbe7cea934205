"""``aisci models``: what is configured, what a vendor has, what is known of one model."""

from __future__ import annotations

import os
from dataclasses import asdict
from textwrap import fill

from orchestrator.api.known_models import VENDORS, ConfiguredModel, configured_models, models_of
from orchestrator.console import model_check
from orchestrator.console import output as out
from orchestrator.core.effort import EFFORTS


def show_models(name: str, *, as_json: bool) -> int:
    """What is known, without a call to anybody; returns the exit code."""
    if name and not name.endswith("/"):
        return model_check.show_model(name, offline=True, as_json=as_json)
    with out.trying("looking into litellm's list …"):
        found = models_of(name.rstrip("/")) if name else configured_models(os.environ)
    if as_json:
        for one in found:
            out.as_json(asdict(one))
        return 0
    if name:
        _show_vendor(name.rstrip("/"))
        return 0
    rows = [_row(one) for one in found if isinstance(one, ConfiguredModel)]
    out.table(("configured", "by", "key", "in $", "out $", "context", "end"), rows)
    out.say(
        "\naisci models NAME          what is known of a model"
        "\naisci models VENDOR/       all of a vendor's"
        "\naisci doctor --model NAME  what is known, and whether it answers\n"
        + fill(f"vendors: {', '.join(VENDORS)} and others", out.width())
    )
    return 0


def _show_vendor(vendor: str) -> None:
    rows = [
        (
            one.name,
            _dollars(one.input),
            _dollars(one.output),
            f"{one.context:,}" if one.context else "",
            "yes" if one.pictures else "no",
            effort_range(one.efforts) or ("yes" if one.reasoning else "no"),
            str(one.ends or ""),
        )
        for one in models_of(vendor)
    ]
    out.table(("model", "in $", "out $", "context", "pictures", "reasons", "ends"), rows)
    out.say("\nUS dollars for a million tokens, by the list of the installed litellm")
    out.say("reasons: the levels that --effort has there; yes: it has none")


def _row(one: ConfiguredModel) -> tuple[str, ...]:
    if one.known is None:
        return one.name, one.origin, "none wanted", "0", "0", "", ""
    known = one.known
    context = f"{known.context:,}" if known.context else "not known"
    prices = _dollars(known.price.input), _dollars(known.price.output)
    return one.name, one.origin, known.key, *prices, context, str(known.ends or "")


def effort_range(efforts: tuple[str, ...]) -> str:
    """``low-high`` where a model has every level."""
    return f"{efforts[0]}-{efforts[-1]}" if efforts == EFFORTS else ", ".join(efforts)


def _dollars(price: float | None) -> str:
    return "?" if price is None else f"{price:g}"
