"""A draft of ``template.yaml`` for a folder without one, from what its files show.

What cannot be seen is not invented: a metric's direction is ``none``, a scale's duration is left
out, knobs are comments. Texts of the folder are written as JSON strings or in comments on one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from orchestrator.core.sanitize import plain_line
from orchestrator.template.candidates import Candidate, candidates
from orchestrator.template.contract.files import UNPICKLING
from orchestrator.template.fields import EntryName, FilePath
from orchestrator.template.imports import Import, outside_imports
from orchestrator.template.lockfile import importable
from orchestrator.template.results import Results
from orchestrator.template.sightings import Sighting, sightings
from orchestrator.template.template import Template

LOCK = "packages.txt"
_MOST_FIXED = 40  # files that are listed
_PATH: TypeAdapter[str] = TypeAdapter(FilePath)
_NAME: TypeAdapter[str] = TypeAdapter(EntryName)
_TIMES = re.compile(r"time|second|duration|speed|throughput|per_s|_ms\b|iters?_per", re.IGNORECASE)
_STORES = re.compile(r"pickle\.dump|torch\.save|np\.savez?\b|\.(?:pkl|pickle|pt|npy|npz)['\"]")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a folder shows: ``results`` of an earlier ``run_0``, if they can be read."""

    template: Template
    results: Results | None
    imports: tuple[Import, ...] = field(init=False)
    numbers: tuple[Candidate, ...] = field(init=False)
    sighted: tuple[Sighting, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "imports", outside_imports(self.template))
        object.__setattr__(self, "numbers", candidates(self.template))
        object.__setattr__(self, "sighted", sightings(self.template))

    @property
    def absent(self) -> tuple[Import, ...]:
        """Required imports that the base image lacks."""
        have = importable()
        return tuple(one for one in self.imports if one.required and one.module not in have)

    def of_kind(self, kind: str) -> tuple[Sighting, ...]:
        return tuple(one for one in self.sighted if one.kind == kind)

    @property
    def opaque(self) -> tuple[str, ...]:
        """Files that can run code when they are read, or the code that writes such files."""
        files = self.template.files
        stored = (path for path in files if path.endswith(UNPICKLING))
        storing = (p for p in files if p.endswith(".py") and _STORES.search(_source(files[p])))
        return (*stored, *storing)


def _source(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def draft_manifest(seen: Seen, name: str) -> str:
    """The text of the manifest of a template called ``name``."""
    parts = (_head(name), _files(seen), _metrics(seen), _knobs(seen), package_lines(seen))
    return "\n".join(line for part in (*parts, _scales(seen)) for line in (*part, ""))


def quoted(text: str) -> str:
    """A text of the folder as one YAML value."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return f"# {plain_line(text, limit=160)}"


def _head(name: str) -> Iterator[str]:
    yield "# A draft by `aisci template adopt`, from what the files show: nothing was run."
    yield "# Correct what is wrong; docs/templates.md explains each key."
    yield "version: 1"
    yield f"name: {quoted(name)}"
    yield f"title: {quoted(name)}  # write what it studies: papers and searches use it"
    yield f"description: {quoted(f'The experiment of the folder {name}')}  # write two sentences"


def _files(seen: Seen) -> Iterator[str]:
    manifest = seen.template.manifest
    yield "# Move to `fixed` what no edit may change, such as code that measures."
    yield f"editable: [{', '.join(p for p in manifest.editable if _fits(p))}]"
    kept = [
        path for path in seen.template.files
        if path not in manifest.editable and not path.startswith("latex/") and _fits(path)
    ]  # fmt: skip
    yield f"fixed: [{', '.join(kept[:_MOST_FIXED])}]"
    if len(kept) > _MOST_FIXED:
        yield _comment(f"and {len(kept) - _MOST_FIXED} more files, which no edit may change either")
    if seen.opaque:
        yield _comment(f"Pickles and the like, for its own plot.py alone: {', '.join(seen.opaque)}")
        yield "opaque_files: true"


def _fits(path: str) -> bool:
    """Whether a path can be in the manifest; all others cannot be edited anyway."""
    return _valid(_PATH, path)


def _valid(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


def _metrics(seen: Seen) -> Iterator[str]:
    if seen.results is None:
        yield "# metrics: declare each after a first run, with its direction (lower, higher, none)."
        return
    yield "# Directions are unknown: write `lower` or `higher` where one is better, and"
    yield "# `headline: true` for those that a paper leads with."
    yield "metrics:"
    for name in seen.results.metrics:
        yield f"  {quoted(name)}:"
        yield "    direction: none"
        yield f"    description: {quoted(f'{name} of run_0/final_info.json')}"
        if is_time(name):
            yield "    repeatable: false  # by its name a time or a rate"


def _knobs(seen: Seen) -> Iterator[str]:
    knobs = [one for one in seen.numbers if one.kind == "knob"]
    if not seen.numbers:
        yield "# knobs: no number at the top level of experiment.py could be one."
    if knobs:
        yield "# Knobs are what a study may vary: remove `# ` where one makes sense, correct `values`."
        yield "# knobs:"
    for one in knobs:
        yield f"#   {one.name.lower()}:"
        yield f"#     file: {one.file}"
        yield f"#     constant: {one.name}"
        yield f"#     default: {one.value!r}"
        yield f"#     values: [{value_list(one)}]"
        yield f"#     description: {quoted(one.name)}"
    for one in seen.numbers:
        if one.kind != "knob":
            what = "argument --" if one.kind == "argument" else ""
            yield _comment(
                f"could be a knob, as a constant at the top level, {one.name.upper()} = {one.value!r}: "
                f"{what}{one.name}, {one.file}:{one.line}"
            )


def is_time(metric: str) -> bool:
    """Whether a metric is a time or a rate, by its name."""
    return _TIMES.search(metric) is not None


def package_lines(seen: Seen) -> Iterator[str]:
    """The keys `packages` and, where the image lacks one, `lock`."""
    used = [one for one in seen.imports if one.required or one.module in importable()]
    names = [one.module for one in used if _valid(_NAME, one.module)]
    yield f"packages: [{', '.join(names)}]"
    if seen.absent:
        named = ", ".join(f"{one.module} ({one.where})" for one in seen.absent)
        yield _comment(f"The image lacks {named}.")
        yield f"# {LOCK} lists what they come from, each with its hash, for Python 3.11 on Linux:"
        yield "# docs/templates.md, Packages. Then: aisci images build, with this folder."
        yield f"lock: {LOCK}"


def _scales(seen: Seen) -> Iterator[str]:
    yield "scales:"
    yield "  full:"
    yield "    # minutes: 10   how long one run takes; unknown until `aisci template check --run`"
    yield "    description: the size that the code sets by itself"
    for one in seen.of_kind("seed")[:6]:
        yield f"    {_comment(f'a seed is set at {one.where}: {one.text}')}"
    yield "    # seeds: [0, 1, 2]   those that the code uses, if final_info_dict has a value for each"
    yield "# A smaller scale, first in this list, makes a check quick: `env: {AISCI_SCALE: smoke}`,"
    yield "# which experiment.py reads to do fewer steps."
    yield from gpu_lines(seen)


def value_list(one: Candidate) -> str:
    """The values to try, as YAML reads them back."""
    return ", ".join(map(repr, one.values))


def gpu_lines(seen: Seen) -> Iterator[str]:
    """The key `gpu`."""
    cuda = seen.of_kind("cuda")
    if cuda:
        yield _comment(f"CUDA is wired in at {', '.join(one.where for one in cuda[:6])}")
        yield "gpu: required  # `optional` once the code also runs without"
    else:
        yield "gpu: optional"
