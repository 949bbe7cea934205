"""``aisci docs``: the documents that came with this program, read in a terminal."""

from __future__ import annotations

import pydoc
import sys
from pathlib import Path
from textwrap import fill

from orchestrator.console import output as out
from orchestrator.core.errors import UnknownName
from orchestrator.core.files import shipped_root
from orchestrator.core.problems import nearest
from orchestrator.core.sanitize import plain

_INDEX = "README"
_PAGES = "templates/"


def show_docs(topic: str, *, as_json: bool) -> None:
    """Print a document, in a pager at a terminal; without a topic, list them."""
    found = documents()
    if not topic:
        rows = [(name, _title(path), str(path)) for name, path in found.items() if name != _INDEX]
        if as_json:
            for name, title, path in rows:
                out.as_json({"topic": name, "title": title, "path": path})
            return
        out.table(("topic", "what it tells"), [row[:2] for row in rows if "/" not in row[0]])
        pages = [name.removeprefix(_PAGES) for name in found if name.startswith(_PAGES)]
        out.say(f"\naisci docs TOPIC shows one; {_PAGES}NAME is the page of a shipped template:")
        out.say(fill(", ".join(pages), width=80))
        return
    name = topic.removeprefix("docs/").removesuffix(".md")
    name = name if name in found else next((n for n in found if n == _PAGES + name), name)
    if name not in found:
        raise UnknownName(
            "there is no document of this name",
            where=f"aisci docs {topic[:100]}",
            todo=nearest(name, (n.removeprefix(_PAGES) for n in found)),
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
    """Each document by its topic; in a wheel they lie beside the templates.

    The page of a shipped template has the topic ``templates/NAME``.
    """
    root = shipped_root() / "docs"
    found = [*sorted(root.glob("*.md")), *sorted(root.glob(f"{_PAGES}*.md"))]
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in found}


def _title(path: Path) -> str:
    with path.open("r", encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()
