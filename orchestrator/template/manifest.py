"""``template.yaml``: what a template says of itself, so that a program and a person need not guess.

Every key is used: ``editable`` and ``fixed`` bound the editor, ``metrics`` say which way is
better, ``knobs`` are what ``builtin/sweep`` turns, ``data`` is what the host fetches and mounts,
``packages`` are checked against the imports, ``lock`` is what the base image lacks, ``scales``
set the size of a run, and ``beats`` what a run must reach to count as trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from orchestrator.core.tree import digest

Line = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
FilePath = Annotated[
    str,
    StringConstraints(
        pattern=r"^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*$", max_length=200
    ),
]
Setting = Annotated[str, StringConstraints(pattern=r"^AISCI_[A-Z0-9_]+$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
KnobValue = Annotated[int, Field(strict=True)] | Number
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1, max_length=100)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(_Record):
    """One number of ``means``. ``none``: neither way is better (a size, a setting).

    ``repeatable``: the same seed gives the same number again; a time or a rate is not.
    """

    direction: Literal["lower", "higher", "none"]
    unit: str = Field(default="", max_length=40)
    description: Line
    headline: Annotated[bool, Field(strict=True)] = False
    repeatable: Annotated[bool, Field(strict=True)] = True


class Knob(_Record):
    """A constant that stands once at the top of a file as a plain number."""

    file: FilePath
    constant: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
    default: KnobValue
    values: Annotated[tuple[KnobValue, ...], Field(min_length=1, max_length=20)]
    description: Line

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[KnobValue, ...]) -> tuple[KnobValue, ...]:
        if len(set(values)) < len(values):
            raise ValueError("a value stands twice")
        return values

    @property
    def others(self) -> tuple[KnobValue, ...]:
        """The values that differ from the default, in the file's order."""
        return tuple(value for value in self.values if value != self.default)


class DataFile(_Record):
    """One file that is fetched: ``bytes`` long, known by its SHA-256, mounted as ``path``."""

    path: FilePath
    url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=500)]
    bytes: Annotated[int, Field(strict=True, gt=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class DataSet(_Record):
    """Where data comes from.

    ``builtin``: the experiment makes it itself, or a file of the template is it. ``download``:
    the host fetches ``files`` on request, once a machine; an experiment finds them, read-only,
    below ``/data/<name>``.
    """

    name: Name
    description: Line
    source: Literal["builtin", "download"]
    licence: Line | None = None
    files: tuple[DataFile, ...] = ()

    @model_validator(mode="after")
    def _says_what_is_fetched(self) -> DataSet:
        if self.source == "builtin" and self.files:
            raise ValueError(f"data set {self.name} is builtin, yet names files to fetch")
        if self.source == "download" and not (self.files and self.licence):
            raise ValueError(f"data set {self.name} is fetched: name its files and its licence")
        if len({file.path for file in self.files}) < len(self.files):
            raise ValueError(f"data set {self.name} has two files of one path")
        return self

    @property
    def bytes(self) -> int:
        """What is fetched, in bytes."""
        return sum(file.bytes for file in self.files)

    @property
    def hash(self) -> str:
        """SHA-256 over the paths and hashes of its files: what a mount of it is known by."""
        return digest({file.path: file.sha256 for file in self.files})


@dataclass(frozen=True, slots=True)
class StagedData:
    """A data set of this host: its name below ``/data``, the hash of its content, its folder."""

    name: str
    hash: str
    folder: str


class Beats(_Record):
    """What a trained model must reach against the same model untrained.

    On every data set of ``datasets`` (none named: all), ``metric`` must be better than
    ``untrained`` by at least ``margin``, in the metric's unit and direction. Both are metrics
    of one run, so the untrained value is measured, not assumed.
    """

    metric: Line
    untrained: Line
    margin: Annotated[Number, Field(gt=0)]
    datasets: tuple[Line, ...] = ()


class Scale(_Record):
    """The size of a run: settings for the experiment, and about how long one run then takes.

    ``minutes`` is wall time on the machine that ``description`` names; it is shown, and limits
    nothing (a policy does). ``seeds`` are those of every data set, or of each by its name in
    ``final_info.json``; ``data`` are the fetched data sets without which this size cannot run.
    """

    env: dict[Setting, Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:-]{0,80}$")]] = {}
    minutes: Annotated[Number, Field(gt=0)]
    description: Line
    seeds: Seeds | dict[Line, Seeds] | None = None
    data: tuple[Name, ...] = ()
    beats: tuple[Beats, ...] = ()


class Manifest(_Record):
    """All of ``template.yaml``."""

    version: Literal[1]
    name: Name
    title: Line
    description: Line
    question: Line | None = None
    editable: Annotated[tuple[FilePath, ...], Field(min_length=1)]
    fixed: tuple[FilePath, ...] = ()
    metrics: dict[Line, Metric] = {}
    knobs: dict[Name, Knob] = {}
    data: tuple[DataSet, ...] = ()
    packages: tuple[Name, ...] = ()
    lock: FilePath | None = None
    scales: Annotated[dict[Name, Scale], Field(min_length=1)]
    gpu: Literal["none", "optional", "required"] = "optional"

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Manifest:
        both = set(self.editable) & set(self.fixed)
        if both:
            raise ValueError(f"{min(both)} is both editable and fixed")
        for name, knob in self.knobs.items():
            if knob.file not in self.editable:
                raise ValueError(f"knob {name} stands in {knob.file}, which is not editable")
        return self

    @model_validator(mode="after")
    def _names_what_is_declared(self) -> Manifest:
        if len({one.name for one in self.data}) < len(self.data):
            raise ValueError("two data sets have one name")
        fetched = {one.name for one in self.data if one.source == "download"}
        for name, scale in self.scales.items():
            unknown = set(scale.data) - fetched
            if unknown:
                raise ValueError(
                    f"scale {name} needs {min(unknown)!r}, which is no downloaded data set"
                )
        for beats in (b for scale in self.scales.values() for b in scale.beats):
            for metric in (beats.metric, beats.untrained):
                if metric not in self.metrics:
                    raise ValueError(
                        f"a scale's beats name the metric {metric!r}, which is not declared"
                    )
            if self.metrics[beats.metric].direction == "none":
                raise ValueError(f"beats needs a direction of {beats.metric!r}: lower or higher")
        return self

    def needed(self, scale: str) -> tuple[DataSet, ...]:
        """The data sets that must be staged before a run of that scale, in declared order."""
        return tuple(one for one in self.data if one.name in self.scales[scale].data)

    def seeds(self, scale: str, dataset: str) -> tuple[int, ...] | None:
        """The seeds of one data set at a scale; None where the manifest states none."""
        stated = self.scales[scale].seeds
        return stated.get(dataset) if isinstance(stated, dict) else stated

    @property
    def headline(self) -> tuple[str, ...]:
        """The metrics that a paper leads with; all that have a direction if none is marked."""
        marked = tuple(name for name, metric in self.metrics.items() if metric.headline)
        return marked or tuple(n for n, m in self.metrics.items() if m.direction != "none")
