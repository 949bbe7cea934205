"""The fixed numbers that a paper may print: settings, constants of the code, years, counts.

They come from the manifest, the code of the template and of each run, and the references. A printed
number must equal them exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from orchestrator.research.paper.numbers import Quantity, numbers
from orchestrator.research.paper.references import references
from orchestrator.template.manifest import Manifest

_LITERAL = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ASSIGNED = re.compile(
    rf"\b([A-Za-z_]\w*)\s*(?::\s*[\w\[\], .|]+)?=\s*\(?\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*,?\s*\)?"
    r"\s*(?=[,)#;\n]|$)",
    re.MULTILINE,
)
_MAX_CONSTANTS = 2000  # of one file


def from_manifest(manifest: Manifest, scale: str) -> Iterator[Quantity]:
    """The values of knobs, and every number in the texts of the manifest."""
    for name, knob in manifest.knobs.items():
        for value in {knob.default, *knob.values}:
            yield _fixed(float(value), f"template.yaml: a value of the knob {name}", name)
    yield from _numbers_in(manifest.title, "template.yaml: title")
    yield from _numbers_in(manifest.description, "template.yaml: description")
    yield from _numbers_in(manifest.question or "", "template.yaml: question")
    for name, metric in manifest.metrics.items():
        yield from _numbers_in(f"{name} {metric.description}", f"template.yaml: metric {name}")
    for name, knob in manifest.knobs.items():
        yield from _numbers_in(knob.description, f"template.yaml: knob {name}")
    for data in manifest.data:
        yield from _numbers_in(data.description, f"template.yaml: data set {data.name}")
    if scale in manifest.scales:
        yield from _numbers_in(manifest.scales[scale].description, f"template.yaml: scale {scale}")


def from_code(text: str, where: str) -> Iterator[Quantity]:
    """Numbers with a name in code (``WIDTH = 128``, ``width=128``). A name with several
    (``seeds=(1, 2, 3)``) also yields their count.
    """
    for count, match in enumerate(_ASSIGNED.finditer(text)):
        if count == _MAX_CONSTANTS:
            return
        literals = re.findall(_LITERAL, match[2])
        for literal in literals:
            yield _fixed(float(literal.replace("_", "")), f"{where}: {match[1]}", match[1])
        if len(literals) > 1:
            yield _fixed(len(literals), f"{where}: how many {match[1]}", match[1])


def from_references(tex: str) -> Iterator[Quantity]:
    """The years of the papers in the reference list."""
    for reference in references(tex):
        year = reference.fields.get("year", "")
        if year.isdigit():
            yield _fixed(int(year), f"year of the reference {reference.key}")


def from_counts(named: Iterable[tuple[str, int]]) -> Iterator[Quantity]:
    """Counts by the program, such as the number of runs."""
    for what, count in named:
        yield _fixed(count, f"how many {what}", what.split(" beside ")[0])


def _numbers_in(text: str, where: str) -> Iterator[Quantity]:
    for number in numbers(text):
        yield _fixed(number.value, where)


def _fixed(value: float, source: str, name: str = "") -> Quantity:
    return Quantity(value=float(value), source=source, kind="fixed", name=name)
