"""``template.yaml``: what a template says of itself, so that a program and a person need not guess.

Every key is used: ``editable`` and ``fixed`` bound the editor, ``metrics`` say which way is
better, ``knobs`` are what ``builtin/sweep`` turns, ``packages`` are checked against the imports,
``scales`` set the size of a run, and ``beats`` what a run must reach to count as trained.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

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


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(_Record):
    """One number of ``means``. ``none``: neither way is better (a size, a setting)."""

    direction: Literal["lower", "higher", "none"]
    unit: str = Field(default="", max_length=40)
    description: Line
    headline: Annotated[bool, Field(strict=True)] = False


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


class DataSet(_Record):
    """Where data comes from; ``builtin``: the experiment makes it itself."""

    name: Name
    description: Line
    source: Literal["builtin"]


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
    nothing (a policy does).
    """

    env: dict[Setting, Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:-]{0,80}$")]] = {}
    minutes: Annotated[Number, Field(gt=0)]
    description: Line
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
        for beats in (b for scale in self.scales.values() for b in scale.beats):
            for metric in (beats.metric, beats.untrained):
                if metric not in self.metrics:
                    raise ValueError(
                        f"a scale's beats name the metric {metric!r}, which is not declared"
                    )
            if self.metrics[beats.metric].direction == "none":
                raise ValueError(f"beats needs a direction of {beats.metric!r}: lower or higher")
        return self

    @property
    def headline(self) -> tuple[str, ...]:
        """The metrics that a paper leads with; all that have a direction if none is marked."""
        marked = tuple(name for name, metric in self.metrics.items() if metric.headline)
        return marked or tuple(n for n, m in self.metrics.items() if m.direction != "none")
