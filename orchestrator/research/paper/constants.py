"""The fixed numbers that a paper may print: settings, constants of the code, years, counts.

They come from what people or the program wrote down (the manifest, the template's code, each
run's code, the references), and a printed number must equal them exactly.
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
_MOST = 2000  # named constants of one file


def from_manifest(manifest: Manifest, scale: str) -> Iterator[Quantity]:
    """Knob values, and every number in what the manifest says in words."""
    for name, knob in manifest.knobs.items():
        for value in {knob.default, *knob.values}:
            yield _fixed(float(value), f"template.yaml: a value of the knob {name}", name)
    yield from _said(manifest.title, "template.yaml: title")
    yield from _said(manifest.description, "template.yaml: description")
    yield from _said(manifest.question or "", "template.yaml: question")
    for name, metric in manifest.metrics.items():
        yield from _said(f"{name} {metric.description}", f"template.yaml: metric {name}")
    for name, knob in manifest.knobs.items():
        yield from _said(knob.description, f"template.yaml: knob {name}")
    for data in manifest.data:
        yield from _said(data.description, f"template.yaml: data set {data.name}")
    if scale in manifest.scales:
        yield from _said(manifest.scales[scale].description, f"template.yaml: scale {scale}")


def from_code(text: str, where: str) -> Iterator[Quantity]:
    """Numbers that code gives a name (``WIDTH = 128``, ``width=128``), and how many of them.

    A name with several (``seeds=(1, 2, 3)``) also yields its count.
    """
    for count, match in enumerate(_ASSIGNED.finditer(text)):
        if count == _MOST:
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
    """Things that the program counted, such as runs and data sets."""
    for what, count in named:
        yield _fixed(count, f"how many {what}", what.split(" beside ")[0])


def _said(text: str, where: str) -> Iterator[Quantity]:
    for number in numbers(text):
        yield _fixed(number.value, where)


def _fixed(value: float, source: str, name: str = "") -> Quantity:
    return Quantity(value=float(value), source=source, kind="fixed", name=name)
