"""An error as a person reads it: one screen, what and where and why and what to do."""

from __future__ import annotations

import json
import re
import sys

from rich.console import Console
from rich.text import Text

from orchestrator.core.errors import AisciError
from orchestrator.core.sanitize import plain, plain_line

_INCOMPLETE = re.compile(r"^aisci (resume|run|replay|report|audit)$|\b[A-Z]{3,}\b|…")
"""A command that still wants a name to be put in."""
SCREEN = 2400  # characters of one field: a list of a dozen errors


def show_error(error: AisciError, *, as_json: bool) -> None:
    """Print ``error``: a panel on stderr, or one JSON object on stdout."""
    if as_json:
        print(json.dumps({"error": _as_dict(error)}), flush=True)  # noqa: T201 - stdout is the answer
        return
    lines = [f"aisci: {_kind(error)}", f"  {plain(error.what, limit=SCREEN)}"]
    for name, value in _fields(error):  # later lines stand below the first
        lines.append(f"  {name + ':':<7}" + value.replace("\n", "\n" + " " * 9))
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        sys.stderr.write("\n".join(lines) + "\n")
        return
    colour = "yellow" if error.exit_code == 130 else "red"
    styles = {0: f"bold {colour}", 1: "bold"}
    for number, line in enumerate(
        lines
    ):  # wrapped by the terminal alone: paths stay whole in a copy
        style = "green" if line.startswith("  do:") else styles.get(number, "")
        console.print(Text(line, style=style), soft_wrap=True)
    for command in commands_in(error.todo):
        console.print(Text(command), soft_wrap=True)


def commands_in(todo: str) -> list[str]:
    """Each command that a person may type next, to be shown alone on a line."""
    found = re.findall(r"`(aisci [^`\n]+)`|: (aisci resume \S+)$", todo, re.MULTILINE)
    commands = [plain_line(one or other, limit=1000) for one, other in found]
    return [one for one in dict.fromkeys(commands) if not _INCOMPLETE.search(one)]


def _kind(error: AisciError) -> str:
    return {2: "this cannot be done as asked", 130: "stopped"}.get(error.exit_code, "failed")


def _as_dict(error: AisciError) -> dict[str, str | int]:
    names = ("what", "where", "why", "todo", "exit_code")
    return {"type": type(error).__name__, **{name: getattr(error, name) for name in names}}


def _fields(error: AisciError) -> list[tuple[str, str]]:
    pairs = (("where", error.where), ("why", error.why), ("do", error.todo))
    return [(name, _fitting(value)) for name, value in pairs if value]


def _fitting(value: str) -> str:
    """A text that fits a screen; of a long one, its beginning and its end, which often says why."""
    if len(value) <= SCREEN:
        return plain(value, limit=SCREEN)
    head, tail = value[: SCREEN // 4], value[-3 * SCREEN // 4 :]
    left_out = len(value) - len(head) - len(tail)
    return f"{plain(head)}\n… ({left_out} characters left out)\n{plain(tail)}"
