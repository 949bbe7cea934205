"""What each vendor's errors become: which error of ours, whether it is waited for, and what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import KeyRefused, ModelBusy, ModelFailed, ModelRefused, TooLong
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import LitellmModel, open_model
from tests.support.vendor_errors import (
    RETRY_INFO,
    TOO_MANY,
    a_quota_of,
    anthropic,
    bedrock,
    google,
    ollama,
    openai,
)
from tests.support.vendor_rig import KEY, ask, at, at_loopback
from tests.support.vendor_server import TEXT, Refusal, VendorServer

OWN = "openai/mine"  # at a server of the user's own
VLLM, OLLAMA, CLAUDE = "hosted_vllm/mine", "ollama_chat/mine", "anthropic/claude-opus-5-5"
GPT, GEMINI, AZURE, ROUTER = "openai/gpt-4o", "gemini/gemini-3.8-flash", "azure/gpt-4o", "openrouter/openai/gpt-4o"  # fmt: skip
BEDROCK, DEEPSEEK = "bedrock/us.anthropic.claude-opus-5-5", "deepseek/deepseek-v4-pro"
CHOICE = {"index": 0, "finish_reason": "error", "message": {"role": "assistant", "content": ""}}

NOT_NOW = [
    (VLLM, openai(500, "EngineCore encountered an issue."), 2, "EngineCore"),
    (OWN, openai(503, "Loading model", type="unavailable_error"), 2, "Loading model"),
    (OLLAMA, ollama(503, "server busy, please try again.  maximum pending requests exceeded"), 2, "server busy"),
    (CLAUDE, anthropic(529, "overloaded_error", "Overloaded"), 2, "Overloaded"),
    (GPT, openai(429, "Rate limit reached for gpt-4o. Please try again in 20s.", "rate_limit_exceeded"), 20, "Rate limit"),
    (GEMINI, a_quota_of("Minute", RETRY_INFO), 37, "current quota"),
    (GEMINI, google(503, "UNAVAILABLE", "The model is overloaded."), 2, "overloaded"),
    ("vertex_ai/gemini-3.8-flash", google(429, "RESOURCE_EXHAUSTED", "Resource exhausted."), 2, "exhausted"),
    (BEDROCK, bedrock(429, "ThrottlingException", "Too many requests, please wait."), 2, "Too many requests"),
    (BEDROCK, bedrock(424, "ModelErrorException", "The model returned an error: timeout"), 2, "timeout"),
    (AZURE, openai(429, "Requests have exceeded token rate limit. Please retry after 43 seconds.", "429"), 43, "rate"),
    (ROUTER, Refusal(200, {"error": {"message": "Provider returned error", "code": 429}}), 2, "Provider"),
    (ROUTER, Refusal(200, {"id": "g", "error": {"message": "Provider disconnected", "code": 502}}), 2, "Provider"),
    (ROUTER, Refusal(200, {"id": "g", "choices": [CHOICE | {"error": {"code": 502, "message": "It broke"}}]}), 2, "It broke"),
]  # fmt: skip


REFUSED = [
    (VLLM, openai(400, TOO_MANY), TooLong, "larger context"),
    (VLLM, openai(400, "The decoder prompt (length 9000) is longer than the maximum model length of 8192."), TooLong, "larger"),
    (OWN, Refusal(400, {"object": "error", "message": TOO_MANY, "code": 400}), TooLong, "larger context"),
    (OWN, openai(400, "the request exceeds the available context size.", type="exceed_context_size_error"), TooLong, "larger"),
    (OLLAMA, ollama(400, "input length exceeds the context length"), TooLong, "larger context"),
    (CLAUDE, anthropic(400, "invalid_request_error", "prompt is too long: 1001234 tokens > 1000000 maximum"), TooLong, "larger"),
    (CLAUDE, anthropic(413, "request_too_large", "Request exceeds the maximum size"), TooLong, "larger context"),
    (GPT, openai(400, "Your input exceeds the context window of this model.", "context_length_exceeded"), TooLong, "larger"),
    (GPT, openai(429, "Request too large for gpt-4o on tokens per min (TPM): Limit 3, Requested 5."), TooLong, "larger"),
    (GEMINI, google(400, "INVALID_ARGUMENT", "The input token count (12) exceeds the maximum number of tokens allowed (10)."), TooLong, "larger"),
    (BEDROCK, bedrock(400, "ValidationException", "Input is too long for requested model."), TooLong, "larger"),
    (ROUTER, openai(400, "This endpoint's maximum context length is 10 tokens."), TooLong, "larger context"),
    ("xai/grok-4.7", Refusal(400, {"code": "Invalid", "error": "This model's maximum prompt length is 10"}), TooLong, "larger"),
    (GPT, openai(429, "You exceeded your current quota.", "insufficient_quota"), KeyRefused, "quota is exhausted"),
    (GPT, openai(401, f"Incorrect API key provided: {KEY}.", "invalid_api_key"), KeyRefused, "check the key"),
    (CLAUDE, anthropic(401, "authentication_error", "invalid x-api-key"), KeyRefused, "check the key"),
    (CLAUDE, anthropic(400, "invalid_request_error", "Your credit balance is too low."), KeyRefused, "no money"),
    (GEMINI, a_quota_of("Day", RETRY_INFO), KeyRefused, "quota is exhausted"),
    (GEMINI, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), KeyRefused, "check the key"),
    (BEDROCK, bedrock(403, "AccessDeniedException", "You don't have access to the model."), KeyRefused, "account may use"),
    (ROUTER, openai(402, "This request requires more credits, or fewer max_tokens."), KeyRefused, "no money"),
    (DEEPSEEK, openai(402, "Insufficient Balance"), KeyRefused, "no money"),
    (VLLM, openai(404, "The model `mine` does not exist."), ModelRefused, "model's name"),
    (OLLAMA, ollama(404, "model 'mine' not found"), ModelRefused, "model's name"),
    (OLLAMA, ollama(500, "model requires more system memory (9.0 GiB) than is available (6.1 GiB)"), ModelRefused, "too little memory"),
    (VLLM, openai(500, "CUDA out of memory. Tried to allocate 20.00 MiB."), ModelRefused, "too little memory"),
    (AZURE, openai(404, "The API deployment for this resource does not exist.", "DeploymentNotFound"), ModelRefused, "model's name"),
    (AZURE, openai(400, "The prompt triggered Azure OpenAI's content management policy.", "content_filter"), ModelRefused, "filter of contents"),
    (BEDROCK, bedrock(404, "ResourceNotFoundException", "Could not resolve the foundation model."), ModelRefused, "model's name"),
]  # fmt: skip

SCHEMA_REFUSED = [
    (DEEPSEEK, openai(400, "This response_format type is unavailable now")),
    (GPT, openai(400, "Invalid schema for response_format 'reply': In context=(), …", param="response_format")),
    (CLAUDE, anthropic(400, "invalid_request_error", "output_format.schema: is too complex")),
    (GEMINI, google(400, "INVALID_ARGUMENT", "generation_config.response_json_schema: unsupported")),
    ("bedrock/us.anthropic.claude-haiku-5-5", bedrock(400, "ValidationException", "toolConfig.toolChoice: not taken")),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer().running() as vendor:
        yield vendor


class Bench:
    """A model whose vendor refuses, and the pauses that it made."""

    def __init__(self, server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> None:
        at_loopback(server, monkeypatch)
        server.asked.clear()
        self.server, self.pauses, self._set = server, list[float](), monkeypatch.setenv

    def open(self, name: str, *refusals: Refusal) -> LitellmModel:
        self.server.refusals[:] = refusals
        if name == OWN:
            self._set("OPENAI_API_BASE", f"{self.server.url}/v1")
        timing = RetryTiming(sleep=self.pauses.append, clock=lambda: 0.0, jitter=lambda: 1.0)
        model = open_model(name, environ=os.environ, retry=RetryPolicy(tries=2), timing=timing)
        assert isinstance(model, LitellmModel)
        return model.reading(lambda _: b"\x89PNG")

    def fail(self, name: str, refusal: Refusal) -> ModelFailed:
        model = self.open(name, refusal, refusal)
        with pytest.raises(ModelFailed) as caught:
            model.complete(ask(model), FOREVER)
        return caught.value


@pytest.fixture
def bench(server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(server, monkeypatch)


@pytest.mark.parametrize(("name", "refusal", "pause", "said"), NOT_NOW)
def test_what_waiting_helps_is_asked_again_after_the_time_that_is_asked_for(
    bench: Bench, name: str, refusal: Refusal, pause: float, said: str
) -> None:
    failed = bench.fail(name, refusal)
    assert isinstance(failed, ModelBusy)
    assert bench.pauses == [pause]
    assert said in failed.why
    assert "litellm" not in failed.why


@pytest.mark.parametrize(("name", "refusal", "kind", "todo"), REFUSED)
def test_what_waiting_does_not_help_is_told_at_once_with_what_to_do(
    bench: Bench, name: str, refusal: Refusal, kind: type[ModelFailed], todo: str
) -> None:
    failed = bench.fail(name, refusal)
    assert type(failed) is kind
    assert todo in failed.todo
    assert (bench.pauses, len(bench.server.asked)) == ([], 1)
    assert "litellm" not in failed.why
    assert "{" not in failed.why
    assert KEY not in str(failed)


@pytest.mark.parametrize(("name", "refusal"), SCHEMA_REFUSED)
def test_a_schema_that_is_refused_is_left_out_from_then_on(
    bench: Bench, name: str, refusal: Refusal
) -> None:
    model = bench.open(name, refusal)
    for _ in range(2):
        assert model.complete(ask(model), FOREVER).text == TEXT
    sent = ["additionalProperties" in str(one.body) or "toolSpec" in str(one.body) for one in bench.server.asked]  # fmt: skip
    assert sent == [True, False, False]
    assert bench.pauses == []


def test_a_refusal_that_names_a_schema_is_not_asked_again_where_none_was_sent(bench: Bench) -> None:
    failed = bench.fail(OWN, openai(400, "Invalid schema for response_format"))
    assert type(failed) is ModelRefused
    assert len(bench.server.asked) == 1
    assert at(bench.server.asked[0].body, "response_format") is None
