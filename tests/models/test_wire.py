"""What goes over the wire to each vendor: the whole request, and its answer as it is counted and priced.

Each row is one model; what its vendor wants stands beside it and is compared with litellm's map.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.model import Reply
from orchestrator.models.bounds import cost_of
from orchestrator.models.effort import THINKING
from orchestrator.models.litellm import LitellmModel
from tests.support.vendor_rig import KEY, PNG, ROOM, SCHEMA, ask, at, at_loopback, opened
from tests.support.vendor_server import (
    ANSWER,
    CACHED,
    PLAIN,
    REPORTED,
    TEXT,
    WRITTEN,
    Asked,
    VendorServer,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a vendor wants of one model. Places are keys of the body, joined by dots."""

    model: str
    path: str
    key: tuple[str, ...] = ("authorization",)  # the headers that hold it
    sampling: str = ""  # where the temperature stands; empty: it is not sent
    length: str
    thinks: bool = False
    marker: str = ""  # what ends a cached prefix; empty: nothing does
    picture: str = ""  # what stands before a picture's bytes; empty: the model does not see
    schema: str = ""  # where the reply's schema stands; empty: it is not sent


CHAT = "response_format.json_schema.schema"
MESSAGES = "cache_control"
CLAUDE: dict[str, Any] = {
    "length": "max_tokens",
    "marker": MESSAGES,
    "picture": '"media_type": "image/png", "data": "',
}
BEDROCK: dict[str, Any] = {
    "key": (), "length": "inferenceConfig.maxTokens", "marker": "cachePoint", "picture": '"source": {"bytes": "',
}  # fmt: skip
GEMINI: dict[str, Any] = {
    "length": "generationConfig.max_output_tokens", "schema": "generationConfig.response_json_schema",
    "picture": '"inline_data": {"data": "', "thinks": True,
}  # fmt: skip
URL = '"url": "data:image/png;base64,'
AZURE = "/openai/deployments/{}/chat/completions?api-version=2025-04-01-preview"
VERTEX = "/v1/projects/p1/locations/global/publishers"
TOOL = "tools.0.input_schema"
OLD_CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

ROWS = [
    Row(model="openai/gpt-6.1-sol", path="/v1/chat/completions", length="max_completion_tokens", thinks=True,
        marker="prompt_cache_breakpoint", picture=URL, schema=CHAT),
    Row(model="openai/gpt-4o", path="/v1/chat/completions", sampling="temperature", length="max_tokens",
        picture=URL, schema=CHAT),
    Row(model="anthropic/claude-opus-5-5", path="/v1/messages", key=("x-api-key",), thinks=True,
        schema="output_format.schema", **CLAUDE),
    Row(model="anthropic/claude-sonnet-4-5", path="/v1/messages", key=("x-api-key",), sampling="temperature",
        schema="output_format.schema", **CLAUDE),
    Row(model="bedrock/us.anthropic.claude-opus-5-5", path="/model/us.anthropic.claude-opus-5-5/converse",
        thinks=True, **BEDROCK),
    Row(model=f"bedrock/{OLD_CLAUDE}", path=f"/model/{OLD_CLAUDE.replace(':', '%3A')}/converse",
        sampling="inferenceConfig.temperature", schema="outputConfig.textFormat.structure.jsonSchema.schema", **BEDROCK),
    Row(model="bedrock/us.anthropic.claude-haiku-5-5", path="/model/us.anthropic.claude-haiku-5-5/converse",
        thinks=True, schema="toolConfig.tools.0.toolSpec.inputSchema.json", **BEDROCK),
    Row(model="bedrock/invoke/us.anthropic.claude-opus-5-5", path="/model/us.anthropic.claude-opus-5-5/invoke",
        thinks=True, **CLAUDE | {"key": ()}),
    Row(model=f"bedrock/invoke/{OLD_CLAUDE}", path=f"/model/{OLD_CLAUDE}/invoke",
        sampling="temperature", schema="output_config.format.schema", **CLAUDE | {"key": ()}),
    Row(model="bedrock/us.openai.gpt-6.1-sol", path="/openai/v1/chat/completions", key=(),
        length="max_completion_tokens", thinks=True, picture=URL),
    Row(model="vertex_ai/claude-opus-5-5", path=f"{VERTEX}/anthropic/models/claude-opus-5-5:rawPredict",
        key=("authorization", "x-api-key"), thinks=True, schema="output_config.format.schema", **CLAUDE),
    Row(model="vertex_ai/claude-sonnet-4-5", path=f"{VERTEX}/anthropic/models/claude-sonnet-4-5:rawPredict",
        key=("authorization", "x-api-key"), sampling="temperature", schema=TOOL, **CLAUDE),
    Row(model="vertex_ai/gemini-3.8-flash", path=f"{VERTEX}/google/models/gemini-3.8-flash:generateContent",
        **GEMINI),
    Row(model="vertex_ai/gemini-2.5-pro", path=f"{VERTEX}/google/models/gemini-2.5-pro:generateContent",
        sampling="generationConfig.temperature", **GEMINI),
    Row(model="gemini/gemini-4-argon", path="/models/gemini-4-argon:generateContent", key=("x-goog-api-key",),
        sampling="generationConfig.temperature", **GEMINI),
    Row(model="gemini/gemini-3.8-flash", path="/models/gemini-3.8-flash:generateContent", key=("x-goog-api-key",),
        **GEMINI),
    Row(model="deepseek/deepseek-v4-pro", path="/chat/completions", sampling="temperature", length="max_tokens",
        thinks=True, schema=CHAT),
    Row(model="deepseek/deepseek-chat", path="/chat/completions", sampling="temperature", length="max_tokens",
        schema=CHAT),
    Row(model="openrouter/anthropic/claude-opus-5.5", path="/chat/completions", length="max_tokens", thinks=True,
        marker=MESSAGES, picture=URL, schema=CHAT),
    Row(model="openrouter/openai/gpt-4o", path="/chat/completions", sampling="temperature", length="max_tokens",
        picture=URL, schema=CHAT),
    Row(model="azure/gpt-6.1-sol", path=AZURE.format("gpt-6.1-sol"), key=("api-key",),
        length="max_completion_tokens", thinks=True, picture=URL, schema=CHAT),
    Row(model="azure/gpt-4o", path=AZURE.format("gpt-4o"), key=("api-key",), sampling="temperature",
        length="max_tokens", picture=URL, schema=CHAT),
    Row(model="azure/my-deployment", path=AZURE.format("my-deployment"), key=("api-key",), sampling="temperature",
        length="max_tokens"),
    Row(model="ollama/llama3.1", path="/api/generate", key=(), sampling="options.temperature",
        length="options.num_predict"),
    Row(model="ollama_chat/mine", path="/api/chat", key=(), sampling="options.temperature",
        length="options.num_predict"),
    Row(model="hosted_vllm/mine", path="/v1/chat/completions", sampling="temperature", length="max_tokens"),
    Row(model="xai/grok-4.7", path="/chat/completions", sampling="temperature", length="max_tokens", thinks=True,
        picture=URL, schema=CHAT),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer().running() as vendor:
        yield vendor


@pytest.fixture
def vendors(server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> VendorServer:
    """Every vendor's address is this server's, and every key the same."""
    at_loopback(server, monkeypatch)
    server.asked.clear()
    server.refusals.clear()
    return server


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.model)
def test_each_vendor_gets_what_it_wants_and_nothing_else(vendors: VendorServer, row: Row) -> None:
    model = opened(row.model)
    reply = model.complete(ask(model), FOREVER)
    (asked,) = vendors.asked
    assert asked.path == row.path
    sampling_and_length(row, model, asked)
    marks_and_pictures(row, model, asked)
    the_schema(row, model, asked)
    the_key(row, asked)
    what_is_counted(row, model, reply)


def sampling_and_length(row: Row, model: LitellmModel, asked: Asked) -> None:
    body = json.dumps(asked.body)
    if row.sampling:
        assert at(asked.body, row.sampling) == pytest.approx(0.7)
        assert model.facts.get("supports_sampling_params") is not False
    else:
        assert "temperature" not in body
    assert at(asked.body, row.length) == ROOM + (THINKING if row.thinks else 0)
    assert "reasoning_effort" not in body, "how a model thinks is left to it"
    assert '"thinking"' not in body
    assert not {"top_p", "seed", "stop", "n"} & set(asked.body)


def marks_and_pictures(row: Row, model: LitellmModel, asked: Asked) -> None:
    body = json.dumps(asked.body)
    for marker in ("cache_control", "cachePoint", "prompt_cache_breakpoint"):
        assert body.count(f'"{marker}"') == (2 if marker == row.marker else 0)
    assert model.sees is bool(row.picture)
    assert (base64.b64encode(PNG).decode() in body) is bool(row.picture)
    if row.picture:
        assert row.picture + base64.b64encode(PNG).decode() in body


def the_schema(row: Row, model: LitellmModel, asked: Asked) -> None:
    if not row.schema:
        assert "additionalProperties" not in json.dumps(asked.body)
        assert "tools" not in json.dumps(asked.body)
        return
    assert model.facts["supports_response_schema"]
    sent = at(asked.body, row.schema)
    sent = json.loads(sent) if isinstance(sent, str) else sent
    assert sent | {"additionalProperties": False} == SCHEMA


def the_key(row: Row, asked: Asked) -> None:
    assert tuple(sorted(name for name, value in asked.headers.items() if KEY in value)) == row.key
    assert KEY not in asked.path + json.dumps(asked.body)


def what_is_counted(row: Row, model: LitellmModel, reply: Reply) -> None:
    usage, prices = reply.usage, model.prices()
    local = row.model.startswith("ollama")
    cached = 0 if local else CACHED
    written = WRITTEN if row.marker and not row.model.startswith("openrouter") else 0
    assert (reply.text, reply.finish) == (TEXT, "stop")
    assert (usage.prompt_tokens, usage.completion_tokens) == (PLAIN + cached + written, ANSWER)
    assert (usage.cached, usage.written) == (cached, written)
    if row.model.startswith("openrouter"):
        assert usage.usd == pytest.approx(REPORTED), "what it says that it charges"
    elif not prices:
        assert usage.usd is None
    else:
        expected = cost_of(prices, usage.prompt_tokens, ANSWER, cached, written)
        cheaper = 0.5 if "off_peak_pricing" in model.facts else 1.0  # by the hour of the day
        assert usage.usd in (pytest.approx(expected), pytest.approx(expected * cheaper))


def test_a_server_of_ones_own_gets_no_marker_and_a_schema_only_for_a_model_of_the_map(
    vendors: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", f"{vendors.url}/v1")
    for name in ("openai/gpt-6.1-sol", "openai/mine"):
        model = opened(name)
        model.complete(ask(model), FOREVER)
    known, unknown = (asked.body for asked in vendors.asked)
    assert "prompt_cache_breakpoint" not in json.dumps(known)
    assert "cache_control" not in json.dumps(known)
    assert at(known, CHAT) == SCHEMA
    assert set(unknown) == {"model", "messages", "temperature", "max_tokens"}
