"""Seccomp profiles: which system calls a container's processes may make at all.

A profile is the JSON that container engines take. aisci's own is ``policies/seccomp/default.json``;
a policy may name another file. Here profiles are read strictly, hashed and compared. What an
engine or a runtime would pass over in silence, or take otherwise than it reads, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)

from orchestrator.core.errors import BadPolicy
from orchestrator.core.files import shipped_root
from orchestrator.core.tree import canonical, digest

DEFAULT = "default"
MAX_BYTES = 64 * 1024
_ENOSYS, _CLONE3 = 38, "clone3"
_GVISOR = "runsc"

Call = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Architecture = Annotated[str, Field(pattern=r"^SCMP_ARCH_[A-Z0-9_]{2,24}$")]
Refusal = Literal["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                  "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"]  # fmt: skip
Comparison = Literal["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
                     "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"]  # fmt: skip
Number = Annotated[int, Field(ge=0, lt=2**64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Argument(_Strict):
    """A condition on one of a call's six arguments; for MASKED_EQ, ``value`` is the mask."""

    index: Annotated[int, Field(ge=0, le=5)]
    value: Number
    valueTwo: Number = 0  # noqa: N815  # the format's own name
    op: Comparison


class Rule(_Strict):
    """What happens to some calls where all of ``args`` hold; ``comment`` is for readers."""

    comment: Annotated[str, Field(max_length=1000, exclude=True)] = ""
    names: Annotated[tuple[Call, ...], Field(min_length=1, strict=False)]
    action: Literal["SCMP_ACT_ALLOW"] | Refusal
    args: Annotated[
        tuple[Argument, ...],
        BeforeValidator(lambda args: () if args is None else args),
        Field(strict=False),
    ] = ()
    errnoRet: Annotated[int, Field(ge=1, le=4095)] | None = None  # noqa: N815  # as above

    @model_validator(mode="after")
    def _means_what_it_says(self) -> Rule:
        if len({arg.index for arg in self.args}) < len(self.args):
            raise ValueError("an engine takes two conditions on one argument for either-or")
        if self.errnoRet is not None and self.action != "SCMP_ACT_ERRNO":
            raise ValueError("errnoRet belongs to SCMP_ACT_ERRNO alone")
        return self


class Machines(_Strict):
    """An architecture, and others whose calls its kernel takes as well."""

    architecture: Architecture
    subArchitectures: Annotated[tuple[Architecture, ...], Field(strict=False)] = ()  # noqa: N815  # as above


class Profile(_Strict):
    """A whole profile. Every call is refused that no rule allows."""

    defaultAction: Refusal  # noqa: N815  # as above
    architectures: Annotated[tuple[Architecture, ...], Field(strict=False)] = ()
    archMap: Annotated[tuple[Machines, ...], Field(strict=False)] = ()  # noqa: N815  # as above
    syscalls: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=2000, strict=False)]

    @model_validator(mode="after")
    def _names_architectures_once(self) -> Profile:
        if bool(self.architectures) == bool(self.archMap):
            raise ValueError("give either architectures or archMap: engines refuse both")
        return self

    @model_serializer(mode="plain")
    def normal(self) -> dict[str, Any]:
        """The profile as data, without comments and without what says nothing."""
        where: dict[str, Any] = {"architectures": list(self.architectures)}
        if self.archMap:
            where = {"archMap": [machines.model_dump(mode="json") for machines in self.archMap]}
        rules = [
            rule.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            for rule in self.syscalls
        ]
        return {"defaultAction": self.defaultAction, **where, "syscalls": rules}

    @property
    def text(self) -> str:
        """What an engine is given: equal for equal profiles."""
        return canonical(self.normal()).decode()

    @property
    def sha256(self) -> str:
        return digest(self.normal())

    def machines(self, native: str) -> frozenset[str]:
        """The architectures whose calls pass the filter at all, on a machine of ``native``."""
        mapped = [
            sub
            for one in self.archMap
            if one.architecture == native
            for sub in one.subArchitectures
        ]
        return frozenset((native, *self.architectures, *mapped))


def read(path: Path) -> Profile:
    """The profile in a file. Raises :class:`BadPolicy`, which names what is wrong in it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise _bad(
            path, problem.strerror or "it cannot be read", "name a file beside the policy"
        ) from problem
    if len(raw) > MAX_BYTES:
        raise _bad(path, f"it has more than {MAX_BYTES} bytes", "one rule can name many calls")
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_twins)
    except RecursionError as problem:
        raise _bad(path, "it is nested too deep", _LIKE) from problem
    except ValueError as problem:  # no UTF-8, no JSON, or a key that stands twice
        raise _bad(path, str(problem), _LIKE) from problem
    try:
        return Profile.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        why = str(first["msg"]).removeprefix("Value error, ")
        raise _bad(path, f"{place}: {why}" if place else why, _LIKE) from problem


_LIKE = (
    "write it like policies/seccomp/default.json: deny by default, and rules without `includes` "
    "and `excludes`, since no container here has a capability"
)


def _bad(path: Path, why: str, todo: str) -> BadPolicy:
    return BadPolicy("a seccomp profile cannot be used", where=str(path), why=why, todo=todo)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


@cache
def shipped() -> Profile:
    """aisci's own profile, which ``seccomp: default`` means."""
    return read(shipped_root() / "policies" / "seccomp" / "default.json")


def profile_of(setting: str | Profile | dict[str, Any]) -> Profile:
    """The profile that a policy's ``seccomp`` stands for, whichever way it is said."""
    if isinstance(setting, Profile):
        return setting
    if setting == DEFAULT:
        return shipped()
    return Profile.model_validate(json.loads(setting) if isinstance(setting, str) else setting)


def setting_text(setting: str | Profile) -> str:
    """``default``, or a whole profile as one line of JSON."""
    return setting.text if isinstance(setting, Profile) else setting


def words(setting: str | Profile | dict[str, Any]) -> str:
    """For people: ``default``, or the profile by its hash."""
    return DEFAULT if setting == DEFAULT else f"a profile with SHA-256 {profile_of(setting).sha256}"


def under(profile: Profile, runtime: str) -> Profile:
    """``profile`` as ``runtime`` has to be given it, to mean the same.

    gVisor's filter answers every refusal with EPERM and does not read ``errnoRet``. Where clone3
    is to be answered ENOSYS, so that libc takes clone, it therefore passes to gVisor's own
    kernel; :mod:`orchestrator.policy.runtimes` names it. Every other call stays refused.
    """
    if runtime == "runc":
        return profile
    rules = tuple(part for rule in profile.syscalls for part in _without_errno(rule))
    return profile.model_copy(update={"syscalls": rules})


def _without_errno(rule: Rule) -> Iterator[Rule]:
    if rule.errnoRet != _ENOSYS or _CLONE3 not in rule.names:
        yield rule
        return
    passed = {"names": (_CLONE3,), "action": "SCMP_ACT_ALLOW", "errnoRet": None}
    yield rule.model_copy(update=passed)
    others = tuple(name for name in rule.names if name != _CLONE3)
    if others:
        yield rule.model_copy(update={"names": others})
