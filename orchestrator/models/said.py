"""What a vendor's error says, where its status alone does not: vendors give one status many meanings."""

from __future__ import annotations

import json
import re
from typing import Any

_TOO_LONG = re.compile(
    r"(?i)maximum context length|exceeds? the (?:context|available context)|context_length_exceeded"
    r"|maximum (?:model|prompt) length|(?:prompt|input) is too long|request[ _]too[ _]large"
)
_NO_MONEY = re.compile(r"(?i)credit balance is too low|insufficient balance|more credits")
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota")
_NO_MEMORY = re.compile(r"(?i)out of memory|requires more system memory|cudaMalloc failed")
_FILTERED = re.compile(r"(?i)content management policy|content_filter|content policy")
_UNSUPPORTED = re.compile(
    r"(?i)unsupported|not support|does not take|deprecated|not allowed|not permitted|unrecognized"
)
_SCHEMA = re.compile(
    r"(?i)response_?format|json_?schema|response_?schema|output_?(?:format|config)|invalid schema"
    r"|json_tool_call|tool_?(?:choice|config)|grammar"
)
"""How a refused schema of the reply is named: by its name at a vendor, or by that of the tool in its place."""
_EFFORT = re.compile(r"(?i)\beffort\b|reasoning_?effort|thinking[_ .]?(?:level|budget|config|type)")
"""How a refused level of effort is named, in OpenAI's words, Anthropic's and Google's."""
_DELAY = re.compile(
    r"(?i)(?:retryDelay\W{1,8}|(?:retry|try again) (?:in|after) )(\d{1,5}(?:\.\d{1,9})?)"
    r"(?:s\b| seconds?\b)"
)
_OF_LITELLM = re.compile(
    r"\A(?:[\w.]{0,60}(?:Error|Exception)(?:: | - | [\w :]{1,40} - )){1,6}", re.ASCII
)


def is_too_long(text: str) -> bool:
    """Whether a request is longer than the model, or the account, takes at once."""
    return bool(_TOO_LONG.search(text))


def is_unpaid(text: str) -> bool:
    """Whether the account has no money left."""
    return bool(_NO_MONEY.search(text))


def is_quota(text: str) -> bool:
    """Whether a quota is exhausted for long. Google says the same words of a minute's quota, with a delay."""
    return bool(_QUOTA.search(text)) and ("PerDay" in text or not said_delay(text))


def is_out_of_memory(text: str) -> bool:
    """Whether a server of the user's own has too little memory for the model."""
    return bool(_NO_MEMORY.search(text))


def is_filtered(text: str) -> bool:
    """Whether a vendor's filter of contents stopped the request."""
    return bool(_FILTERED.search(text))


def unlike(text: str) -> frozenset[str]:
    """The parameters, of those that can be left out or renamed, that a refused request is said to have had."""
    refused = bool(_UNSUPPORTED.search(text))
    named = re.search(r"\btemperature\b", text), re.search(r"\bmax_completion_tokens\b", text)
    names = ("temperature", "max_tokens")
    found = frozenset(name for name, one in zip(names, named, strict=True) if one and refused)
    # "temperature is not supported with reasoning effort high" is about the temperature.
    if refused and not found and _EFFORT.search(text):
        return frozenset({"reasoning_effort"})
    return frozenset({"response_format"}) if _SCHEMA.search(text) else found


def said_delay(text: str) -> float:
    """Seconds that the text of an error asks to wait, as Google's and Azure's do; 0 for none."""
    found = _DELAY.search(text)
    return float(found[1]) if found else 0.0


def vendors_words(text: str) -> str:
    """The message in what litellm makes of a vendor's error: without its own words and the JSON around."""
    message = _message(text[text.find("{") :]) if "{" in text else ""
    return message or _OF_LITELLM.sub("", text, count=1)


def _message(text: str) -> str:
    try:
        body: Any = json.JSONDecoder().raw_decode(text)[0]
    except ValueError:
        return ""
    inner = body.get("error", body)
    said = inner.get("message") if isinstance(inner, dict) else inner
    return said if isinstance(said, str) else ""


def error_in_choice(raw: Any) -> str:
    """What an answer of status 200 says of a failure in the middle of it, as OpenRouter's does; empty for none."""
    try:
        error = json.loads(raw)["choices"][0]["error"]
        return f"{error.get('message') or error}"[:300] if error else ""
    except (TypeError, ValueError, LookupError, AttributeError):
        return ""
