"""Errors as vendors and servers of one's own write them: status, body and headers."""

from __future__ import annotations

from typing import Any

from tests.support.vendor_server import Refusal


def openai(status: int, message: str, code: str | None = None, **more: Any) -> Refusal:
    """OpenAI's form, which vLLM, llama.cpp, DeepSeek, OpenRouter and Azure have too."""
    return Refusal(status, {"error": {"message": message, "type": "x", "code": code, **more}})


def anthropic(status: int, kind: str, message: str) -> Refusal:
    return Refusal(status, {"type": "error", "error": {"type": kind, "message": message}})


def google(status: int, word: str, message: str, *details: dict[str, Any]) -> Refusal:
    error = {"code": status, "message": message, "status": word, "details": list(details)}
    return Refusal(status, {"error": error})


def bedrock(status: int, kind: str, message: str) -> Refusal:
    return Refusal(status, {"message": message}, (("x-amzn-errortype", kind),))


def ollama(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": message})


def a_quota_of(period: str, *details: dict[str, Any]) -> Refusal:
    """Gemini's exhausted quota: one text for a minute's and a day's."""
    text = "You exceeded your current quota, please check your plan and billing details."
    failure = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": f"GenerateRequestsPer{period}PerProjectPerModel-FreeTier"}],
    }
    return google(429, "RESOURCE_EXHAUSTED", text, failure, *details)


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}
TOO_MANY = "This model's maximum context length is 8192 tokens. However, you requested 9216 tokens."
