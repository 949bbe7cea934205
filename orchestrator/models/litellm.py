"""Language models by name: ``scripted/FILE``, or any that litellm knows.

The only importer of litellm, loaded when such a model is opened: the import takes seconds.
Retries, timeouts, prices and secrets are handled here; litellm makes one request at a time.

Longer than 250 lines: a model's way from its name to its reply, in the only file that knows litellm.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline, bounded
from orchestrator.core.errors import MissingKey, ModelBusy, UnknownName
from orchestrator.core.model import SWEEP, Ask, Reply, Usage
from orchestrator.core.problems import nearest
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.secrets import redact
from orchestrator.models.address import server_address
from orchestrator.models.failures import (
    RetryPolicy,
    RetryTiming,
    joined_parts,
    retry_after,
    translate_failure,
    waiting_line,
)
from orchestrator.models.pictures import PICTURE_TOKENS, ReadPicture, chat_message
from orchestrator.models.scripted import ReplyRule, ScriptedModel

PER_PROMPT, PER_COMPLETION = "input_cost_per_token", "output_cost_per_token"
MOST_TOKENS = 10**9  # of one request; a count above it, or below zero, is a server's mistake
MESSAGE_OVERHEAD = 16
"""Tokens that a vendor's chat format may add to each message; the known formats add 3 to 8."""


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
        provider = _provider(litellm, name)
        self._server = server_address(provider, environ)
        self._own = provider == "openai" and self._server is not None
        if not self._own:  # a user's own server may need no key
            _need_key(litellm, name, environ)
        self._facts = _facts(litellm, name, provider)
        self._own_prices = True
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
    def sees(self) -> bool:
        """Whether litellm knows that the model takes pictures."""
        return bool(self._facts.get("supports_vision"))

    def reading(self, picture: ReadPicture) -> LitellmModel:
        """This model, with the pictures of its requests read by ``picture``."""
        model = copy.copy(self)
        model._read = picture  # noqa: SLF001 - a copy of itself
        return model

    def ceiling(self, ask: Ask) -> Usage:
        """The most that a request can use: no token is shorter than a byte."""
        prompt = sum(
            len(message.content.encode())
            + MESSAGE_OVERHEAD
            + sum(PICTURE_TOKENS + len(picture.name.encode()) for picture in message.pictures)
            for message in ask.messages
        )
        answer = self._room(ask)
        per_prompt, per_answer = self._highest_price("input"), self._highest_price("output")
        if per_prompt is None or per_answer is None:
            return Usage(prompt, answer, None)
        return Usage(prompt, answer, prompt * per_prompt + answer * per_answer)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """Ask once, and again while the vendor is busy and the retry policy allows it. Raises
        :class:`ModelBusy`, :class:`ModelRefused`, and :class:`BudgetSpent` once ``within`` is over:
        a pending answer is not waited for. An answer with no text is one, and is charged.
        """
        begun, where = self._timing.clock(), f"step {ask.purpose}"
        for attempt in range(1, self._retry.tries + 1):
            within.check(where)
            try:
                response = bounded(lambda: self._once(ask, within), within, where)
            except self._failures as error:
                failure = translate_failure(
                    error, self.name, ask.purpose, attempt, self._environ, self._server
                )
                pause = self._pause(error, attempt)
                if pause >= within.left:
                    raise within.spent(where) from None
                over = self._timing.clock() - begun + pause > self._retry.total
                if over or attempt == self._retry.tries or not isinstance(failure, ModelBusy):
                    raise failure from None  # the cause holds the request, and that holds the key
                self._timing.tell(
                    waiting_line(self.name, failure, pause, attempt + 1, self._retry.tries)
                )
                self._timing.sleep(pause)
            else:
                return self._reply(response, ask)
        raise AssertionError("the loop returns or raises in its last iteration")

    def _once(self, ask: Ask, within: Deadline) -> Any:
        """One request, with litellm's retries and those of its HTTP client disabled. A body whose
        text comes in parts, which litellm takes for an error, is an answer.
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
            return self._litellm.completion(
                model=self.name,
                messages=[chat_message(one, self._read) for one in ask.messages],
                temperature=ask.temperature,
                max_tokens=self._room(ask),
                timeout=min(self._retry.timeout, within.left),
                max_retries=0,
                num_retries=0,
                drop_params=True,  # some models take no temperature
                logger_fn=lambda call: seen.append(call.get("original_response")),
                **server,
            )
        except self._failures:
            for body in filter(None, map(joined_parts, seen)):
                with suppress(TypeError, ValueError):
                    return self._litellm.ModelResponse(**body)
            raise

    def _reply(self, response: Any, ask: Ask) -> Reply:
        choices = getattr(response, "choices", None) or []
        text = choices[0].message.content if choices else None  # None: no text, or reasoning alone
        finish = str(choices[0].finish_reason) if choices else "nothing"
        counted = getattr(response, "usage", None)
        usage = self.ceiling(ask)  # what a server that reports no usage is charged
        if counted is not None:
            prompt, answer = int(counted.prompt_tokens), int(counted.completion_tokens)
            cost = self._cost(response, prompt, answer)
            if all(0 <= one <= MOST_TOKENS for one in (prompt, answer, cost or 0.0)):
                usage = Usage(prompt, answer, cost)
        whole = (text if isinstance(text, str) else "").encode("utf-8", "replace").decode()
        # A lone surrogate is not text; now it is "?".
        return Reply(redact(whole, self._environ), usage, self.name, finish[:40])

    def _cost(self, response: Any, prompt: int, answer: int) -> float | None:
        """US dollars: as litellm computes them where its prices apply, else tokens times price."""
        cost = response._hidden_params.get("response_cost")  # noqa: SLF001 - its documented place
        if cost is not None and self._own_prices:
            return float(cost)
        prices = self.prices()
        if PER_PROMPT not in prices or PER_COMPLETION not in prices:
            return None
        return prompt * prices[PER_PROMPT] + answer * prices[PER_COMPLETION]

    def _room(self, ask: Ask) -> int:
        """Tokens for the answer: at most what is asked for and what the model can give."""
        most = self._facts.get("max_output_tokens")
        return min(ask.max_tokens, most) if isinstance(most, int) else ask.max_tokens

    def _highest_price(self, kind: str) -> float | None:
        """The highest price of an ``input`` or ``output`` token, whatever tier applies."""
        prices = self.prices()
        if f"{kind}_cost_per_token" not in prices:
            return None
        cached = "cache_creation" if kind == "input" else "output"
        return max(price for key, price in prices.items() if key.startswith((kind, cached)))

    def _pause(self, error: Exception, attempt: int) -> float:
        """Seconds to wait: doubling with jitter, and never less than the vendor asks for."""
        retry = self._retry
        pause: float = min(retry.first_pause * 2 ** (attempt - 1), retry.longest_pause)
        return max(pause * (0.5 + 0.5 * self._timing.jitter()), retry_after(error))


def _no_picture(sha256: str) -> bytes:
    raise AssertionError(f"no store of pictures is given to the model, and {sha256} is asked for")


def _litellm() -> Any:
    """Import litellm, configured to download nothing, to read no ``.env`` and to print nothing."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    empty = [key for key, value in os.environ.items() if key.endswith("_KEY") and not value.strip()]
    for key in empty:
        del os.environ[key]  # litellm takes an empty key for a key
    import litellm  # noqa: PLC0415 - imported only when needed: it takes seconds

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # What pydantic says where a vendor's text comes in parts; see `joined_parts`.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    return litellm


def _provider(litellm: Any, name: str) -> str:
    try:
        return str(litellm.get_llm_provider(name)[1])
    except litellm.exceptions.BadRequestError:
        vendors = tuple(str(vendor.value) for vendor in litellm.provider_list)
        known = vendors if "/" in name else (*litellm.model_cost, SWEEP)
        word = name.partition("/")[0]
        raise UnknownName(
            f"no model is named {name[:100]!r}",
            where="--model",
            why="a name is VENDOR/MODEL, such as anthropic/claude-sonnet-4-5, or builtin/sweep",
            todo=nearest(word, known),
        ) from None


def _need_key(litellm: Any, name: str, environ: Mapping[str, str]) -> None:
    keys = litellm.validate_environment(name)
    missing = [key for key in keys["missing_keys"] if not environ.get(key)]
    if missing and not keys["keys_in_environment"]:
        raise MissingKey(
            f"{name} needs a key that is not in the environment",
            where=f"--model {name}",
            why=f"not set: {', '.join(missing)}",
            todo=f"export {missing[0]}=…; aisci never writes it to disk",
        )


def _facts(litellm: Any, name: str, provider: str) -> dict[str, Any]:
    """litellm's entry for a model: prices, largest answer; empty if it has none."""
    known = (litellm.model_cost.get(key) or {} for key in (name, name.partition("/")[2]))
    return next((dict(facts) for facts in known if facts.get("litellm_provider") == provider), {})
