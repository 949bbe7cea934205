"""``aisci doctor --model``: what is known of a model, and whether it answers."""

from __future__ import annotations

from dataclasses import asdict

from orchestrator.api import model_check as api
from orchestrator.api.model_check import ModelCheck, PriceKnown, TrialCall
from orchestrator.console import output as out
from orchestrator.models.price_file import own_prices_path

_NOT_KNOWN = "not known"


def show_model(name: str, *, offline: bool, as_json: bool) -> int:
    """Facts and one call; exit code 1 where the call was made, or could not be, and no answer came."""
    with out.trying(f"looking at {name} …" if offline else f"asking {name} one question …"):
        found = api.check_model(name, offline=offline)
    if as_json:
        out.as_json(asdict(found))
    else:
        _draw(found)
    return 0 if found.call is None or found.call.answered else 1


def _draw(found: ModelCheck) -> None:
    rows = [
        (
            "vendor",
            found.provider,
            "" if found.listed else "litellm's list does not have this name",
        ),
        ("server", found.server or "the vendor's", ""),
        ("key", found.key, ", ".join(found.variables)),
        ("price", _price(found.price), _origin(found.price)),
        ("context", _tokens(found.context), ""),
        ("longest answer", _tokens(found.longest_answer), ""),
        ("pictures", _yes(found.pictures), "" if found.pictures else "--vision shows them anyway"),
        ("temperature", _yes(found.temperature), "" if found.temperature else "it is left out"),
        ("reasoning", _yes(found.reasoning), ""),
        (
            "effort",
            ", ".join(found.efforts) or "no levels",
            "" if found.efforts else "none is sent",
        ),
        ("reply schema", _yes(found.reply_schema), ""),
        ("prompt caching", _yes(found.caching), ""),
        ("batches", _yes(found.batches), "--batch-reviews" if found.batches else ""),
        ("end", *_end(found)),
        *_call(found.call),
    ]
    out.table((found.name, "", ""), rows)


def _price(price: PriceKnown) -> str:
    named = {"in": price.input, "out": price.output, "cached": price.cached,
             "written": price.written}  # fmt: skip
    known = [f"{name} ${value:g}" for name, value in named.items() if value is not None]
    return ", ".join(known) or _NOT_KNOWN


def _origin(price: PriceKnown) -> str:
    if price.origin == "none":
        return f"a run needs --price IN,OUT, or an entry in {own_prices_path()}"
    where = own_prices_path() if price.origin == "file" else "litellm's list"
    return f"per million tokens, from {where}"


def _tokens(count: int | None) -> str:
    return _NOT_KNOWN if count is None else f"{count:,} tokens"


def _yes(fact: bool | None) -> str:  # noqa: FBT001 - the value itself, not an option
    return _NOT_KNOWN if fact is None else ("yes" if fact else "no")


def _end(found: ModelCheck) -> tuple[str, str]:
    if found.ends is None or found.days_left is None:
        return "none is known", ""
    days = found.days_left
    left = f"{out.counted(abs(days), 'day')} " + ("ago" if days < 0 else "left")
    return str(found.ends), left


def _call(call: TrialCall | None) -> list[tuple[str, str, str]]:
    if call is None:
        return [("one call", "not made", "--offline")]
    if not call.answered:
        return [("one call", "failed", call.what), ("", "why", call.why), ("", "do", call.todo)]
    cost = "its cost is not known" if call.usd is None else f"${call.usd:.6f}"
    tokens = f"{call.prompt_tokens:,} tokens in, {call.completion_tokens:,} out"
    return [("one call", "answered", f"{call.seconds:.1f} s, {tokens}, {cost}")]
