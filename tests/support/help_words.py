"""Whether the words of a command in a document are a command of the program, with options that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from cli import app

ROOT_COMMAND: Any = typer.main.get_command(app)


def commands_in(page: str) -> list[list[str]]:
    """The words after ``aisci`` of each command in a page's code, in a line or in a block."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    )
    found = (re.match(r"\s*aisci ([a-z][^|#;]*)", line) for line in lines)
    return [match[1].split() for match in found if match]


def faults_of_words(words: list[str]) -> Iterator[str]:
    """What is wrong with ``aisci WORDS``: no such command, or no such option. Prose after it ends it."""
    command, rest = ROOT_COMMAND, list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if command is ROOT_COMMAND:
        yield f"no command: aisci {' '.join(words)[:60]}"
        return
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for word in rest:
        name = word.partition("=")[0].strip(",.:)")
        if name.startswith("--") and name not in known:
            yield f"no option {name}: aisci {' '.join(words)[:60]}"
