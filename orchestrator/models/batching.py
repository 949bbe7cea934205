"""A model whose requests can go out as a batch: at half price, answered within a day, mostly within an hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from orchestrator.core.deadline import FOREVER, Deadline, bounded
from orchestrator.core.errors import BudgetSpent, Interrupted, ModelBusy, ModelFailed
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.sanitize import plain_line
from orchestrator.core.secrets import redact
from orchestrator.models.anthropic_batches import AnthropicBatches
from orchestrator.models.batch_http import BatchState, BatchVendor, HttpFailed
from orchestrator.models.bounds import batch_prices, cost_of
from orchestrator.models.failures import RetryTiming, retry_after, translate_failure
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, LitellmModel
from orchestrator.models.openai_batches import OpenaiBatches
from orchestrator.models.pictures import ReadPicture

_T = TypeVar("_T")
FIRST_LOOK, LONGEST_LOOK = 5.0, 120.0
"""Seconds between looks at a batch; each pause is half as long again as the one before."""
TOLD_EVERY = 600.0
"""Seconds after which a person is told again that a batch is waited for."""
_CANCEL = 5.0  # seconds
_TRIES = 4  # of a request that the vendor answers with: busy


def takes_batches(model: object) -> bool:
    """Whether the model's vendor takes batches, and its list has a price for them."""
    return isinstance(model, LitellmModel) and bool(model.batch_vendor)


class BatchingModel:
    """Implements :class:`orchestrator.core.protocols.BatchModel` over a model that takes batches. With ``cancels``
    a batch is cancelled when a person stops the run; what it has answered by then is charged, and collected later.
    """

    def __init__(
        self,
        model: LitellmModel,
        environ: Mapping[str, str],
        timing: RetryTiming,
        *,
        cancels: bool = False,
    ) -> None:
        self._model, self._environ, self._timing = model, environ, timing
        self._cancels = cancels
        address = model.server.address if model.server else ""
        kind = AnthropicBatches if model.batch_vendor == "anthropic" else OpenaiBatches
        key = environ.get(f"{model.batch_vendor.upper()}_API_KEY") or "none"
        self._vendor: BatchVendor = kind(key, address)

    @property
    def name(self) -> str:
        return self._model.name

    def reading(self, picture: ReadPicture) -> BatchingModel:
        """This model, with the pictures of its requests read by ``picture``."""
        model = self._model.reading(picture)
        return BatchingModel(model, self._environ, self._timing, cancels=self._cancels)

    def ceiling(self, ask: Ask) -> Usage:
        """The most that a request of its own can use."""
        return self._model.ceiling(ask)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """A request of its own, at full price."""
        return self._model.complete(ask, within)

    def batch_ceiling(self, ask: Ask) -> Usage:
        """The most that a request of a batch can use."""
        return replace(self._model.ceiling(ask, batch_prices(self._model.prices())), requests=1)

    def send(self, asks: Sequence[Ask], within: Deadline) -> str:
        """Send the batch. Repeated only where the vendor has said that it did not take it."""
        raw = [self._model.raw_request(ask) for ask in asks]
        bodies, headers = [body for body, _ in raw], raw[0][1]
        return self._exchanged(lambda: self._vendor.send(bodies, headers), asks[0], within)

    def collect(
        self, batch: str, asks: Sequence[Ask], within: Deadline
    ) -> tuple[Reply | ModelFailed, ...]:
        """Look at the batch until it has ended, then read its results. A vendor that does not answer a look is
        asked again at the next one.
        """
        try:
            self._wait(batch, asks, within)
        except Interrupted:
            if self._cancels:
                self._cancel(batch)
            raise
        found = self._exchanged(lambda: self._vendor.results(batch), asks[0], within)
        missing = found.get(-1) or HttpFailed(f"no result in the batch {batch}", None)
        return tuple(
            self._result(found.get(number, missing), ask) for number, ask in enumerate(asks)
        )

    def _wait(self, batch: str, asks: Sequence[Ask], within: Deadline) -> None:
        where = f"step {asks[0].purpose}"
        pause, told = FIRST_LOOK, -TOLD_EVERY
        while True:
            within.check(where)
            state = self._look(batch, asks[0], within)
            if state is not None and state.ended:
                return
            now = self._timing.clock()
            if now - told >= TOLD_EVERY:
                told = now
                self._timing.tell(_waiting(self.name, where, batch, state, len(asks)))
            self._model.rest(pause, within, where)
            pause = min(1.5 * pause, LONGEST_LOOK)

    def _cancel(self, batch: str) -> None:
        """Ask once: a stop waits for nothing longer."""
        try:
            bounded(lambda: self._vendor.cancel(batch), Deadline.after(_CANCEL, "a stop"), batch)
        except (HttpFailed, BudgetSpent) as error:
            why = redact(plain_line(str(error), limit=160), self._environ)
            self._timing.tell(f"batch {batch} could not be cancelled: {why}")
        else:
            self._timing.tell(f"batch {batch} is cancelled; what it has answered is charged")

    def _look(self, batch: str, ask: Ask, within: Deadline) -> BatchState | None:
        try:
            return self._exchanged(lambda: self._vendor.state(batch), ask, within)
        except ModelBusy:
            return None

    def _exchanged(self, work: Callable[[], _T], ask: Ask, within: Deadline) -> _T:
        """What the vendor answers; asked again where it is busy. Raises :class:`ModelFailed`."""
        where = f"step {ask.purpose}"
        for attempt in range(1, _TRIES + 1):
            try:
                return bounded(work, within, where)
            except HttpFailed as error:
                failure = self._failure(error, ask, attempt)
                # Without an answer nobody knows whether the batch was taken.
                if not isinstance(failure, ModelBusy) or not error.status_code or attempt == _TRIES:
                    raise failure from None  # the cause could hold the request
                pause = max(FIRST_LOOK * 2 ** (attempt - 1), retry_after(error))
                self._model.rest(pause, within, where)
        raise AssertionError("the loop returns or raises in its last iteration")

    def _result(self, found: dict[str, Any] | HttpFailed, ask: Ask) -> Reply | ModelFailed:
        if isinstance(found, HttpFailed):
            return self._failure(found, ask, 1)
        reply = self._model.reply_from(found, ask)
        if reply is None:
            return self._failure(HttpFailed("a result that is no completion", None), ask, 1)
        usage, prices = reply.usage, batch_prices(self._model.prices())
        if PER_PROMPT in prices and PER_COMPLETION in prices:
            sizes = (usage.prompt_tokens, usage.completion_tokens, usage.cached, usage.written)
            usage = replace(usage, usd=cost_of(prices, *sizes))
        return replace(reply, usage=usage)

    def _failure(self, error: HttpFailed, ask: Ask, tries: int) -> ModelFailed:
        failure = translate_failure(
            error, self.name, ask.purpose, tries, self._environ, self._model.server
        )
        failure.asked = tries
        return failure


def _waiting(name: str, where: str, batch: str, state: BatchState | None, total: int) -> str:
    stands = "no answer to a look" if state is None else f"{state.done} of {total} done"
    word = f", {plain_line(state.word)}" if state else ""
    return f"waiting for {name}, {where}: batch {batch}{word}, {stands}; it may take hours"
