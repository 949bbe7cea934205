"""``metrics`` and ``seeds`` of a manifest, from the first run's numbers: lines are added, none is lost.

What a file of numbers does not show is marked: which direction is better, what a metric is, and
which seeds the code used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.core.errors import BadTemplate
from orchestrator.core.strict_yaml import Document, parse
from orchestrator.template.contract.measured import MeasuredRun
from orchestrator.template.contract.words import FILL_IN
from orchestrator.template.draft import is_time, quoted

_SEEDS = re.compile(r"seeds", re.IGNORECASE)
_MOST_SEEDS = 100  # that a manifest may list
_BY_HAND = "write each key on a line of its own below it, or complete it by hand"


@dataclass(frozen=True, slots=True)
class Filled:
    """The new text of a manifest, and what was added to it, one line each."""

    text: str
    written: tuple[str, ...]


def filled_manifest(raw: bytes, path: str, scale: str, run: MeasuredRun, code: str = "") -> Filled:
    """``raw`` with what it lacks. Raises :class:`BadTemplate` where lines cannot be added."""
    document = parse(raw, path, BadTemplate)
    lines, written = document.text.split("\n"), list[str]()
    declared = document.data.get("metrics") or {}
    new = [name for name in run.results.metrics if name not in declared]
    seeds = _seeds(run, code) if "seeds" not in document.data["scales"][scale] else None
    places: list[tuple[int, list[str]]] = []  # below which line, and what
    if seeds is not None:
        places.append(_below_scale(document, lines, scale, seeds))
        written.append(f"scales.{scale}.seeds: {seeds.partition('  #')[0]}")
    if new:
        places.append(_below_metrics(document, lines, new))
        written += [f"metrics.{name}: direction and description to {FILL_IN}" for name in new]
    for line, added in sorted(places, key=lambda place: place[0], reverse=True):
        lines[line:line] = added
    text = "\n".join(lines)
    _require_same(document, parse(text.encode(), path, BadTemplate), new, scale)
    return Filled(text, tuple(written))


def _metric(name: str, indent: str) -> list[str]:
    rows = [
        f"{indent}{quoted(name)}:"
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name)
        else f"{indent}{name}:",
        f"{indent}  direction: none  # {FILL_IN}: lower or higher, if one is better",
        f'{indent}  description: "{FILL_IN}: what it is, and in what unit"',
    ]
    if is_time(name):
        rows.append(f"{indent}  repeatable: false  # by its name a time or a rate")
    return rows


def _below_metrics(document: Document, lines: list[str], new: list[str]) -> tuple[int, list[str]]:
    """Where the new metrics go; an empty mapping becomes the head of a block in ``lines``."""
    known = document.data.get("metrics")
    if ("metrics",) not in document.marks:
        while lines and not lines[-1]:
            lines.pop()
        return len(lines), [
            "",
            "metrics:",
            *(row for name in new for row in _metric(name, "  ")),
            "",
        ]
    at = document.marks[("metrics",)][0] - 1
    if not known:
        empty = re.fullmatch(r"metrics:\s*(?:\{\s*\}|~|null)?\s*(#.*)?", lines[at])
        if empty is None:
            raise document.bad(("metrics",), "metrics cannot be added here", todo=_BY_HAND)
        comment = empty[1] if empty[1] and FILL_IN not in empty[1] else ""
        lines[at] = f"metrics:  {comment}".rstrip()
        return at + 1, [row for name in new for row in _metric(name, "  ")]
    if not re.fullmatch(r"metrics:\s*(?:#.*)?", lines[at]):
        raise document.bad(("metrics",), "metrics cannot be added here", todo=_BY_HAND)
    indent = " " * (min(document.marks["metrics", name][1] for name in known) - 1)
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " #"):
        end += 1
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1
    return end, [row for name in new for row in _metric(name, indent)]


def _below_scale(
    document: Document, lines: list[str], scale: str, seeds: str
) -> tuple[int, list[str]]:
    at = document.marks["scales", scale][0] - 1
    if not re.fullmatch(r"""\s+["']?[^:{}]+["']?:\s*(?:#.*)?""", lines[at]):
        raise document.bad(("scales", scale), "seeds cannot be added here", todo=_BY_HAND)
    column = min(
        mark[1]
        for loc, mark in document.marks.items()
        if loc[:2] == ("scales", scale) and len(loc) == 3
    )
    return at + 1, [f"{' ' * (column - 1)}seeds: {seeds}"]


def _seeds(run: MeasuredRun, code: str) -> str | None:
    """The value of ``seeds``: those that the code names, or as many as there are values."""
    counts = {
        data: max(len(values) for values in metrics.values())
        for data, metrics in run.values.items()
        if metrics
    }
    if not counts:
        return None
    most = max(counts.values())
    if most > _MOST_SEEDS:
        raise BadTemplate(
            f"a metric has {most} values, and a value counts as that of a seed",
            where="run_0/final_info.json: final_info_dict",
            why=f"seeds are at most {_MOST_SEEDS}: nothing was written to the manifest",
            todo="give one value for each seed: FOUND.append behind the loop over epochs, not in it",
        )
    mark = f"  # {FILL_IN}: the seeds that the code uses; the run has so many values"
    if len(set(counts.values())) == 1:
        count = next(iter(counts.values()))
        named = _named(code, count)
        return f"[{_row(named)}]" if named else f"[{_row(tuple(range(count)))}]{mark}"
    each = (f"{quoted(data)}: [{_row(tuple(range(count)))}]" for data, count in counts.items())
    return f"{{{', '.join(each)}}}{mark}"


def _row(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))


def _named(code: str, count: int) -> tuple[int, ...]:
    """The seeds of a constant such as ``SEEDS = (1, 2, 3)``, if it has so many."""
    for line in code.split("\n"):
        name, _, value = line.partition("=")
        if not (name.strip().isidentifier() and _SEEDS.search(name)) or line[:1].isspace():
            continue
        try:
            found = ast.literal_eval(value.partition("#")[0].strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        row = found if isinstance(found, tuple | list) else ()
        if len(row) == count and all(type(one) is int and 0 <= one < 2**32 for one in row):
            return tuple(row)
    return ()


def _require_same(old: Document, new: Document, names: list[str], scale: str) -> None:
    """Raise unless ``new`` says all that ``old`` says, and what was added besides."""
    said: Mapping[str, object] = new.data
    metrics = {k: v for k, v in (new.data.get("metrics") or {}).items() if k not in names}
    scales = {name: dict(one) for name, one in new.data["scales"].items()}
    if "seeds" not in old.data["scales"][scale]:
        scales[scale].pop("seeds", None)
    back = {**said, "metrics": metrics, "scales": scales}
    before = {**old.data, "metrics": old.data.get("metrics") or {}}
    if back != before:
        raise old.bad((), "lines cannot be added to this manifest", todo=_BY_HAND)
