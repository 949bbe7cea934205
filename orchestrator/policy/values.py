"""The values of a policy's keys: each with its form, its rules and what the schema says of it."""

from __future__ import annotations

import difflib
import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from orchestrator.policy.seccomp import Profile

_NAME = r"[a-z0-9][a-z0-9-]{0,63}"
# The last label begins with a letter: no spelling of an address does.
_HOST = re.compile(
    r"(?=.{1,253}:)((?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z][a-z0-9-]{1,62}(?<!-):443", re.ASCII
)
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)

RUNTIMES = ("runc", "runsc")
"""The runtimes that this version's tests were run under."""

OBEYED_BY_HOST = ("LD_", "NVIDIA_")
"""Beginnings of variables that the host's side of a container obeys: never a policy's to set."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY")


def why_not_set(variable: str, network: tuple[str, ...]) -> str:
    """Why a container that may reach ``network`` is not given this variable; empty if it is."""
    if variable.startswith(OBEYED_BY_HOST):
        return "would change how programs are loaded or which GPUs are lent"
    if network and variable.upper() in _PROXIES:
        return "would lead past the allow-list's proxy, which sets it itself"
    return ""


def _allowed_host(entry: str) -> str:
    host = entry.rsplit(":", 1)[0].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        raise ValueError(f"{entry!r} is an IP address; only host names can be allowed")
    if "*" in entry:
        raise ValueError(f"{entry!r} is a wildcard; each host is allowed by its whole name")
    if not _HOST.fullmatch(entry):
        raise ValueError(
            f"{entry!r} is not a lower-case host name with port 443, like api.example.org:443"
        )
    return entry


def _network(value: Any) -> Any:
    """``none`` or ``{allow: [...]}`` to the tuple of what may be reached; empty means nothing."""
    if value == "none":
        return ()
    if isinstance(value, dict) and set(value) == {"allow"} and isinstance(value["allow"], list):
        if not all(isinstance(entry, str) for entry in value["allow"]):
            raise ValueError("each entry of `allow` is a text like api.example.org:443")
        return tuple(sorted({_allowed_host(entry) for entry in value["allow"]}))
    raise ValueError('is neither none nor {allow: ["host.example.org:443"]}')


def _network_text(hosts: tuple[str, ...]) -> str | dict[str, list[str]]:
    return {"allow": list(hosts)} if hosts else "none"


def _not_root(user: str) -> str:
    if "0" in {str(int(part)) for part in user.split(":")}:
        raise ValueError("is root (user or group 0); name an unprivileged user such as 65534:65534")
    return user


def _shown_to_hold(runtime: Any) -> Any:
    """Kata and all the others: an engine's word that a runtime is there says nothing of it."""
    if isinstance(runtime, str) and runtime not in RUNTIMES:
        close = difflib.get_close_matches(runtime, RUNTIMES, n=1)
        raise ValueError(
            f"is {runtime!r}, and no test of this version shows that it holds; "
            "runc and runsc can be used" + (f"; did you mean {close[0]!r}?" if close else "")
        )
    return runtime


def _no_secrets(env: dict[str, str]) -> dict[str, str]:
    for name in env:
        if _SECRET.search(name):
            raise ValueError(f"{name} looks like a secret; no container ever gets one")
    return dict(sorted(env.items()))


_NETWORK = {
    "anyOf": [
        {"const": "none"},
        {
            "type": "object",
            "properties": {
                "allow": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        "pattern": f"^{_HOST.pattern}$",
                        "examples": ["api.example.org:443"],
                    },
                }
            },
            "required": ["allow"],
            "additionalProperties": False,
        },
    ]
}
Network = Annotated[
    tuple[str, ...],
    BeforeValidator(_network, json_schema_input_type=Annotated[Any, WithJsonSchema(_NETWORK)]),
    PlainSerializer(_network_text, when_used="json"),
]
Env = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], str],
    Field(json_schema_extra={"additionalProperties": False}),
    AfterValidator(_no_secrets),
]
User = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,7}:[0-9]{1,7}$",
        json_schema_extra={"not": {"pattern": "^0+:|:0+$"}, "examples": ["65534:65534"]},
    ),
    AfterValidator(_not_root),
]
Runtime = Annotated[Literal["runc", "runsc"], BeforeValidator(_shown_to_hold)]
Image = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9._/-]{0,127}(:[A-Za-z0-9][A-Za-z0-9._-]{0,127})?$")
]
_Inline = Annotated[Profile, Tag("profile")]
_named_or_whole = Discriminator(lambda value: "name" if isinstance(value, str) else "profile")
Seccomp = Annotated[Annotated[Literal["default"], Tag("name")] | _Inline, _named_or_whole]
"""In an effective policy a profile stands in full, so that its every rule is in the hash."""
_SeccompFile = Annotated[
    str,
    Field(pattern=r"^(default|[A-Za-z0-9._/-]{1,200}\.json)$", examples=["default", "./mine.json"]),
    Tag("name"),
]
SeccompWritten = Annotated[_SeccompFile | _Inline, _named_or_whole]
"""In a file it may be named, and is looked for beside that file."""
_Plain = PlainSerializer(
    lambda number: int(number) if number == int(number) else number, when_used="json"
)
# Docker takes no less than a hundredth of a CPU, and would take nothing at all for no limit.
Cpus = Annotated[float, Field(ge=0.01, le=4096), _Plain]
Count = Annotated[int, Field(ge=1, le=2**53)]
CountOrNone = Annotated[int, Field(ge=0, le=2**53)]
Dollars = Annotated[float, Field(ge=0), _Plain]
Name = Annotated[str, Field(pattern=f"^{_NAME}$")]
Description = Annotated[str, Field(min_length=1, max_length=400)]
Exceeds = Annotated[dict[str, Description], Field(max_length=64)]
