"""The values of a policy's keys: each with its form, its rules and its part of the schema."""

from __future__ import annotations

import difflib
import ipaddress
import re
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from orchestrator.core.problems import Form, Invalid
from orchestrator.core.secrets import secret_name, secret_value
from orchestrator.core.units import TIMES, parse_time, quantity, time_text
from orchestrator.policy.seccomp import Profile

# The last label begins with a letter: no spelling of an address does.
_HOST = re.compile(
    r"(?=.{1,253}:)((?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z][a-z0-9-]{1,62}(?<!-):443", re.ASCII
)

RUNTIMES = ("runc", "runsc")
"""The runtimes that the tests of this version cover."""

OBEYED_BY_HOST = ("LD_", "NVIDIA_")
"""Prefixes of variables that the host's part of a container obeys: a policy may not set them."""

# Names that no public name server answers, by their last labels (RFC 2606, 6761, 6762, 7686, 8375,
# 9476, and ICANN's `internal`): the proxy dials public addresses only.
_NEVER_PUBLIC = ("alt", "example", "home.arpa", "internal", "invalid", "local", "localhost",
                 "onion", "test")  # fmt: skip

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY")


def why_not_set(variable: str, network: tuple[str, ...]) -> str:
    """Why this variable is refused for a container that may reach ``network``; empty if it is not."""
    if variable.startswith(OBEYED_BY_HOST):
        return "would change how programs are loaded or which GPUs are lent"
    if network and variable.upper() in _PROXIES:
        return "would bypass the proxy of the allow-list, which sets this variable itself"
    return ""


def _allowed_host(entry: str) -> str:
    host = entry.rsplit(":", 1)[0].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        raise Invalid(f"{entry!r} is an IP address; only host names can be allowed", _HOST_LIKE)
    if "*" in entry:
        raise Invalid(f"{entry!r} is a wildcard; each host is allowed by its full name", _HOST_LIKE)
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", host):
        raise Invalid(f"{entry!r} has one label; such a name is never public", _HOST_LIKE)
    for end in _NEVER_PUBLIC:
        if host.endswith(f".{end}"):
            what = f"{entry!r} can never be public: names below .{end} are reserved"
            raise Invalid(f"{what}, and only public addresses are reached", _HOST_LIKE)
    if not _HOST.fullmatch(entry):
        raise Invalid(f"{entry!r} is not a lower-case host name with port 443", _HOST_LIKE)
    return entry


_HOST_LIKE = "write the name of one host with port 443, such as api.example.org:443"


def _network(value: Any) -> Any:
    """``none`` or ``{allow: [...]}`` as the tuple of allowed hosts; empty means none."""
    if value == "none":
        return ()
    if isinstance(value, dict) and set(value) == {"allow"} and isinstance(value["allow"], list):
        if not all(isinstance(entry, str) for entry in value["allow"]):
            raise Invalid("an entry of `allow` is not text", _HOST_LIKE)
        return tuple(sorted({_allowed_host(entry) for entry in value["allow"]}))
    raise Invalid(
        "is neither none nor a list of allowed hosts",
        'write `network: none` or `network: {allow: ["api.example.org:443"]}`',
    )


def _known_version(version: Any) -> Any:
    if isinstance(version, int) and version != 1:
        what = f"the file is in version {version} of the policy format, and this aisci reads 1"
        raise Invalid(what, "write `version: 1`, or use the aisci that the file was written for")
    return version


def _not_root(user: str) -> str:
    if "0" in {str(int(part)) for part in user.split(":")}:
        raise Invalid("is root (user or group 0)", "use an unprivileged user such as 65534:65534")
    return user


def _tested_runtime(runtime: Any) -> Any:
    """Refuse Kata and the others: that an engine lists a runtime does not show that it isolates."""
    if isinstance(runtime, str) and runtime not in RUNTIMES:
        close = difflib.get_close_matches(runtime, RUNTIMES, n=1)
        what = f"no test of this version covers the runtime {runtime[:40]!r}"
        raise Invalid(what, f"did you mean {close[0]!r}?" if close else "use runc or runsc")
    return runtime


def _no_secrets(env: dict[str, str]) -> dict[str, str]:
    """Names and values, by the one list of secrets; a value is never shown."""
    found = [name for name, value in env.items() if secret_name(name) or secret_value(value)]
    if found:
        looks = "looks like a secret" if len(found) == 1 else "look like secrets"
        raise Invalid(
            f"{', '.join(found)} {looks}; no container gets one", "remove it", (found[0],)
        )
    return dict(sorted(env.items()))


_ENTRY = {"type": "string", "pattern": f"^{_HOST.pattern}$", "examples": ["api.example.org:443"]}
_ALLOW = {
    "type": "object",
    "properties": {"allow": {"type": "array", "items": _ENTRY}},
    "required": ["allow"],
    "additionalProperties": False,
}
_NETWORK = {"anyOf": [{"const": "none"}, _ALLOW]}
Network = Annotated[
    tuple[str, ...],
    BeforeValidator(_network, json_schema_input_type=Annotated[Any, WithJsonSchema(_NETWORK)]),
    PlainSerializer(lambda hosts: {"allow": list(hosts)} if hosts else "none", when_used="json"),
]
_VARIABLE = Form(
    r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
    "variables have letters, digits and underscores, and do not begin with a digit: {}",
    "rename it",
)
Env = Annotated[
    dict[Annotated[str, _VARIABLE], str],
    Field(json_schema_extra={"additionalProperties": False}),
    AfterValidator(_no_secrets),
]
User = Annotated[
    str,
    Form(
        r"^[0-9]{1,7}:[0-9]{1,7}$",
        "is not a numeric user and group: {!r}",
        "write two numbers, such as 65534:65534",
    ),
    Field(json_schema_extra={"not": {"pattern": "^0+:|:0+$"}, "examples": ["65534:65534"]}),
    AfterValidator(_not_root),
]
Runtime = Annotated[Literal["runc", "runsc"], BeforeValidator(_tested_runtime)]
Image = Annotated[
    str,
    Form(
        # A registry may have a port; a digest names one image for ever.
        r"^([a-z0-9][a-z0-9.-]{0,126}:[0-9]{1,5}/)?[a-z0-9][a-z0-9._/-]{0,127}"
        r"(:[A-Za-z0-9][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$",
        "is not the name of an image: {!r}",
        "use a name that `aisci images list` prints, or REGISTRY:PORT/NAME:TAG@sha256:DIGEST of your own",
    ),
]
_Inline = Annotated[Profile, Tag("profile")]
_named_or_whole = Discriminator(lambda value: "name" if isinstance(value, str) else "profile")
Seccomp = Annotated[Annotated[Literal["default"], Tag("name")] | _Inline, _named_or_whole]
"""An effective policy contains the whole profile, so that the hash covers each of its rules."""
_SeccompFile = Annotated[
    str,
    Form(
        r"^(default|[A-Za-z0-9._/-]{1,200}\.json)$",
        "is neither `default` nor the path of a .json file: {!r}",
        "write `seccomp: default` or the path of a profile, such as ./mine.json",
    ),
    Field(examples=["default", "./mine.json"]),
    Tag("name"),
]
SeccompWritten = Annotated[_SeccompFile | _Inline, _named_or_whole]
"""A policy file may name a profile by its path, relative to that policy file."""
ANY_AGE: Final = "any"
"""The value of ``image_age``, and of ``run.gpu_time``, that bounds nothing."""


def _time_or_any(value: Any) -> Any:
    return value if value == ANY_AGE else parse_time(value)


_AGE = {"anyOf": [{"const": ANY_AGE}, quantity(TIMES, ["30d"])]}
_OrAny = PlainSerializer(lambda age: age if age == ANY_AGE else time_text(age), when_used="json")
ImageAge = Annotated[
    float | Literal["any"],
    BeforeValidator(_time_or_any, json_schema_input_type=Annotated[Any, WithJsonSchema(_AGE)]),
    _OrAny,
]
"""Seconds in the program, a text with a unit in the file; or ``any``."""
TimeOrAny = ImageAge
"""A time that need not be bounded, in the same form."""
_Plain = PlainSerializer(
    lambda number: int(number) if number == int(number) else number, when_used="json"
)
# Docker accepts no less than a hundredth of a CPU, and treats zero as no limit.
Cpus = Annotated[float, Field(ge=0.01, le=4096), _Plain]
Count = Annotated[int, Field(ge=1, le=2**53)]
CountOrNone = Annotated[int, Field(ge=0, le=2**53)]
Dollars = Annotated[float, Field(ge=0), _Plain]
Version = Annotated[Literal[1], BeforeValidator(_known_version)]
KeyName = Annotated[
    str,
    Form(
        r"^[a-z0-9][a-z0-9-]{0,63}$",
        "names have up to 64 lower-case letters, digits and dashes, and no dash at the start: {!r}",
        "rename it",
    ),
]
Description = Annotated[str, Field(min_length=1, max_length=400)]
