"""Prompts: Markdown files, rendered strictly, with their data in named fenced JSON blocks.

A prompt file contains ``<<name>>`` for a value; a missing or superfluous value is an error. Data
(ideas, results, papers, the output of a container) is untrusted: it is JSON inside a fence that it
cannot close, never prose.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

_ONE_LINE = 160  # characters of an object that is written on one line
_SLOT = re.compile(r"<<([a-z_]+)>>")
_BLOCK = re.compile(r"^```json ([a-z_]+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@cache
def prompt_text(name: str) -> str:
    """The text of ``orchestrator/research/prompts/<name>.md``."""
    return (resources.files(__name__) / f"{name}.md").read_text("utf-8")


def render(name: str, **values: str) -> str:
    """The prompt ``name`` with every slot filled. Raises ``KeyError`` if slots and values differ."""
    text = prompt_text(name)
    slots = set(_SLOT.findall(text))
    if slots != values.keys():
        raise KeyError(f"prompt {name}.md: slots {sorted(slots)}, values {sorted(values)}")
    return _SLOT.sub(lambda match: values[match[1]], text).strip() + "\n"


def block(name: str, value: Any) -> str:
    """``value`` as a fenced JSON block; backticks are escaped, so no text ends the fence."""
    text = _written(json.loads(json.dumps(value, allow_nan=False)), "")
    return f"```json {name}\n{text.replace('`', chr(92) + 'u0060')}\n```"


def _written(value: Any, margin: str) -> str:
    """JSON with a line for each part, but a table's row, a plain list and a short object on one."""
    inner = margin + " "
    flat = isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values())
    if flat and margin and len(line := _plain(value)) <= _ONE_LINE:
        return line
    if isinstance(value, dict) and value:
        rows = [f"{_plain(key)}: {_written(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(inner + row for row in rows) + f"\n{margin}}}"
    if (
        isinstance(value, list)
        and any(isinstance(one, dict | list) for one in value)
        and not _is_row(value)
    ):
        rows = [_written(one, inner) for one in value]
        return "[\n" + ",\n".join(inner + row for row in rows) + f"\n{margin}]"
    return _plain(value)


def _is_row(value: list[Any]) -> bool:
    """Whether a list is a table's row: it begins with a name, and each cell is plain or a list of what is plain."""
    cells = [one for cell in value for one in (cell if isinstance(cell, list) else [cell])]
    return isinstance(value[0], str) and not any(isinstance(one, dict | list) for one in cells)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of the same keys as ``columns`` and ``rows``."""
    return {"columns": [*rows[0]] if rows else [], "rows": [[*row.values()] for row in rows]}


def from_table(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of :func:`as_table` again."""
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def text_block(name: str, text: str) -> str:
    """``text`` in a fence that is longer than any run of backticks in it, so that it cannot end it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(4, longest + 1)
    return f"{fence}text {name}\n{text.rstrip()}\n{fence}"


def data_blocks(text: str) -> dict[str, Any]:
    """The named blocks of a rendered prompt; a later block of the same name wins."""
    return {name: json.loads(body) for name, body in _BLOCK.findall(text)}


def prompts_hash() -> str:
    """One hash over every prompt file, for the run's pins."""
    folder = resources.files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    whole = hashlib.sha256()
    for name in names:
        whole.update(f"{name}\0{(folder / name).read_text('utf-8')}\0".encode())
    return whole.hexdigest()
