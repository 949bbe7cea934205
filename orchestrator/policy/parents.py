"""The files that a policy extends: each is what its name says, and the last one limits every setting.

A child is held to what its parents write. So a parent that extends nothing is the only ceiling of its
children, and one that has a block alone is no ceiling of anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.core.strict_yaml import Document
from orchestrator.policy.compare import flat_settings
from orchestrator.policy.inherit import effective, find_document
from orchestrator.policy.lint import LintRow
from orchestrator.policy.schema import BLOCKS

_COMPARE = "or compare it: `aisci policy check --no-weaker-than base`"


def no_ceiling(document: Document, shipped: Path) -> Iterator[LintRow]:
    """A row where the last policy that ``document`` extends leaves settings without any limit."""
    last = document
    while "extends" in last.data:
        last = find_document(last.data["extends"], shipped, beside=Path(last.path).parent)
    if last is document:
        return  # which is told of it as a policy that extends nothing
    if Path(last.path).parent != shipped:
        what = f"{Path(last.path).name!r}, the last policy that it extends, extends nothing: no ceiling"
        yield LintRow("extends", what, f"add `extends: base` there, {_COMPARE}", "no-ceiling")
    elif missing := [key for key in ("experiment", "idea", "run") if key not in last.data]:
        what = f"{last.data['name']!r} has no {', '.join(missing)}: no other policy limits these"
        yield LintRow("extends", what, f"write `extends: base`, {_COMPARE}", "no-ceiling")


def refuse_false_parents(document: Document, shipped: Path) -> None:
    """Raise the document's error where a file that it extends has a shipped policy's name and other settings:
    the line of its parents would then name a ceiling that it does not have.
    """
    for loc, name in _extended(document.data):
        parent = find_document(name, shipped, beside=Path(document.path).parent)
        known = shipped / f"{parent.data['name']}.yaml"
        if "/" in name and known.is_file():
            genuine = find_document(known.stem, shipped, beside=shipped)
            if _all_set(parent, shipped) != _all_set(genuine, shipped):
                raise document.bad(
                    loc,
                    f"{name[:80]!r} has the name of the shipped policy {known.stem!r}, and is another",
                    why="records and reports name a policy by this name",
                    todo=f"give that file a name of its own, or write `extends: {known.stem}`",
                    rule="name",
                )
        refuse_false_parents(parent, shipped)


def _all_set(document: Document, shipped: Path) -> dict[tuple[str, ...], Any]:
    """Every setting of a file after inheritance; a key that says what its absence says is left out."""
    settings = flat_settings(effective(document, shipped).settings)
    return {path: value for path, value in settings.items() if value is not False}


def _extended(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each policy that a file extends, with its place: as a whole, and for one block."""
    if "extends" in data:
        yield ("extends",), data["extends"]
    for block in BLOCKS:
        inside = data.get(block)
        if isinstance(inside, dict) and "extends" in inside:
            yield (block, "extends"), inside["extends"]
