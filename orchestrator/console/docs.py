"""``aisci docs``: the documents that came with this program, read in a terminal."""

from __future__ import annotations

import pydoc
import sys
from pathlib import Path

from orchestrator.console import output as out
from orchestrator.core.errors import UnknownName
from orchestrator.core.files import shipped_root
from orchestrator.core.problems import nearest
from orchestrator.core.sanitize import plain

_INDEX = "README"


def show_docs(topic: str, *, as_json: bool) -> None:
    """Print a document, in a pager at a terminal; without a topic, list them."""
    found = documents()
    if not topic:
        rows = [(name, _title(path), str(path)) for name, path in found.items() if name != _INDEX]
        if as_json:
            for name, title, path in rows:
                out.as_json({"topic": name, "title": title, "path": path})
            return
        out.table(("topic", "what it tells"), [row[:2] for row in rows])
        out.say("\naisci docs TOPIC shows one")
        return
    name = topic.removeprefix("docs/").removesuffix(".md")
    if name not in found:
        raise UnknownName(
            "there is no document of this name",
            where=f"aisci docs {topic[:100]}",
            todo=nearest(name, found),
        )
    if as_json:
        out.as_json({"topic": name, "path": str(found[name])})
        return
    text = found[name].read_text("utf-8")
    if sys.stdout.isatty():
        pydoc.pager(plain(text, limit=len(text)))
    else:
        out.say(text.rstrip("\n"))


def documents() -> dict[str, Path]:
    """Each document by its topic; in a wheel they lie beside the templates."""
    return {path.stem: path for path in sorted((shipped_root() / "docs").glob("*.md"))}


def _title(path: Path) -> str:
    with path.open("r", encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()
