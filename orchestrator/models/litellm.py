"""Language models by name: ``scripted/FILE``, or any that litellm knows.

The only importer of litellm, loaded when such a model is opened: the import takes seconds.
Retries, timeouts, prices and secrets are handled here; litellm makes one request at a time.

Longer than 250 lines: a model's way from its name to its reply, in the only file that knows litellm.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline, bounded
from orchestrator.core.errors import ModelBusy, ModelRefused
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.secrets import redact
from orchestrator.models.address import ServerAddress, server_address
from orchestrator.models.bounds import cost_of, highest_price, prompt_bound
from orchestrator.models.caching import marked_places, wants_marks, with_mark
from orchestrator.models.circuit_breaker import breaker_of
from orchestrator.models.counted import cached_of, written_of
from orchestrator.models.effort import THINKING, THINKING_AT, effort_levels, effort_taken
from orchestrator.models.facts import (
    highest_factor,
    map_entry,
    takes_batches_at,
    takes_sampling,
    takes_schema,
    thinks,
)
from orchestrator.models.failures import (
    RetryPolicy,
    RetryTiming,
    joined_parts,
    refused_parameters,
    retry_after,
    translate_failure,
    waiting_line,
)
from orchestrator.models.keys import SIGNED_IN, missing_keys, provider_of, require_key
from orchestrator.models.pictures import ReadPicture, chat_message, in_turns
from orchestrator.models.said import error_in_choice
from orchestrator.models.scripted import ReplyRule, ScriptedModel

PER_PROMPT, PER_COMPLETION = "input_cost_per_token", "output_cost_per_token"
_A_WHILE = 0.5  # seconds of a pause, until a stop is seen
MOST_TOKENS = 10**9  # of one request; a count above it, or below zero, is a server's mistake


def open_model(
    name: str,
    *,
    environ: Mapping[str, str],
    replies: Iterable[ReplyRule | str] | None = None,
    prices: Mapping[str, float] | None = None,
    retry: RetryPolicy | None = None,
    timing: RetryTiming | None = None,
) -> LanguageModel:
    """Open the model of that name, without a request to its vendor. ``environ`` are the process's
    variables. ``replies`` replace the file of ``scripted/…``. ``prices`` (as of
    :meth:`LitellmModel.prices`) replace litellm's. Raises :class:`UnknownName`,
    :class:`MissingKey`, :class:`BadFile`, :class:`UserError` for what is no address of a server.
    """
    kind, _, rest = name.partition("/")
    if kind == "scripted" and replies:
        return ScriptedModel(replies, name)
    if kind == "scripted":
        return ScriptedModel.from_file(Path(rest), name)
    model = LitellmModel(name, environ, retry or RetryPolicy(), timing or RetryTiming())
    require_key(name, model.missing_keys, listed=bool(model.facts))
    if prices:
        model.charge(prices)
    return model


class LitellmModel:
    """One model of one vendor, through litellm; ``name`` includes it. See :func:`open_model`."""

    def __init__(
        self, name: str, environ: Mapping[str, str], retry: RetryPolicy, timing: RetryTiming
    ) -> None:
        self._litellm = litellm = _litellm()
        self.name, self._environ = name, environ
        self._retry, self._timing = retry, timing
        self.provider = provider = provider_of(litellm, name)
        self._server = server_address(provider, environ)
        self._own = provider == "openai" and self._server is not None
        self._breaker = breaker_of(provider, self._server.address if self._server else "")
        # A user's own server may need no key.
        self.missing_keys = () if self._own else missing_keys(litellm, name, environ)
        self._facts = map_entry(litellm.model_cost, name, provider)
        self._marks = not self._own and wants_marks(name, provider, self._facts)
        self.batch_vendor = provider if takes_batches_at(provider, self._facts) else ""
        """Whose form of batches it takes; empty for none."""
        self._own_prices = True
        self._unlike: frozenset[str] = frozenset()
        self._read: ReadPicture = _no_picture
        self._failures = tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES)

    def prices(self) -> dict[str, float]:
        """US dollars per token from litellm's list, by kind; empty if it has none."""
        return {
            key: float(value)
            for key, value in sorted(self._facts.items())
            if "cost_per_token" in key or key.endswith("_token_cost")
            if isinstance(value, int | float)
        }

    def charge(self, prices: Mapping[str, float]) -> None:
        """Compute costs with ``prices``, where they differ from litellm's."""
        if dict(prices) != self.prices():
            known = {key: value for key, value in self._facts.items() if key not in self.prices()}
            self._facts, self._own_prices = known | dict(prices), False

    @property
    def facts(self) -> Mapping[str, Any]:
        """litellm's entry for the model, as it stands in its list; empty if it has none."""
        return self._facts

    @property
    def server(self) -> ServerAddress | None:
        """The server of the user's own that is asked; None for the vendor's."""
        return self._server

    def takes(self, parameter: str) -> bool:
        """Whether litellm passes on a parameter of OpenAI's format, such as ``temperature``."""
        return takes_parameter(self.name, parameter)

    @property
    def efforts(self) -> tuple[str, ...]:
        """The levels of effort that may be sent."""
        return effort_levels(self._facts) if self.takes("reasoning_effort") else ()

    @property
    def sees(self) -> bool:
        """Whether litellm knows that the model takes pictures."""
        return bool(self._facts.get("supports_vision"))

    def reading(self, picture: ReadPicture) -> LitellmModel:
        """This model, with the pictures of its requests read by ``picture``."""
        model = copy.copy(self)
        model._read = picture  # noqa: SLF001 - a copy of itself
        return model

    def ceiling(self, ask: Ask, prices: Mapping[str, float] | None = None) -> Usage:
        """The most that a request can use, at these ``prices`` or its own."""
        prices = self.prices() if prices is None else prices
        sent = ask if self._held(ask) else replace(ask, reply_schema="")
        prompt, answer = prompt_bound(sent, self._count), self._room(ask)
        per_prompt = highest_price(prices, "input", prompt, marked=self._marks)
        per_answer = highest_price(prices, "output", prompt)
        usd = None
        if per_prompt is not None and per_answer is not None:
            most = highest_factor(self._facts) if self._own_prices else 1.0
            usd = most * (prompt * per_prompt + answer * per_answer)
        return Usage(prompt, answer, usd, requests=self._retry.tries)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """Ask once, and again while the vendor is busy and the retry policy allows it. Raises
        :class:`ModelBusy`, :class:`ModelRefused`, and :class:`BudgetSpent` once ``within`` is over:
        a pending answer is not waited for. An answer with no text is one, and is charged.
        """
        begun, where = self._timing.clock(), f"step {ask.purpose}"
        tries = int(max(1, min(self._breaker.tries(self._retry.tries), within.requests)))
        self._wait_with_others(begun, within, where)
        for attempt in range(1, tries + 1):
            within.check(where)
            try:
                response = bounded(lambda: self._once(ask, within), within, where)
            except self._failures as error:
                changed = self._refused_names(error, ask) if attempt < tries else frozenset[str]()
                if changed:
                    self._unlike |= changed
                    continue
                self._wait_or_raise(error, ask, attempt, tries, begun, within)
            else:
                self._breaker.succeeded()
                return self._reply(response, ask, attempt)
        raise AssertionError("the loop returns or raises in its last iteration")

    def _wait_or_raise(
        self, error: Exception, ask: Ask, attempt: int, tries: int, begun: float, within: Deadline
    ) -> None:
        """Wait before the next request; raise what its caller gets where none follows."""
        failure = translate_failure(
            error, self.name, ask.purpose, attempt, self._environ, self._server
        )
        failure.asked = attempt
        pause = self._pause(error, attempt)
        if pause >= within.left:
            raise within.spent(f"step {ask.purpose}") from None
        over = self._timing.clock() - begun + pause > self._retry.total
        if over or attempt == tries or not isinstance(failure, ModelBusy):
            if isinstance(failure, ModelBusy) and attempt < within.requests:
                self._breaker.failed()  # where the budget ended the retries, the server may be well
            raise failure from None  # the cause holds the request, and that holds the key
        self._breaker.wait_until(self._timing.clock() + pause)
        self._timing.tell(waiting_line(self.name, failure, pause, attempt + 1, tries))
        self.rest(pause, within, f"step {ask.purpose}")

    def rest(self, pause: float, within: Deadline, where: str) -> None:
        """Wait; a stop is seen at once. Raises as :meth:`Deadline.check`."""
        while pause > 0:
            step = pause if within.stop is None else min(pause, _A_WHILE)
            self._timing.sleep(step)
            within.check(where)
            pause -= step

    def _wait_with_others(self, now: float, within: Deadline, where: str) -> None:
        """Wait as long as the server asked another caller to."""
        pause = self._breaker.wait_at(now)
        if pause >= within.left:
            raise within.spent(where)
        if pause:
            self._timing.tell(f"waiting for {self.name}, {where}: busy; asking in {pause:.0f} s")
            self.rest(pause, within, where)

    def _once(self, ask: Ask, within: Deadline) -> Any:
        """One request, with litellm's retries and those of its HTTP client disabled. A body whose
        text comes in parts, which litellm takes for an error, is an answer; one that holds an error is none.
        """
        seen: list[Any] = []
        server: dict[str, Any] = {}
        if self._own and self._server:
            # Only a server that the user named gets the step; vendors do not.
            server = {
                "api_base": self._server.address,
                "extra_headers": {"X-Aisci-Purpose": ask.purpose},
            }
            server["api_key"] = self._environ.get("OPENAI_API_KEY") or "none"
        try:
            response = self._litellm.completion(
                model=self.name,
                messages=self._messages(ask),
                timeout=min(self._retry.timeout, within.left),
                max_retries=0,
                num_retries=0,
                drop_params=True,  # some models take no temperature
                logger_fn=lambda call: seen.append(call.get("original_response")),
                **self._sampling(ask),
                **server,
            )
            if fault := next(filter(None, map(error_in_choice, seen)), ""):
                raise self._litellm.InternalServerError(fault, self.provider, self.name)
        except self._failures:
            for body in filter(None, map(joined_parts, seen)):
                with suppress(TypeError, ValueError):
                    return self._litellm.ModelResponse(**body)
            raise
        return response

    def raw_request(self, ask: Ask) -> tuple[dict[str, Any], dict[str, str]]:
        """The body of a request in its vendor's form, and its headers without the key; nothing is sent. Raises
        :class:`ModelRefused` where litellm makes none.
        """
        raw = self._litellm.utils.return_raw_request(
            self._litellm.types.utils.CallTypes.completion,
            {"model": self.name, "messages": self._messages(ask), "drop_params": True,
             **self._sampling(ask)},
        )  # fmt: skip
        body = raw.get("raw_request_body")
        if not isinstance(body, dict):
            raise ModelRefused(
                f"the request cannot be put into the form of {self.name}'s vendor",
                where=f"step {ask.purpose}",
                why=redact(str(raw.get("error")), self._environ)[:300],
                todo="choose another model",
            )
        return body, raw.get("raw_request_headers") or {}

    def reply_from(self, body: dict[str, Any], ask: Ask) -> Reply | None:
        """The reply in the body of an answer in OpenAI's format; None for a body that is no answer."""
        try:
            response = self._litellm.ModelResponse(**body)
        except (TypeError, ValueError):
            return None
        return self._reply(response, ask, 1) if body.get("choices") else None

    def _sampling(self, ask: Ask) -> dict[str, Any]:
        """Temperature, length, effort and the form of the reply, in the names that this model takes."""
        length = "max_completion_tokens" if "max_tokens" in self._unlike else "max_tokens"
        given: dict[str, Any] = {length: self._room(ask)}
        effort = self._effort(ask)
        if effort:
            given["reasoning_effort"] = effort
        # A model that thinks only because it is asked to takes a temperature only where it does not think.
        if takes_sampling(self._facts) and (not effort or thinks(self.name, self._facts)):
            given["temperature"] = ask.temperature
        if ask.reply_schema and self._held(ask):
            given["response_format"] = reply_format(ask.reply_schema)
        return {name: value for name, value in given.items() if name not in self._unlike}

    def _refused_names(self, error: Exception, ask: Ask) -> frozenset[str]:
        """The parameters that the vendor refuses now and that were sent: litellm's list cannot know of a
        model that is newer than it.
        """
        refused = refused_parameters(error) - self._unlike
        sent = self._sampling(ask)
        return frozenset(name for name in refused if name in sent or name == "max_tokens")

    def _reply(self, response: Any, ask: Ask, requests: int) -> Reply:
        choices = getattr(response, "choices", None) or []
        text = choices[0].message.content if choices else None  # None: no text, or reasoning alone
        finish = str(choices[0].finish_reason) if choices else "nothing"
        counted = getattr(response, "usage", None)
        usage = self.ceiling(ask)  # what a server that reports no usage is charged
        if counted is not None:
            prompt, answer = int(counted.prompt_tokens), int(counted.completion_tokens)
            cached, written = cached_of(counted), written_of(counted)
            cost = self._cost(response, prompt, answer, cached, written)
            sizes = (prompt, answer, cached, written, cost or 0.0)
            if all(0 <= one <= MOST_TOKENS for one in sizes) and cached + written <= prompt:
                usage = Usage(prompt, answer, cost, cached, written)
        whole = (text if isinstance(text, str) else "").encode("utf-8", "replace").decode()
        # A lone surrogate is not text; now it is "?".
        usage = replace(usage, requests=requests)
        return Reply(redact(whole, self._environ), usage, self.name, finish[:40])

    def _cost(
        self, response: Any, prompt: int, answer: int, cached: int, written: int
    ) -> float | None:
        """US dollars: as litellm computes them where its prices apply, else tokens times price."""
        cost = response._hidden_params.get("response_cost")  # noqa: SLF001 - its documented place
        prices = self.prices()
        if cost is not None and self._own_prices and (cost or PER_PROMPT in prices):
            return float(cost)  # litellm's zero for a model without a price is no price
        if PER_PROMPT not in prices or PER_COMPLETION not in prices:
            return None
        return cost_of(prices, prompt, answer, cached, written)

    def _messages(self, ask: Ask) -> list[dict[str, Any]]:
        """The messages as vendors take them, with a marker where a cache is to end."""
        said = [chat_message(one, self._read) for one in ask.messages]
        places = marked_places(ask.messages) if self._marks else frozenset[int]()
        return in_turns([with_mark(one) if at in places else one for at, one in enumerate(said)])

    def _count(self, text: str) -> int:
        """Tokens by the tokenizer that litellm brings, whatever the vendor's own is."""
        return int(self._litellm.token_counter(model="", text=text))

    def _effort(self, ask: Ask) -> str:
        """The level that is sent; empty for none."""
        if not ask.effort or "reasoning_effort" in self._unlike:
            return ""
        return effort_taken(ask.effort, self.efforts)

    def _held(self, ask: Ask) -> bool:
        """Whether the reply can be held to a schema."""
        return takes_schema(self.name, self._facts, asked_to_think=bool(self._effort(ask)))

    def _room(self, ask: Ask) -> int:
        """Tokens for the answer, and for what the model thinks before it; at most what it can give."""
        unasked = THINKING if thinks(self.name, self._facts) else 0
        room = ask.max_tokens + THINKING_AT.get(self._effort(ask), unasked)
        most = self._facts.get("max_output_tokens")
        return min(room, most) if isinstance(most, int) else room

    def _pause(self, error: Exception, attempt: int) -> float:
        """Seconds to wait: doubling with jitter, and never less than the vendor asks for."""
        retry = self._retry
        pause: float = min(retry.first_pause * 2 ** (attempt - 1), retry.longest_pause)
        return max(pause * (0.5 + 0.5 * self._timing.jitter()), retry_after(error))


def listed_models(vendor: str) -> dict[str, Mapping[str, Any]]:
    """The entries of litellm's map for a vendor's models that answer in text, by ``VENDOR/MODEL``."""
    entries = _litellm().model_cost.items()
    texts = ((name, one) for name, one in entries if one.get("mode") in {"chat", "responses"})
    mine = ((name, one) for name, one in texts if one.get("litellm_provider") == vendor)
    return {f"{vendor}/{name.removeprefix(f'{vendor}/')}": one for name, one in mine}


def takes_parameter(name: str, parameter: str) -> bool:
    """Whether litellm passes on a parameter of OpenAI's format to that model."""
    if name.partition("/")[0] in SIGNED_IN:
        return False
    return parameter in (_litellm().get_supported_openai_params(name) or ())


def reply_format(schema: str) -> dict[str, Any]:
    """OpenAI's name for a reply that must keep a schema; litellm gives it each vendor's."""
    named = {"name": "reply", "strict": True, "schema": json.loads(schema)}
    return {"type": "json_schema", "json_schema": named}


def _no_picture(sha256: str) -> bytes:
    raise AssertionError(f"no store of pictures is given to the model, and {sha256} is asked for")


def _litellm() -> Any:
    """Import litellm, configured to download nothing, to read no ``.env`` and to print nothing."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    kinds = ("_KEY", "_TOKEN")
    empty = [key for key, value in os.environ.items() if key.endswith(kinds) and not value.strip()]
    for key in empty:
        del os.environ[key]  # litellm takes an empty key for a key
    import litellm  # noqa: PLC0415 - imported only when needed: it takes seconds

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)  # each failure is told once, by us
    # What pydantic says where a vendor's text comes in parts, see `joined_parts`; and of litellm's own types.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    warnings.filterwarnings("ignore", message="Items? .* using the `ReadOnly` qualifier")
    return litellm
