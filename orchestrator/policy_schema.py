"""What may stand in a policy file: every key, its unit and its rules, once.

A file is validated twice: as written, where every key may be missing (:data:`Written`), and
whole, after inheritance, where none may (:class:`Whole`). Unknown keys are refused in both.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    create_model,
)

from orchestrator.units import Size, Time

_NAME = r"[a-z0-9][a-z0-9-]{0,63}"
_HOST = re.compile(r"(?=.{1,253}:)((?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z0-9-]{2,63}(?<!-):443")
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)

OBEYED_BY_HOST = ("LD_", "NVIDIA_")
"""Beginnings of variables that the host's side of a container obeys: never a policy's to set."""


class Strict(BaseModel):
    """Frozen, no unknown keys, no value turned into another type in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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


def _no_secrets(env: dict[str, str]) -> dict[str, str]:
    for name in env:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
            raise ValueError(f"{name!r} is no name of an environment variable")
        if _SECRET.search(name):
            raise ValueError(f"{name} looks like a secret; no container ever gets one")
    return dict(sorted(env.items()))


Network = Annotated[
    tuple[str, ...], BeforeValidator(_network), PlainSerializer(_network_text, when_used="json")
]
Env = Annotated[dict[str, str], AfterValidator(_no_secrets)]
User = Annotated[str, Field(pattern=r"^\d{1,7}:\d{1,7}$"), AfterValidator(_not_root)]
Image = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9._/-]{0,127}(:[A-Za-z0-9][A-Za-z0-9._-]{0,127})?$")
]
Seccomp = Annotated[str, Field(pattern=r"^(default|[A-Za-z0-9._/-]{1,200}\.json)$")]
_Plain = PlainSerializer(
    lambda number: int(number) if number == int(number) else number, when_used="json"
)
Cpus = Annotated[float, Field(gt=0, le=4096), _Plain]
Count = Annotated[int, Field(ge=1, le=2**53)]
CountOrNone = Annotated[int, Field(ge=0, le=2**53)]
Dollars = Annotated[float, Field(ge=0), _Plain]


class Resources(Strict):
    """What one container may use while it runs: CPUs, bytes of memory, processes, files."""

    cpus: Cpus
    memory: Size
    pids: Count
    shm: Size
    open_files: Count


class Gpus(Strict):
    """Whole GPUs by count; their memory is sampled and overuse killed, and the file says so."""

    count: CountOrNone
    memory: Size
    enforce: Literal["watched"]


class Times(Strict):
    """Seconds: on the clock, of all CPUs together, and between TERM and KILL."""

    wall: Time
    cpu: Time
    grace: Time


class Storage(Strict):
    """Bytes and inodes that a container may write: workspace, /tmp, and one file."""

    workspace: Size
    tmp: Size
    inodes: Count
    file: Size


class Harvest(Strict):
    """The most that is brought home from one container."""

    files: Count
    bytes: Size
    file: Size
    depth: Count


class Container(Strict):
    """One kind of container: every control that its program lives under."""

    image: Image
    runtime: Literal["runc", "runsc"]
    user: User
    env: Env
    resources: Resources
    gpus: Gpus
    time: Times
    storage: Storage
    network: Network
    seccomp: Seccomp
    logs: Size
    data: Literal["read-only", "none"]
    harvest: Harvest


class EditorContainer(Container):
    """The editor's container; ``process`` runs it on the host instead, under the guard alone."""

    process: bool = False


class Budget(Strict):
    """The most that model calls may cost: US dollars, tokens, requests."""

    usd: Dollars
    tokens: CountOrNone
    requests: CountOrNone


class IdeaBudget(Strict):
    """What one idea may use, from its first model call to its review."""

    wall: Time
    gpu_time: Time
    budget: Budget


class KeepFree(Strict):
    """What the host keeps for itself."""

    disk: Size
    memory: Size


class RunBudget(Strict):
    """What all ideas of a run may use together."""

    wall: Time
    budget: Budget
    containers: Count
    memory: Size
    disk: Size
    keep_free: KeepFree


Name = Annotated[str, Field(pattern=f"^{_NAME}$")]
Description = Annotated[str, Field(min_length=1, max_length=400)]
Exceeds = Annotated[dict[str, Description], Field(max_length=64)]


class Whole(Strict):
    """A policy after inheritance: nothing is left out."""

    version: Literal[1]
    name: Name
    description: Description
    exceeds: Exceeds = Field(default={}, exclude_if=lambda reasons: not reasons)
    experiment: Container
    latex: Container
    editor: EditorContainer
    idea: IdeaBudget
    run: RunBudget


BLOCKS = ("experiment", "latex", "editor")
"""The keys of a policy that hold a container, and that may stand alone in a file."""


def _leaves(model: type[BaseModel], at: str = "") -> tuple[str, ...]:
    """Each setting of ``model`` by its dotted key."""
    found: list[str] = []
    for key, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += _leaves(kind, f"{at}{key}.")
        else:
            found.append(at + key)
    return tuple(found)


DESCRIPTIVE = ("version", "name", "description", "exceeds")
"""Keys that say what a policy is, and allow nothing."""

SETTINGS = tuple(key for key in _leaves(Whole) if key not in DESCRIPTIVE)
"""Every other key of a policy with its dots, such as ``experiment.time.wall``."""


def _editor_word(value: Any) -> Any:
    """``editor: process`` is short for ``editor: {process: true}``."""
    if isinstance(value, str):
        if value != "process":
            raise ValueError(f"is {value!r}; it is a container's block, or the word `process`")
        return {"process": True}
    return value


def _partial(model: type[Strict], *required: str, **extra: Any) -> type[Strict]:
    """``model`` with every key optional, on every level; containers may say ``extends``."""
    fields: dict[str, Any] = dict(extra)
    for key, kind in get_type_hints(model, include_extras=True).items():
        if key not in model.model_fields:
            continue
        if key in required:
            fields[key] = (kind, ...)
            continue
        if isinstance(kind, type) and issubclass(kind, Strict):
            more = {"extends": (str | None, None)} if issubclass(kind, Container) else {}
            written: Any = _partial(kind, **more) | None
            if kind is EditorContainer:
                written = Annotated[written, BeforeValidator(_editor_word)]
        else:
            written = kind | None
        fields[key] = (written, None)
    return create_model(
        f"Written{model.__name__}", __base__=Strict, __doc__=model.__doc__, **fields
    )


Written = _partial(Whole, "version", "name", "description", extends=(str | None, None))
"""A policy file as a person wrote it: any other key may be left to the parent, none is unknown."""
