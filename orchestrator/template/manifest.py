"""``template.yaml``: the description of a template for programs and people.

Each key is used: ``editable`` and ``fixed`` bound the editor, ``metrics`` give the better
direction, ``knobs`` are what ``builtin/sweep`` varies, ``data`` is what the host fetches and mounts,
``packages`` are compared with the imports, ``preload`` are imported while a container waits for its
experiment, ``lock`` lists what the base image lacks,
``opaque_files`` allows pickles for its own ``plot.py``, ``scales`` set the size of a run, and ``beats`` is what a run must reach to count as trained.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from orchestrator.core.problems import Invalid, Loc, nearest
from orchestrator.core.tree import digest
from orchestrator.template.fields import (
    ConstantName,
    EntryName,
    FilePath,
    FiniteNumber,
    KnobValue,
    ModuleName,
    Seeds,
    Setting,
    SettingValue,
    Sha256,
    Text,
    Url,
)


class _Record(BaseModel, extra="forbid", frozen=True):
    """Immutable; another key is an error."""


class Metric(_Record):
    """One number of ``means``. ``none``: neither direction is better (a size, a setting).
    ``repeatable``: the same seed gives the same number again, unlike a time or a rate.
    ``optional``: a run may lack it, such as the time of what never happened.
    """

    direction: Literal["lower", "higher", "none"]
    unit: str = Field(default="", max_length=40)
    description: Text
    headline: Annotated[bool, Field(strict=True)] = False
    repeatable: Annotated[bool, Field(strict=True)] = True
    optional: Annotated[bool, Field(strict=True)] = False


class Knob(_Record):
    """A constant that is assigned once, as a plain number, at the top level of a file."""

    file: FilePath
    constant: ConstantName
    default: KnobValue
    values: Annotated[tuple[KnobValue, ...], Field(min_length=1, max_length=20)]
    description: Text

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[KnobValue, ...]) -> tuple[KnobValue, ...]:
        twice = [value for index, value in enumerate(values) if value in values[:index]]
        if twice:
            raise Invalid(f"the value {twice[0]:g} occurs twice", "remove one of them")
        return values


class DataFile(_Record):
    """One file to fetch: ``bytes`` long, identified by its SHA-256, mounted as ``path``."""

    path: FilePath
    url: Url
    bytes: Annotated[int, Field(strict=True, gt=0)]
    sha256: Sha256


class DataSet(_Record):
    """The source of data. ``builtin``: the experiment generates it, or the template contains it.
    ``download``: the host fetches ``files`` on request, once per machine; an experiment reads them
    below ``/data/<name>``. ``confidential``: no output of a failed attempt is told a model.
    """

    name: EntryName
    description: Text
    source: Literal["builtin", "download"]
    licence: Text | None = None
    confidential: Annotated[bool, Field(strict=True)] = False
    files: tuple[DataFile, ...] = ()

    @model_validator(mode="after")
    def _declares_what_is_fetched(self) -> DataSet:
        if self.source == "builtin" and self.files:
            what = f"the data set {self.name} is builtin and has files to fetch"
            raise Invalid(what, "write `source: download`, or remove `files`", ("files",))
        if self.source == "download" and not (self.files and self.licence):
            lacks = [key for key in ("files", "licence") if not getattr(self, key)]
            what = f"the data set {self.name} is a download without {' and '.join(lacks)}"
            raise Invalid(what, "add " + ", ".join(f"`{key}: …`" for key in lacks))
        paths = [file.path for file in self.files]
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            what = f"the data set {self.name} has two files with the path {twice}"
            raise Invalid(what, "give one of them another path", ("files",))
        folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        both = next((path for path in paths if path in folders), None)
        if both is not None:
            what = f"the data set {self.name} has a file {both} and files below {both}/"
            raise Invalid(what, "give one of them another path", ("files",))
        return self

    @property
    def bytes(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.bytes for file in self.files)

    @property
    def hash(self) -> str:
        """SHA-256 over the paths and hashes of its files; it identifies a mount."""
        return digest({file.path: file.sha256 for file in self.files})


class Beats(_Record):
    """What a trained model must reach, compared with the same model untrained. On each data set of
    ``datasets`` (default: all), ``metric`` must be better than ``untrained`` by at least
    ``margin``, in the metric's unit and direction. Both are metrics of one run, so the untrained
    value is measured, not assumed.
    """

    metric: Text
    untrained: Text
    margin: Annotated[FiniteNumber, Field(gt=0)]
    datasets: tuple[Text, ...] = ()


class Scale(_Record):
    """The size of a run: variables for the experiment, and roughly how long one run takes.
    ``minutes`` is wall time on the machine that ``description`` names, None if unknown; a policy
    with less time refuses the run. ``seeds`` are those of all data sets, or of each by its name in
    ``final_info.json``; ``data`` are the fetched data sets that a run of this size needs.
    """

    env: dict[Setting, SettingValue] = {}
    minutes: Annotated[FiniteNumber, Field(gt=0)] | None = None
    description: Text
    seeds: Seeds | dict[Text, Seeds] | None = None
    data: tuple[EntryName, ...] = ()
    beats: tuple[Beats, ...] = ()


class Manifest(_Record):
    """All of ``template.yaml``."""

    version: Literal[1]
    name: EntryName
    title: Text
    description: Text
    question: Text | None = None
    editable: Annotated[tuple[FilePath, ...], Field(min_length=1)]
    fixed: tuple[FilePath, ...] = ()
    opaque_files: Annotated[bool, Field(strict=True)] = False
    metrics: dict[Text, Metric] = {}
    knobs: dict[EntryName, Knob] = {}
    data: tuple[DataSet, ...] = ()
    packages: tuple[EntryName, ...] = ()
    preload: Annotated[tuple[ModuleName, ...], Field(max_length=8)] = ()
    lock: FilePath | None = None
    scales: Annotated[dict[EntryName, Scale], Field(min_length=1)]
    gpu: Literal["none", "optional", "required"] = "optional"
    exact: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Manifest:
        both = set(self.editable) & set(self.fixed)
        if both:
            what = f"{min(both)} is both editable and fixed"
            raise Invalid(what, "remove it from one of the two lists", ("fixed",))
        for name, knob in self.knobs.items():
            if knob.file not in self.editable:
                what = f"the knob {name} is in {knob.file}, which is not editable"
                todo = f"add {knob.file} to `editable`, or remove the knob"
                raise Invalid(what, todo, ("knobs", name, "file"))
        return self

    @model_validator(mode="after")
    def _names_what_is_declared(self) -> Manifest:
        names = [data.name for data in self.data]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Invalid(f"two data sets have the name {twice}", "rename one of them", ("data",))
        for index, module in enumerate(self.preload):
            if module.partition(".")[0] not in self.packages:
                what = f"{module!r} is of no package in `packages`"
                raise Invalid(what, nearest(module, self.packages), ("preload", index))
        fetched = {data.name for data in self.data if data.source == "download"}
        for name, scale in self.scales.items():
            at: Loc = ("scales", name, "data")
            for needed in scale.data:
                if needed not in fetched:
                    what = f"{needed!r} is not a data set with `source: download`"
                    raise Invalid(what, nearest(needed, fetched), at)
        for name, scale in self.scales.items():
            for index, beats in enumerate(scale.beats):
                self._check_beats(beats, ("scales", name, "beats", index))
        return self

    def _check_beats(self, beats: Beats, at: Loc) -> None:
        for key in ("metric", "untrained"):
            metric = getattr(beats, key)
            if metric not in self.metrics:
                what = f"{metric!r} is not declared under `metrics`"
                raise Invalid(what, nearest(metric, self.metrics), (*at, key))
        if self.metrics[beats.metric].direction == "none":
            what = f"the metric {beats.metric!r} has no better direction"
            todo = "write `direction: lower` or `direction: higher` under `metrics`"
            raise Invalid(what, todo, (*at, "metric"))

    def needed(self, scale: str) -> tuple[DataSet, ...]:
        """The data sets to stage before a run of that scale, in declared order."""
        return tuple(data for data in self.data if data.name in self.scales[scale].data)

    def seeds(self, scale: str, dataset: str) -> tuple[int, ...] | None:
        """The seeds of one data set at a scale; None where the manifest states none."""
        stated = self.scales[scale].seeds
        return stated.get(dataset) if isinstance(stated, dict) else stated

    @property
    def confidential(self) -> bool:
        """Whether a data set is marked as confidential."""
        return any(data.confidential for data in self.data)

    @property
    def headline(self) -> tuple[str, ...]:
        """The main metrics of a paper; all that have a direction if none is marked."""
        marked = tuple(name for name, metric in self.metrics.items() if metric.headline)
        return marked or tuple(n for n, m in self.metrics.items() if m.direction != "none")
