"""One circuit breaker per server: all callers wait when one is asked to; an open one allows one request a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BudgetSpent, ModelBusy, ModelRefused
from orchestrator.core.model import Ask, Message, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.fallback import FallbackModel
from orchestrator.models.litellm import open_model
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.research.loopback.answers import Fail, ServerAnswer
from orchestrator.research.loopback.server import ModelServer
from tests.contracts.model import ModelContract

ASK = Ask(purpose="ideas.propose", messages=(Message("user", "Say hello."),), max_tokens=100)
WAIT = Fail(429, headers=(("Retry-After", "33"),))


class Time:
    """Passes only while a model waits."""

    def __init__(self) -> None:
        self.now, self.broken = 0.0, False
        self.told: list[str] = []

    def sleep(self, seconds: float) -> None:
        if self.broken:
            raise KeyboardInterrupt
        self.now += seconds

    @property
    def timing(self) -> RetryTiming:
        return RetryTiming(
            sleep=self.sleep, clock=lambda: self.now, jitter=lambda: 1.0, tell=self.told.append
        )


def opened(server: ModelServer, time: Time, tries: int = 8) -> LanguageModel:
    environ = {"OPENAI_API_BASE": server.url}
    policy = RetryPolicy(tries=tries)
    return open_model("openai/local", environ=environ, retry=policy, timing=time.timing)


def served(folder: Path, *answers: ServerAnswer) -> ModelServer:
    return ModelServer(answers, folder / "log")


def test_a_pause_that_one_caller_was_asked_for_holds_for_all_and_within_their_time(
    tmp_path: Path,
) -> None:
    with served(tmp_path, WAIT, "Hello.").running() as server:
        slow, other = Time(), Time()
        model = opened(server, slow)
        slow.broken = True
        with pytest.raises(KeyboardInterrupt):
            model.complete(ASK, FOREVER)
        with pytest.raises(BudgetSpent):
            opened(server, other).complete(ASK, Deadline.after(5.0, "idea.wall"))
        assert opened(server, other).complete(ASK, FOREVER).text == "Hello."
        assert other.now == 33.0
        assert "busy; asking in 33 s" in other.told[0]


def test_a_server_that_gave_no_answer_to_a_whole_call_is_asked_once_until_it_answers(
    tmp_path: Path,
) -> None:
    with served(tmp_path, *[Fail(503)] * 5, "Hello.", Fail(503), "Hello.").running() as server:
        time = Time()
        for asked in (4, 1):
            with pytest.raises(ModelBusy) as caught:
                opened(server, time, tries=4).complete(ASK, FOREVER)
            assert caught.value.asked == asked
        assert opened(server, time, tries=4).complete(ASK, FOREVER).text == "Hello."
        reply = opened(server, time, tries=4).complete(ASK, FOREVER)
        assert (reply.text, reply.usage.requests) == ("Hello.", 2)


def test_a_call_makes_no_more_requests_than_the_budget_has_left(tmp_path: Path) -> None:
    with served(tmp_path, Fail(503)).running() as server:
        with pytest.raises(ModelBusy) as caught:
            opened(server, Time()).complete(ASK, Deadline(FOREVER.at, "", requests=3))
        assert caught.value.asked == len(server.requests()) == 3


def test_a_call_that_its_budget_ended_early_says_nothing_about_the_server(tmp_path: Path) -> None:
    with served(tmp_path, Fail(503), Fail(503), "Hello.").running() as server:
        with pytest.raises(ModelBusy):
            opened(server, Time()).complete(ASK, Deadline(FOREVER.at, "", requests=1))
        assert opened(server, Time()).complete(ASK, FOREVER).text == "Hello.", "with its retries"


def test_a_refused_parameter_on_the_last_request_that_is_left_is_the_refusal(
    tmp_path: Path,
) -> None:
    fail = Fail(400, "Unsupported parameter: 'temperature' is not supported with this model.")
    with served(tmp_path, fail).running() as server, pytest.raises(ModelRefused):
        opened(server, Time()).complete(ASK, Deadline(FOREVER.at, "", requests=1))


# --- a model behind another ---------------------------------------------------------------


class Busy:
    """A model whose vendor never answers."""

    name = "busy/model"

    def ceiling(self, ask: Ask) -> Usage:
        return Usage(10, ask.max_tokens, 1.0, requests=4)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        within.check(f"step {ask.purpose}")
        failed = ModelBusy("no answer", where=ask.purpose, why="HTTP 503", todo="wait")
        failed.asked = 4
        raise failed


class TestAFallbackKeepsTheContract(ModelContract):
    @pytest.fixture
    def model(self) -> LanguageModel:
        return FallbackModel(ScriptedModel([ReplyRule(text="Two.", times=0)], "scripted"), Busy())


def test_the_model_behind_answers_while_the_first_ones_vendor_does_not() -> None:
    told: list[str] = []
    model = FallbackModel(Busy(), ScriptedModel(["Hello."], "scripted/behind"), told.append)
    reply = model.complete(ASK, FOREVER)
    assert (model.name, reply.model, reply.text) == ("busy/model", "scripted/behind", "Hello.")
    assert reply.usage.requests == 5
    assert told == ["busy/model gave no answer (HTTP 503): asking scripted/behind"]


def test_the_ceiling_of_a_fallback_is_that_of_the_dearer_model() -> None:
    ceiling = FallbackModel(Busy(), ScriptedModel(["Hello."])).ceiling(ASK)
    assert (ceiling.usd, ceiling.requests) == (1.0, 4)


def test_what_the_first_model_refuses_is_not_asked_of_the_model_behind() -> None:
    refusal = ModelRefused("no", where="there", todo="another")
    behind = ScriptedModel(["never"])
    first = ScriptedModel([ReplyRule(text=refusal)])
    with pytest.raises(ModelRefused):
        FallbackModel(first, behind).complete(ASK, FOREVER)
    assert behind.asks == []


def test_no_request_is_left_for_the_model_behind_where_the_budget_has_none() -> None:
    behind = ScriptedModel(["never"])
    with pytest.raises(ModelBusy):
        FallbackModel(Busy(), behind).complete(ASK, Deadline(FOREVER.at, "", requests=4))
    assert behind.asks == []
