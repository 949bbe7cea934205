"""A model with another behind it, which answers while the first one's vendor does not.

The request in the record names the first model, the reply the one that answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ModelBusy, ModelFailed
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.sanitize import plain_line
from orchestrator.models.failures import RetryPolicy
from orchestrator.models.litellm import LitellmModel
from orchestrator.models.pictures import ReadPicture

PATIENCE = RetryPolicy(tries=4, total=180.0)
"""How long the first model is asked again, where another one stands behind it."""


def _silent(_line: str) -> None:
    pass


class FallbackModel:
    """Implements :class:`orchestrator.core.protocols.LanguageModel`: ``first``, and ``second`` for a
    request that ``first`` gave no answer to. What ``first`` refuses, ``second`` is not asked. ``tell``
    receives a line each time.
    """

    def __init__(
        self, first: LanguageModel, second: LanguageModel, tell: Callable[[str], None] = _silent
    ) -> None:
        self._first, self._second, self._tell = first, second, tell

    @property
    def name(self) -> str:
        return self._first.name

    def reading(self, picture: ReadPicture) -> FallbackModel:
        """This model, with the pictures of its requests read by ``picture``."""
        one, two = (
            model.reading(picture) if isinstance(model, LitellmModel) else model
            for model in (self._first, self._second)
        )
        return FallbackModel(one, two, self._tell)

    def ceiling(self, ask: Ask) -> Usage:
        """The most that either can cost, and the requests of both."""
        one, two = self._first.ceiling(ask), self._second.ceiling(ask)
        known = None if one.usd is None or two.usd is None else max(one.usd, two.usd)
        return Usage(
            max(one.prompt_tokens, two.prompt_tokens),
            max(one.completion_tokens, two.completion_tokens),
            known,
            requests=one.requests + two.requests,
        )

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """The reply of the first that answers. Raises what the last one that is asked raises."""
        try:
            return self._first.complete(ask, within)
        except ModelBusy as busy:
            left = within.requests - busy.asked
            if left < 1:
                raise
            why = plain_line(busy.why, limit=160)
            self._tell(f"{self.name} gave no answer ({why}): asking {self._second.name}")
            return self._behind(ask, replace(within, requests=left), busy.asked)

    def _behind(self, ask: Ask, within: Deadline, asked: int) -> Reply:
        try:
            reply = self._second.complete(ask, within)
        except ModelFailed as failed:
            failed.asked += asked
            raise
        usage = replace(reply.usage, requests=asked + max(1, reply.usage.requests))
        return replace(reply, usage=usage)
