"""Every vendor's models at one server of the tests: variables, keys, and a request of every part."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from orchestrator.core.model import Ask, Message, Picture
from orchestrator.models.litellm import LitellmModel, open_model
from tests.support.vendor_server import VendorServer

KEY = "sk-secret-0123456789abcdef"
PNG = b"\x89PNG\r\n\x1a\n one"
SCHEMA: dict[str, Any] = {
    "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False,
}  # fmt: skip
ROOM = 1000


def at_loopback(server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that litellm reads; OpenAI's own host is reached through a transport that turns off."""
    open_model(
        "openai/gpt-4o", environ={"OPENAI_API_KEY": KEY}
    )  # litellm is set up as we set it up
    import litellm  # noqa: PLC0415 - only models import it, and it takes seconds
    from litellm.llms.vertex_ai.vertex_llm_base import VertexBase  # noqa: PLC0415 - likewise

    addresses = (
        "ANTHROPIC_API_BASE AWS_BEDROCK_RUNTIME_ENDPOINT DEEPSEEK_API_BASE OPENROUTER_API_BASE GEMINI_API_BASE "
        "AZURE_API_BASE OLLAMA_API_BASE XAI_API_BASE VERTEXAI_API_BASE"
    )
    keys = (
        "OPENAI_API_KEY ANTHROPIC_API_KEY AWS_SECRET_ACCESS_KEY DEEPSEEK_API_KEY OPENROUTER_API_KEY GEMINI_API_KEY "
        "AZURE_API_KEY XAI_API_KEY HOSTED_VLLM_API_KEY"
    )
    others = {
        "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_REGION_NAME": "us-east-1", "AZURE_API_VERSION": "2025-04-01-preview",
        "VERTEXAI_PROJECT": "p1", "VERTEXAI_LOCATION": "global", "HOSTED_VLLM_API_BASE": f"{server.url}/v1",
    }  # fmt: skip
    values = dict.fromkeys(addresses.split(), server.url) | dict.fromkeys(keys.split(), KEY)
    for name, value in (values | others).items():
        monkeypatch.setenv(name, value)
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    token = lambda *_, **__: (KEY, "p1")  # noqa: E731 - Google's token, which only Google gives
    monkeypatch.setattr(VertexBase, "_ensure_access_token", token)
    _DIVERTED.port = urlsplit(server.url).port
    monkeypatch.setattr(litellm, "client_session", _CLIENT)


class _Diverted(httpx.HTTPTransport):
    """OpenAI's clients at a port of the tests, with the path and headers that are meant for OpenAI."""

    port: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        return super().handle_request(request)


_DIVERTED = _Diverted()
_CLIENT = httpx.Client(transport=_DIVERTED)  # one for all tests: litellm keeps it


def opened(name: str) -> LitellmModel:
    model = open_model(name, environ=os.environ)
    assert isinstance(model, LitellmModel)
    return model.reading(lambda _: PNG)


def ask(model: LitellmModel) -> Ask:
    """A conversation whose turns end prefixes, with a picture for a model that sees."""
    pictures = (Picture("loss.png", "a" * 64),) if model.sees else ()
    said = (
        Message("system", "You are a scientist."),
        Message("user", "Look.", cache=True, pictures=pictures),
        Message("assistant", "I see."),
        Message("user", "Go on.", cache=True),
    )
    return Ask(purpose="p", messages=said, max_tokens=ROOM, reply_schema=json.dumps(SCHEMA))


def at(body: Any, place: str) -> Any:
    """What stands at a place of a body; None for nothing."""
    for key in place.split("."):
        if isinstance(body, list):
            body = body[int(key)]
        else:
            body = body.get(key) if isinstance(body, dict) else None
    return body
