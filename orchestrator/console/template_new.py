"""``aisci template new``: what was written, what was changed in a script, and what is left to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from orchestrator.api.template_new import NewTemplate, begin_template
from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.core.sanitize import plain_line

_MOST = 12  # lines of one kind


def new_template(folder: Path, source: str | None = None, script: Path | None = None) -> None:
    """Write a new template, and print what to do next."""
    made = begin_template(folder, source=source, script=script)
    for line in _lines(made, made.place):
        indent = " " * (11 if line.startswith(("  changed", "  to do")) else 2)
        command = line.startswith("  aisci")
        out.say(line if command else fill(line, out.width(), subsequent_indent=indent))


def _lines(made: NewTemplate, place: str) -> Iterator[str]:
    files = counted(len(made.template.files), "file")
    if made.source is not None:
        yield f"{place}: {files}, copied from {made.source.argument}"
        yield from _of_a_copy(made, place)
    elif made.script is not None:
        brought = f", and of {', '.join(made.brought)}, which it imports" if made.brought else ""
        yield f"{place}: {files}; experiment.py is a copy of {made.script}{brought}"
        yield from _of_a_script(made)
    else:
        yield f"{place}: {files}; a small experiment that runs, to be replaced by yours"
        yield from _to_write(made)
    yield "next:"
    if made.source is None:
        yield f"  aisci template check {place} --run --write    # and write down what it measures"
    yield f"  aisci template check {place} --run"
    scale = next(iter(made.template.manifest.scales))
    yield f"  aisci run {place} --scale {scale} --policy ci-cpu --dry-run"


def _of_a_copy(made: NewTemplate, place: str) -> Iterator[str]:
    if made.template.inferred:
        yield "it has no template.yaml; draft one, then edit that and experiment.py:"
        yield f"  aisci template adopt {place}"
    if made.to_write:
        yield "to write anew, or a check refuses it:"
    for one in made.to_write[:_MOST]:
        yield f"  {plain_line(one.what, limit=100)}"
    yield "then edit experiment.py, and template.yaml with it"


def _of_a_script(made: NewTemplate) -> Iterator[str]:
    assert made.reading is not None
    lines = [(" changed", one) for one in made.reading.changes[:_MOST]]
    if len(made.reading.changes) > _MOST:
        lines.append((" changed", f"and {len(made.reading.changes) - _MOST} more places"))
    for what, one in lines:
        yield f" {what}  {plain_line(one, limit=150)}"
    for one in made.reading.todo:
        yield f"  to do    {plain_line(one, limit=300)}"
    yield from _to_write(made)


def _to_write(made: NewTemplate) -> Iterator[str]:
    counts = Counter(one.where.partition(":")[0] for one in made.to_write)
    if counts:
        named = ", ".join(f"{path} ({count})" for path, count in counts.items())
        yield f"lines to FILL IN, which a check names: {named}"
