"""What is known of a model, and whether it answers: what ``aisci doctor --model`` and a notebook call."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

from orchestrator.api.prepare import open_author
from orchestrator.core.deadline import FOREVER, Deadline, bounded
from orchestrator.core.errors import BudgetSpent, ModelBusy, ModelFailed, UserError
from orchestrator.core.model import Ask, Message
from orchestrator.core.secrets import redact, secret_name
from orchestrator.models.batching import takes_batches
from orchestrator.models.facts import takes_sampling
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, LitellmModel
from orchestrator.models.model_end import end_of
from orchestrator.models.price_file import PER_CACHED, PER_WRITTEN, TOKENS_PRICED, own_price

CHECK_SECONDS = 60.0  # of the one call
_PURPOSE = "doctor.model"
_QUESTION = "Answer with the one word: ready"
_LATER = "try it again later"
_ROOM, _ROOM_TO_REASON = 64, 1024  # tokens of the answer
# Vendors whose keys are not named for them.
_KEYS_OF = {"gemini": "GEMINI|GOOGLE", "vertex": "VERTEX|GOOGLE", "bedrock": "AWS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceKnown:
    """US dollars for a million tokens, None where unknown, and where that is said: in the user's file, in
    litellm's list, or nowhere.
    """

    origin: Literal["file", "list", "none"]
    input: float | None
    output: float | None
    cached: float | None
    written: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCall:
    """The one call: what it took, or why there is no answer. ``usd`` is None without a price."""

    answered: bool
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    what: str = ""
    why: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCheck:
    """What is known of a model; None where litellm's list does not say. ``server`` is empty for the
    vendor's own. ``variables`` are those that the key is in, or that are missing; never their values.
    ``efforts`` are the levels that ``--effort`` has there; ``batches``: for ``--batch-reviews``. ``call`` is None where none was asked for.
    """

    name: str
    listed: bool
    provider: str
    server: str
    key: Literal["present", "missing", "not needed"]
    variables: tuple[str, ...]
    price: PriceKnown
    context: int | None
    longest_answer: int | None
    pictures: bool | None
    temperature: bool
    reasoning: bool | None
    efforts: tuple[str, ...]
    reply_schema: bool | None
    caching: bool | None
    batches: bool
    ends: date | None
    days_left: int | None
    call: TrialCall | None


def check_model(
    name: str, *, offline: bool = False, environ: Mapping[str, str] = os.environ
) -> ModelCheck:
    """What is known of the model, and with one cheap call whether it answers; no call if ``offline``.

    Raises:
        UnknownName: neither we nor litellm know the name.
        BadFile: the user's file of prices has errors.
        UserError: what is no address of a server, or an author that asks no vendor.
    """
    own = own_price(name)
    model = _opened(name, environ)
    price = _price(own or model.prices(), "file" if own else "list")
    if own:
        model.charge(own)
    key, variables = _key(model, environ)
    end = end_of(model.facts, datetime.now(UTC).date())
    return ModelCheck(
        name=name,
        listed=_listed(model),
        provider=model.provider,
        server=redact(str(model.server), environ) if model.server else "",
        key=key,
        variables=variables,
        price=price,
        context=_number(model, "max_input_tokens"),
        longest_answer=_number(model, "max_output_tokens"),
        pictures=_flag(model, "supports_vision"),
        temperature=takes_sampling(model.facts) and model.takes("temperature"),
        reasoning=_flag(model, "supports_reasoning"),
        efforts=model.efforts,
        reply_schema=_flag(model, "supports_response_schema"),
        caching=_flag(model, "supports_prompt_caching"),
        batches=takes_batches(model),
        ends=end.on if end else None,
        days_left=end.days if end else None,
        call=None if offline else _call(model, environ),
    )


def _opened(name: str, environ: Mapping[str, str]) -> LitellmModel:
    """The model, also without the key that its vendor wants."""
    if name.partition("/")[0] in {"builtin", "scripted"}:
        open_author(name, environ=environ)  # which says what is wrong with such a name
        raise UserError(
            f"{name} asks no vendor, so there is nothing to check",
            where=f"--model {name}",
            todo="name a language model, as VENDOR/MODEL",
        )
    patience = RetryPolicy(tries=1, timeout=CHECK_SECONDS - 5)
    return LitellmModel(name, environ, patience, RetryTiming())


def _price(prices: Mapping[str, float], origin: Literal["file", "list"]) -> PriceKnown:
    def million(key: str) -> float | None:
        return round(prices[key] * TOKENS_PRICED, 6) if key in prices else None

    known = PER_PROMPT in prices and PER_COMPLETION in prices
    return PriceKnown(
        origin=origin if known else "none",
        input=million(PER_PROMPT),
        output=million(PER_COMPLETION),
        cached=million(PER_CACHED),
        written=million(PER_WRITTEN),
    )


def _key(
    model: LitellmModel, environ: Mapping[str, str]
) -> tuple[Literal["present", "missing", "not needed"], tuple[str, ...]]:
    """Whether the vendor's key is there, and the variables that hold it or are missing."""
    if model.missing_keys:
        return "missing", model.missing_keys
    vendor = model.provider.partition("_")[0]
    prefix = re.compile(rf"(?:{_KEYS_OF.get(vendor, re.escape(vendor.upper()))})_")
    held = sorted(one for one in environ
                  if prefix.match(one) and secret_name(one) and environ[one].strip())  # fmt: skip
    if held or not model.server:
        return "present", tuple(held)
    return "not needed", ()


def _number(model: LitellmModel, fact: str) -> int | None:
    value = model.facts.get(fact)
    return value if isinstance(value, int) else None


def _flag(model: LitellmModel, fact: str) -> bool | None:
    return bool(model.facts.get(fact)) if _listed(model) else None


def _listed(model: LitellmModel) -> bool:
    """Whether litellm's list has the model; a price of the user's own is a fact too."""
    return "litellm_provider" in model.facts


def _call(model: LitellmModel, environ: Mapping[str, str]) -> TrialCall:
    """The answer to one short question, or why there is none."""
    if missing := model.missing_keys:
        what = f"{model.name} needs a key that is not in the environment"
        why, todo = f"not set: {', '.join(missing)}", f"export {missing[0]}=…"
        return TrialCall(answered=False, what=what, why=why, todo=todo)
    room = _ROOM_TO_REASON if model.facts.get("supports_reasoning") else _ROOM
    ask = Ask(purpose=_PURPOSE, messages=(Message("user", _QUESTION),), max_tokens=room)
    began = time.monotonic()
    within = Deadline.after(CHECK_SECONDS, "the time of this check")
    try:
        reply = bounded(lambda: model.complete(ask, FOREVER), within, _PURPOSE)
    except BudgetSpent:
        what, why = f"{model.name} gave no answer", f"none within {CHECK_SECONDS:.0f} s"
        seconds = time.monotonic() - began
        return TrialCall(answered=False, seconds=seconds, what=what, why=why, todo=_LATER)
    except ModelFailed as failed:
        return _failed(failed, time.monotonic() - began, environ)
    made = TrialCall(
        answered=True,
        seconds=time.monotonic() - began,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        usd=reply.usage.usd,
    )
    return made if reply.text.strip() else _without_text(made, model.name, reply.finish)


def _without_text(made: TrialCall, name: str, finish: str) -> TrialCall:
    return replace(
        made,
        answered=False,
        what=f"{name} answered with no text",
        why=f"it ended for the reason {finish!r}",
        todo="try it again; a run asks again with more room",
    )


def _failed(failed: ModelFailed, seconds: float, environ: Mapping[str, str]) -> TrialCall:
    """The error of the call, without what it says of resuming a run."""
    todo = re.split(r"(?:[,;] )?(?:then )?`aisci resume`", failed.todo)[0]
    if isinstance(failed, ModelBusy) and not failed.why.startswith("no connection"):
        todo = _LATER
    return TrialCall(
        answered=False,
        seconds=seconds,
        what=failed.what,
        why=redact(failed.why, environ),
        todo=todo or _LATER,
    )
