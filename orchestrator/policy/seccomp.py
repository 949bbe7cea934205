"""Seccomp profiles: which system calls a container's processes may make.

A profile is the JSON that container engines accept. aisci's own is
``policies/seccomp/default.json``; a policy may name another file. This module parses profiles
strictly, hashes and compares them. It refuses what an engine or a runtime would ignore silently or
interpret differently from a reader.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import chain
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

from orchestrator.core.errors import BadPolicy, listed
from orchestrator.core.files import shipped_root
from orchestrator.core.problems import Form, Invalid, explained, row
from orchestrator.core.tree import canonical, digest

DEFAULT = "default"
PROFILE_BYTES = 64 * 1024
_ENOSYS, _CLONE3 = 38, "clone3"

_CALL = Form(
    r"^[a-z][a-z0-9_]{0,63}$", "is not the name of a system call: {!r}", "write it like openat"
)
_MACHINE = Form(
    r"^SCMP_ARCH_[A-Z0-9_]{2,24}$",
    "is not the name of an architecture: {!r}",
    "write it like SCMP_ARCH_X86_64",
)
SyscallName = Annotated[str, _CALL]
Architecture = Annotated[str, _MACHINE]
Refusal = Literal["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                  "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"]  # fmt: skip
ArgumentTest = Literal["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
                     "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"]  # fmt: skip
ArgumentValue = Annotated[int, Field(ge=0, lt=2**64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Argument(_Strict):
    """A condition on one of a call's six arguments; for MASKED_EQ, ``value`` is the mask."""

    index: Annotated[int, Field(ge=0, le=5)]
    value: ArgumentValue
    valueTwo: ArgumentValue = 0  # noqa: N815  # the format's own name
    op: ArgumentTest


class SyscallRule(_Strict):
    """The action for some calls if all of ``args`` hold; ``comment`` is for readers."""

    comment: Annotated[str, Field(max_length=1000, exclude=True)] = ""
    names: Annotated[tuple[SyscallName, ...], Field(min_length=1, strict=False)]
    action: Literal["SCMP_ACT_ALLOW"] | Refusal
    args: Annotated[
        tuple[Argument, ...],
        BeforeValidator(lambda args: () if args is None else args),
        Field(strict=False),
    ] = ()
    errnoRet: Annotated[int, Field(ge=1, le=4095)] | None = None  # noqa: N815  # as above

    @model_validator(mode="after")
    def _means_what_it_says(self) -> SyscallRule:
        if len({arg.index for arg in self.args}) < len(self.args):
            raise Invalid(
                "two conditions on one argument: an engine accepts a call that meets either",
                "split the rule, or use SCMP_CMP_MASKED_EQ",
                ("args",),
            )
        if self.errnoRet is not None and self.action != "SCMP_ACT_ERRNO":
            what = "only the action SCMP_ACT_ERRNO has an errnoRet"
            raise Invalid(what, "remove errnoRet", ("errnoRet",))
        return self


class Machines(_Strict):
    """An architecture, and others whose calls its kernel also accepts."""

    architecture: Architecture
    subArchitectures: Annotated[tuple[Architecture, ...], Field(strict=False)] = ()  # noqa: N815  # as above


class Profile(_Strict):
    """A whole profile. Each call that no rule allows is refused."""

    defaultAction: Refusal  # noqa: N815  # as above
    architectures: Annotated[tuple[Architecture, ...], Field(strict=False)] = ()
    archMap: Annotated[tuple[Machines, ...], Field(strict=False)] = ()  # noqa: N815  # as above
    syscalls: Annotated[tuple[SyscallRule, ...], Field(min_length=1, max_length=2000, strict=False)]

    @model_validator(mode="after")
    def _names_architectures_once(self) -> Profile:
        if bool(self.architectures) == bool(self.archMap):
            what = "engines need either architectures or archMap, and refuse both"
            raise Invalid(what, "keep one of the two")
        return self

    @model_serializer(mode="plain")
    def normal(self) -> dict[str, Any]:
        """The profile as data, without comments and empty keys."""
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
        """The text for an engine; equal for equal profiles."""
        return canonical(self.normal()).decode()

    @property
    def sha256(self) -> str:
        return digest(self.normal())

    def machines(self, native: str) -> frozenset[str]:
        """The architectures whose calls the filter considers, on a machine of ``native``."""
        mapped = [one.subArchitectures for one in self.archMap if one.architecture == native]
        return frozenset((native, *self.architectures, *chain.from_iterable(mapped)))


def read_profile(path: Path) -> Profile:
    """The profile in a file. Raises :class:`BadPolicy` with each error in it."""
    if path.exists() and not path.is_file():
        raise _bad(path, "it is no plain file", "write the path of the profile's file")
    try:
        with path.open("rb") as file:
            raw = file.read(PROFILE_BYTES + 1)
    except OSError as problem:
        todo = "write the path of the profile, relative to the policy's file"
        raise _bad(path, problem.strerror or "it cannot be read", todo) from problem
    if len(raw) > PROFILE_BYTES:
        why = f"it has more than {PROFILE_BYTES} bytes"
        raise _bad(path, why, "join rules: one rule can name many calls")
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_twins)
    except (RecursionError, ValueError) as problem:  # no UTF-8, no JSON, or a duplicate key
        deep = isinstance(problem, RecursionError)
        raise _bad(path, "it is nested too deep" if deep else str(problem), _LIKE) from problem
    try:
        return Profile.model_validate(data)
    except ValidationError as problem:
        found = explained(problem, data, Profile.model_json_schema)
        raise _bad(path, listed([row(one) for one in found]), _LIKE) from problem


_LIKE = (
    "write it like policies/seccomp/default.json: deny by default, with rules that have no "
    "`includes` and no `excludes`, because aisci's containers have no capabilities"
)


def _bad(path: Path, why: str, todo: str) -> BadPolicy:
    return BadPolicy("a seccomp profile cannot be used", where=str(path), why=why, todo=todo)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


@cache
def shipped_profile() -> Profile:
    """aisci's own profile: ``seccomp: default``."""
    return read_profile(shipped_root() / "policies" / "seccomp" / "default.json")


def profile_of(setting: str | Profile | dict[str, Any]) -> Profile:
    """The profile that a policy's ``seccomp`` selects, in each form that the key can have."""
    if isinstance(setting, Profile):
        return setting
    if setting == DEFAULT:
        return shipped_profile()
    return Profile.model_validate(json.loads(setting) if isinstance(setting, str) else setting)


def setting_text(setting: str | Profile) -> str:
    """``default``, or a whole profile as one line of JSON."""
    return setting.text if isinstance(setting, Profile) else setting


def profile_words(setting: str | Profile | dict[str, Any]) -> str:
    """For people: ``default``, or the profile by its hash."""
    return DEFAULT if setting == DEFAULT else f"a profile with SHA-256 {profile_of(setting).sha256}"


def under(profile: Profile, runtime: str) -> Profile:
    """``profile`` in the form that has the same effect under ``runtime``.

    gVisor's filter answers each refusal with EPERM and ignores ``errnoRet``. A rule that answers
    clone3 with ENOSYS, so that libc uses clone, therefore lets clone3 through to gVisor's own
    kernel; :mod:`orchestrator.policy.runtimes` lists it. gVisor calls pselect6 ``pselect``, and refuses
    what it has by another name. Every other call stays refused.
    """
    return forms_under(profile, runtime)[0]


def forms_under(profile: Profile, runtime: str) -> tuple[Profile, ...]:
    """The form of :func:`under`, then those that earlier versions of this program used."""
    if runtime == "runc":
        return (profile,)
    rules, before = list[SyscallRule](), list[SyscallRule]()
    for rule in profile.syscalls:
        names = rule.names
        if rule.errnoRet == _ENOSYS and _CLONE3 in names:
            passed = {"names": (_CLONE3,), "action": "SCMP_ACT_ALLOW", "errnoRet": None}
            rules.append(rule.model_copy(update=passed))
            before.append(rules[-1])
            names = tuple(name for name in names if name != _CLONE3)
        if names:
            before.append(rule.model_copy(update={"names": names}))
            names = (*names, "pselect") if "pselect6" in names else names
            rules.append(rule.model_copy(update={"names": names}))
    return tuple(profile.model_copy(update={"syscalls": tuple(all_)}) for all_ in (rules, before))
