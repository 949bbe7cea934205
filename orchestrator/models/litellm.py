"""Language models by name: ``scripted/FILE``, or any that litellm knows.

The sole importer of litellm, and only when such a model is opened: it takes seconds. Retries,
time-outs, prices and secrets are handled here once; litellm gets one try at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BadReply, MissingKey, ModelBusy, UnknownName
from orchestrator.core.model import SWEEP, Ask, Reply, Usage
from orchestrator.core.problems import nearest
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.waiting import bounded
from orchestrator.models.failures import retry_after, translate_failure
from orchestrator.models.patience import RetryPolicy, RetryTiming
from orchestrator.models.redact import redact
from orchestrator.models.scripted import ReplyRule, ScriptedModel

PER_PROMPT, PER_COMPLETION = "input_cost_per_token", "output_cost_per_token"
MESSAGE_OVERHEAD = 16
"""Tokens that a vendor's chat format may add to each message; the known formats add 3 to 8."""


def open_model(
    name: str,
    *,
    environ: Mapping[str, str],
    replies: Iterable[ReplyRule | str] | None = None,
    prices: Mapping[str, float] | None = None,
    patience: RetryPolicy | None = None,
    world: RetryTiming | None = None,
) -> LanguageModel:
    """The model of that name, ready; nothing is asked of it and nothing spent.

    ``environ`` is the process's own. ``replies`` are for ``scripted/…`` in place of its file.
    ``prices`` (as of :meth:`LitellmModel.prices`) take the place of litellm's own.
    Raises :class:`UnknownName`, :class:`MissingKey`, :class:`BadFile`.
    """
    kind, _, rest = name.partition("/")
    if kind == "scripted":
        return (
            ScriptedModel(replies, name) if replies else ScriptedModel.from_file(Path(rest), name)
        )
    litellm = _litellm()
    provider = _provider(litellm, name)
    _need_key(litellm, name, provider, environ)
    model = LitellmModel(
        litellm, name, provider, environ, patience or RetryPolicy(), world or RetryTiming()
    )
    if prices:
        model.charge(prices)
    return model


class LitellmModel:
    """One model of one vendor, through litellm. Made by :func:`open_model`."""

    def __init__(
        self,
        litellm: Any,
        name: str,
        provider: str,
        environ: Mapping[str, str],
        patience: RetryPolicy,
        world: RetryTiming,
    ) -> None:
        self._litellm, self._name, self._environ = litellm, name, environ
        self._patience, self._world = patience, world
        self._facts = _facts(litellm, name, provider)
        self._own_prices = True
        self._failures = tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES)
        base = environ.get("OPENAI_API_BASE") or environ.get("OPENAI_BASE_URL")
        self._server = base if provider == "openai" else None

    @property
    def name(self) -> str:
        """The name as it was asked for, vendor included."""
        return self._name

    def prices(self) -> dict[str, float]:
        """US dollars per token from litellm's own list, by kind; empty where it has none."""
        return {
            key: float(value)
            for key, value in sorted(self._facts.items())
            if "cost_per_token" in key or key.endswith("_token_cost")
            if isinstance(value, int | float)
        }

    def charge(self, prices: Mapping[str, float]) -> None:
        """Reckon by ``prices``, where they are not litellm's own of today."""
        if dict(prices) != self.prices():
            known = {key: value for key, value in self._facts.items() if key not in self.prices()}
            self._facts, self._own_prices = known | dict(prices), False

    def ceiling(self, ask: Ask) -> Usage:
        """No token is shorter than a byte, so the request's bytes bound its tokens."""
        prompt = sum(len(one.content.encode()) + MESSAGE_OVERHEAD for one in ask.messages)
        answer = self._room(ask)
        dearest = [self._dearest("input"), self._dearest("output")]
        if dearest[0] is None or dearest[1] is None:
            return Usage(prompt, answer, None)
        return Usage(prompt, answer, prompt * dearest[0] + answer * dearest[1])

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """One answer, asked for again while the vendor is busy and ``patience`` lasts.

        Raises :class:`ModelBusy`, :class:`ModelRefused`, :class:`BadReply`, and
        :class:`BudgetSpent` once ``within`` is over: an answer under way is not waited for.
        """
        begun, where = self._world.clock(), f"step {ask.purpose}"
        for attempt in range(1, self._patience.tries + 1):
            within.check(where)
            try:
                response = bounded(lambda: self._once(ask, within), within, where)
            except self._failures as problem:
                failure = translate_failure(
                    problem, self._name, ask.purpose, attempt, self._environ
                )
                pause = self._pause(problem, attempt)
                if pause >= within.left:
                    raise within.spent(where) from None
                over = self._world.clock() - begun + pause > self._patience.total
                last = attempt == self._patience.tries
                if over or last or not isinstance(failure, ModelBusy):
                    raise failure from None  # the cause holds the request, and that the key
                self._world.sleep(pause)
            else:
                return self._reply(response, ask)
        raise AssertionError("the loop returns or raises at its last turn")

    def _once(self, ask: Ask, within: Deadline) -> Any:
        """One request: litellm's own retries are off, and so are the client's below it."""
        server: dict[str, Any] = {}
        if self._server:
            # A server that the user named may log which step asks; vendors are not told.
            server = {"api_base": self._server, "extra_headers": {"X-Aisci-Purpose": ask.purpose}}
            server["api_key"] = self._environ.get("OPENAI_API_KEY") or "none"
        return self._litellm.completion(
            model=self._name,
            messages=[{"role": one.role, "content": one.content} for one in ask.messages],
            temperature=ask.temperature,
            max_tokens=self._room(ask),
            timeout=min(self._patience.timeout, within.left),
            max_retries=0,
            num_retries=0,
            drop_params=True,  # some models take no temperature
            **server,
        )

    def _reply(self, response: Any, ask: Ask) -> Reply:
        choices = getattr(response, "choices", None) or []
        text = choices[0].message.content if choices else None
        finish = str(choices[0].finish_reason) if choices else "nothing"
        if not isinstance(text, str) or not text.strip():
            raise BadReply(
                f"{self._name} answered with no text",
                where=f"step {ask.purpose}",
                why=f"the vendor's reason for its end is {finish[:40]!r}",
                todo="resume to ask again; if it repeats, choose another model",
            )
        counted = getattr(response, "usage", None)
        usage = self.ceiling(ask)  # what a server that counts nothing is charged
        if counted is not None:
            prompt, answer = int(counted.prompt_tokens), int(counted.completion_tokens)
            usage = Usage(prompt, answer, self._cost(response, prompt, answer))
        whole = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text
        return Reply(redact(whole, self._environ), usage, self._name, finish[:40])

    def _cost(self, response: Any, prompt: int, answer: int) -> float | None:
        """US dollars: as litellm reckons where its prices hold, else tokens times price."""
        if not self._own_prices:
            prices = self.prices()
            return prompt * prices[PER_PROMPT] + answer * prices[PER_COMPLETION]
        cost = response._hidden_params.get("response_cost")  # noqa: SLF001 - its documented place
        return None if cost is None else float(cost)

    def _room(self, ask: Ask) -> int:
        """Tokens for the answer: no more than asked for, nor than the model can give."""
        most = self._facts.get("max_output_tokens")
        return min(ask.max_tokens, most) if isinstance(most, int) else ask.max_tokens

    def _dearest(self, kind: str) -> float | None:
        """The highest price of an ``input`` or ``output`` token, whatever tier applies."""
        prices = self.prices()
        if f"{kind}_cost_per_token" not in prices:
            return None
        cached = "cache_creation" if kind == "input" else "output"
        return max(price for key, price in prices.items() if key.startswith((kind, cached)))

    def _pause(self, problem: Exception, attempt: int) -> float:
        """Seconds to wait: doubling with jitter, and never less than the vendor asks for."""
        patience = self._patience
        pause: float = min(patience.first_pause * 2 ** (attempt - 1), patience.longest_pause)
        return max(pause * (0.5 + 0.5 * self._world.jitter()), retry_after(problem))


def _litellm() -> Any:
    """litellm, told to fetch nothing, to read no ``.env`` and to print nothing."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    for name in [name for name in os.environ if name.endswith("_KEY")]:
        if not os.environ[name].strip():
            del os.environ[name]  # litellm takes an empty key for one
    import litellm  # noqa: PLC0415 - seconds of import, for those only who need it

    litellm.suppress_debug_info = True
    litellm.telemetry = False
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


def _need_key(litellm: Any, name: str, provider: str, environ: Mapping[str, str]) -> None:
    if provider == "openai" and (environ.get("OPENAI_API_BASE") or environ.get("OPENAI_BASE_URL")):
        return  # a server of the user's own may want no key
    found = litellm.validate_environment(name)
    missing = [key for key in found["missing_keys"] if not environ.get(key)]
    if missing and not found["keys_in_environment"]:
        raise MissingKey(
            f"{name} needs a key that is not in the environment",
            where=f"--model {name}",
            why=f"not set: {', '.join(missing)}",
            todo=f"export {missing[0]}=…; it stays in this process and is never written",
        )


def _facts(litellm: Any, name: str, provider: str) -> dict[str, Any]:
    """What litellm's own list says of a model: prices, largest answer; empty if unknown."""
    for key in (name, name.partition("/")[2]):
        facts = litellm.model_cost.get(key)
        if facts and facts.get("litellm_provider") == provider:
            return dict(facts)
    return {}
