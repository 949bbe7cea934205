"""An error as a person reads it: one screen, what and where and why and what to do."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from orchestrator.core.errors import AisciError
from orchestrator.core.sanitize import plain

SCREEN = 2400  # characters of one field: a list of a dozen errors


def show_error(error: AisciError, *, as_json: bool) -> None:
    """Print ``error``: a panel on stderr, or one JSON object on stdout."""
    if as_json:
        print(json.dumps({"error": _as_dict(error)}), flush=True)  # noqa: T201 - stdout is the answer
        return
    console = Console(stderr=True, highlight=False, soft_wrap=False)
    if console.is_terminal:
        console.print(_panel(error))
    else:
        lines = [f"aisci: {_kind(error)}", f"  {plain(error.what, limit=SCREEN)}"]
        for name, value in _fields(error):  # later lines stand below the first
            lines.append(f"  {name + ':':<7}" + value.replace("\n", "\n" + " " * 9))
        sys.stderr.write("\n".join(lines) + "\n")


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


def _panel(error: AisciError) -> Panel:
    body = Table.grid(padding=(0, 2))
    body.add_column(style="dim", justify="right", no_wrap=True)
    body.add_column(overflow="fold")
    body.add_row("", Text(plain(error.what, limit=SCREEN), style="bold"))
    for name, value in _fields(error):
        body.add_row(name, Text(value, style="green" if name == "do" else ""))
    colour = "yellow" if error.exit_code == 130 else "red"
    title = Text(f"aisci · {_kind(error)}")
    return Panel(body, title=title, title_align="left", border_style=colour)
