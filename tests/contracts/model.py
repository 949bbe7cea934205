"""What every language model promises its callers; test files run it on each of ours.

A test class derives from :class:`ModelContract` and gives ``model``: a model that answers the
request :data:`QUESTION` with a text.
"""

from __future__ import annotations

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import canonical

QUESTION = Ask(
    purpose="contract.question",
    messages=(Message("system", "You answer."), Message("user", "What is ½ of four? 🙂")),
    max_tokens=200,
)


class ModelContract:
    """The promises; ``question`` may be replaced where a model answers only certain requests."""

    question = QUESTION

    @pytest.fixture
    def model(self) -> LanguageModel:
        raise NotImplementedError

    def test_it_has_a_name_that_can_be_printed(self, model: LanguageModel) -> None:
        assert model.name
        assert model.name.isprintable()

    def test_a_reply_is_text_that_can_be_recorded_and_names_its_model(
        self, model: LanguageModel
    ) -> None:
        reply = model.complete(self.question, FOREVER)
        assert isinstance(reply, Reply)
        assert reply.text.strip()
        assert reply.model == model.name
        assert canonical(reply)

    def test_with_no_time_left_it_is_not_asked(self, model: LanguageModel) -> None:
        with pytest.raises(BudgetSpent, match=r"idea\.wall"):
            model.complete(self.question, Deadline.after(0.0, "idea.wall"))

    def test_a_reply_never_costs_more_than_its_ceiling(self, model: LanguageModel) -> None:
        ceiling, usage = model.ceiling(self.question), model.complete(self.question, FOREVER).usage
        if ceiling.completion_tokens:
            assert 0 <= usage.prompt_tokens <= ceiling.prompt_tokens
            assert 0 <= usage.completion_tokens <= ceiling.completion_tokens
        if ceiling.usd is None or usage.usd is None:
            assert ceiling.usd is usage.usd is None
        else:
            assert 0 <= usage.usd <= ceiling.usd

    def test_asking_for_the_ceiling_asks_nobody(self, model: LanguageModel) -> None:
        assert model.ceiling(self.question) == model.ceiling(self.question)

    def test_equal_requests_are_answered_again(self, model: LanguageModel) -> None:
        first, second = (
            model.complete(self.question, FOREVER),
            model.complete(self.question, FOREVER),
        )
        assert first.text.strip()
        assert second.text.strip()
