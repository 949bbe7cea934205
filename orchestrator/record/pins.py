"""The inputs of a run, pinned in the first line of its journal and at each fork."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from orchestrator.core.model import DEFAULT_ROLE, Batches
from orchestrator.core.research import Idea
from orchestrator.core.tree import UNWRITTEN, Tree

LeaveOut = Literal["", "paper", "review"]
"""What a run leaves out: its papers, with the stages after them, or their review and improvement."""
_ImageIds = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrictRecord:
    """The base of what a journal's lines are made of: another key is an error."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin(StrictRecord):
    """Who began a run or a branch, and with which program: the host's and the account's name, the ``commit`` of a
    checkout (empty for a wheel), and ``code``, the hash of the program's own files.
    """

    host: str
    user: str
    commit: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContents(StrictRecord):
    """What an image of the run holds: ``packages`` is the blob of its list, empty with ``why`` where the image
    did not tell. ``base`` is the id of the image that it was built on, ``digests`` are the names that registries
    have for the image, or for the lowest base that the engine still has.
    """

    name: str
    id: str
    base: str = ""
    digests: tuple[str, ...] = ()
    packages: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePin(StrictRecord):
    """The template: its name, its origin, the hash of its files, and the files."""

    name: str
    origin: str
    hash: str
    files: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPin(StrictRecord):
    """The effective policy. ``settings`` has every setting, in the form of a policy file."""

    name: str
    origin: str
    hash: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingPin(StrictRecord):
    """A ceiling of the machine that held the policy: its file there, and its effective settings."""

    file: str
    name: str
    hash: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePin(StrictRecord):
    """A signature that the machine demanded and found: ``of`` is ``policy`` or an image's name, ``hash`` the policy's
    hash or the image's id, ``signer`` the key's name on the machine, ``key`` its fingerprint. ``envelope`` is the
    signature of a policy itself, by which a run goes on where the policy's file may be gone.
    """

    of: str
    hash: str
    signer: str
    key: str
    envelope: str = field(default="", metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin(StrictRecord):
    """The model of one role: its name in requests, and its name as the author of papers. ``prices``
    are US dollars per token by litellm's key; ``server`` is the address of the user's own server,
    empty for a vendor's; ``sees``: it is shown pictures.
    """

    name: str
    author: str
    role: str = DEFAULT_ROLE
    prices: tuple[tuple[str, float], ...] = ()
    server: str = ""
    sees: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePin(StrictRecord):
    """An engine that is searched for papers; ``server`` is the address of a mirror, empty for its own."""

    name: str
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPin(StrictRecord):
    """A staged data set: the hash of its content, and its folder on the host."""

    name: str
    hash: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSummary(StrictRecord):
    """The latest proof of a policy when the run started. ``images`` are (name, id)."""

    at: str
    outcome: str
    sha256: str
    images: _ImageIds


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPin(StrictRecord):
    """The hash of the policy whose proofs apply to the run, and the latest of these proofs."""

    of: str
    newest: ProofSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePin(StrictRecord):
    """The cached baseline that the run starts from: its key, time, machine and container."""

    key: str
    at: str
    machine: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPin(StrictRecord):
    """How papers are reviewed: by how many reviewers, each with how many reflections at most, with
    ``examples`` or without; of several, from which mean overall score (1 to 10) a paper is accepted. ``improve`` is how often its
    author may improve it by its reviews. ``batch``: the reviews of a paper are asked for as a batch of their vendor, which
    goes on when the run is stopped, or is cancelled then.
    """

    reviews: int = 1
    reflections: int = 1
    examples: bool = True
    accept_from: float = 6.0
    improve: int = 0
    batch: Batches = field(default="", metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPin(StrictRecord):
    """A results folder of the AI Scientist that the run was made from: its name, the files that were read,
    and (path, reason) of those that were left out, with the number of ``more`` that are not named.
    """

    folder: str
    files: Tree
    left_out: tuple[tuple[str, str], ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins(StrictRecord):
    """The inputs of a run; resume uses exactly these. ``seccomp`` is the profile called
    ``default``, ``prompts`` one hash over all prompt files, ``images`` are (name, id), ``ideas`` is
    the number of requested ideas, ``given`` are those of a file, which are not proposed; ``novelty``: each
    is judged before it is pursued; ``open_ended``: each is pursued before the next one is proposed;
    ``imported``: results, figures and paper come from this folder, and were not made by the program;
    ``leave_out``: what of an idea is made only if it is asked for later; ``ceilings`` of the machine held the
    policy; ``effort``: how much models are to think, as (role, level);
    ``signatures`` are those that the machine demanded.
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
    engines: tuple[EnginePin, ...] = ()
    reviewing: ReviewPin = field(default_factory=ReviewPin)
    given: tuple[Idea, ...] = ()
    novelty: bool = True
    open_ended: bool = False
    imported: ImportPin | None = None
    leave_out: LeaveOut = field(default="", metadata=UNWRITTEN)
    ceilings: tuple[CeilingPin, ...] = field(default=(), metadata=UNWRITTEN)
    effort: tuple[tuple[str, str], ...] = field(default=(), metadata=UNWRITTEN)
    signatures: tuple[SignaturePin, ...] = field(default=(), metadata=UNWRITTEN)

    def __post_init__(self) -> None:
        """Raises ValueError without a model of the default role."""
        if DEFAULT_ROLE not in {pin.role for pin in self.models}:
            raise ValueError(f"no model has the role {DEFAULT_ROLE!r}")

    @property
    def model_names(self) -> str:
        """The models, each with its role where it has only one, and how much they are to think."""
        own = (one for one in self.models if one.role != DEFAULT_ROLE)
        names = ", ".join([self.model().name, *(f"{one.name} ({one.role})" for one in own)])
        return f"{names}; effort {self.efforts}" if self.effort else names

    @property
    def efforts(self) -> str:
        """How much the models are to think, as ``--effort`` has it; empty where nothing was asked for."""
        return ",".join(
            level if role == DEFAULT_ROLE else f"{role}={level}" for role, level in self.effort
        )

    def model(self, role: str = DEFAULT_ROLE) -> ModelPin:
        """The model of ``role``, or the default one."""
        models = {pin.role: pin for pin in self.models}
        return models.get(role) or models[DEFAULT_ROLE]
