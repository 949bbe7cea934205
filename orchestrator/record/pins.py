"""What decides what a run does, pinned in its journal's first line and again at each fork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ConfigDict

from orchestrator.core.tree import Tree

_ImageIds = tuple[tuple[str, str], ...]

DEFAULT_ROLE = "default"
"""The role of a model that does all that no other role is given for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pin:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePin(_Pin):
    """The template: its name, where it came from, the hash of its files, and the files."""

    name: str
    origin: str
    hash: str
    files: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPin(_Pin):
    """The effective policy. ``settings`` has every setting, as the policy's file would."""

    name: str
    origin: str
    hash: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin(_Pin):
    """The model of one role. ``name`` is as it was asked for, ``author`` as papers name it.

    ``prices`` are US dollars per token by litellm's key; ``server`` is the address of a server of
    the user's own, empty for a vendor's.
    """

    name: str
    author: str
    role: str = DEFAULT_ROLE
    prices: tuple[tuple[str, float], ...] = ()
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPin(_Pin):
    """A staged data set: ``hash`` of its content, and the host's ``folder`` that held it."""

    name: str
    hash: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSummary(_Pin):
    """The latest proof of a policy when the run started. ``images`` are (name, id)."""

    at: str
    outcome: str
    sha256: str
    images: _ImageIds


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPin(_Pin):
    """The policy, by hash, whose proofs count for the run, and the latest of them."""

    of: str
    newest: ProofSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePin(_Pin):
    """A kept baseline that the run starts from: its key, when, where and by which container."""

    key: str
    at: str
    machine: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins(_Pin):
    """Everything that decides what a run does; resume is held to these.

    ``seccomp`` is the profile that a policy's word ``default`` means, ``prompts`` one hash over
    all prompt files, ``images`` are (name, id), ``ideas`` is how many were asked for.
    """

    program: str
    template: TemplatePin
    policy: PolicyPin
    seccomp: dict[str, Any]
    prompts: str
    images: _ImageIds
    models: tuple[ModelPin, ...]
    scale: str
    ideas: int
    data: tuple[DataPin, ...] = ()
    proof: ProofPin | None = None
    baseline: BaselinePin | None = None

    def model(self, role: str = DEFAULT_ROLE) -> ModelPin:
        """The model of ``role``, or the one that does all that no role is given for."""
        named = {pin.role: pin for pin in self.models}
        return named.get(role) or named[DEFAULT_ROLE]
