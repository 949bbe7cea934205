"""Edits in Aider's SEARCH/REPLACE format, made from the files that the editor showed."""

from __future__ import annotations

import re

from orchestrator.core.model import Ask

_SHOWN = re.compile(r"^([\w./-]+)\n(`{3,})[a-z]*\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


def shown_files(ask: Ask) -> dict[str, str]:
    """The files as the editor lists them: a path line, then a fence; the last listing wins."""
    return {
        path: text
        for message in ask.messages
        if message.role == "user"
        for path, _, text in _SHOWN.findall(message.content)
    }


def replace(path: str, old: str, new: str) -> str:
    """One SEARCH/REPLACE block; an empty ``old`` fills a new or empty file."""
    search = f"{old}\n" if old else ""
    fence = "````" if "```" in old + new else "```"
    return f"{path}\n{fence}\n<<<<<<< SEARCH\n{search}=======\n{new}\n>>>>>>> REPLACE\n{fence}\n"
