"""Rules for a template's words: no mark of a blank is left, and none are those of a shipped template.

A paper quotes them and a model believes them, so a study on words of another subject is a false one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST, PAPER, base_of, shipped_templates
from orchestrator.template.template import Template, load_template

FILL_IN = "FILL IN"
IDEAS, LIBRARY, PROMPT = "seed_ideas.json", "library.json", "prompt.json"
_TEXTS = (".py", ".yaml", ".json", ".tex", ".md", ".txt", ".bib")
_ENTRY = re.compile(r"^@\w+\{.*?(?=^@|\Z)", re.MULTILINE | re.DOTALL)
_BIBLIOGRAPHY = re.compile(r"\\begin\{filecontents\}[^\n]*\n(.*?)\\end\{filecontents\}", re.DOTALL)


def blank(template: Template) -> Iterator[RuleFinding]:
    """Each line that still has the mark."""
    for path in template.files:
        if not path.endswith(_TEXTS) or FILL_IN.encode() not in template.files[path]:
            continue
        try:
            lines = template.text(path).split("\n")
        except BadTemplate:
            continue
        for number, line in enumerate(lines, 1):
            if FILL_IN in line:
                said = line[line.index(FILL_IN) :].strip().strip('",')[:100]
                yield RuleFinding(f"{path}:{number}", said, "")  # the mark says what to do


@dataclass(frozen=True, slots=True)
class _Words:
    """What a template says in words: each text by its place, and lists of texts by their file."""

    texts: Mapping[tuple[str, str], str]
    lists: Mapping[str, frozenset[str]]


def borrowed(template: Template) -> Iterator[RuleFinding]:
    """Words that are still those of a shipped template, unless it is that template or extends it."""
    mine, base = _words(template.files), base_of(template.files)
    root = shipped_root()
    names = shipped_templates(root)
    if template.name in names and load_template(template.name, root).hash == template.hash:
        return
    theirs = {name: _shipped_words(root, name) for name in names if name != base}
    kept = _shipped_words(root, base) if base in names else _Words({}, {})
    systems = [words.texts.get((PROMPT, "system")) for words in theirs.values()]
    common = frozenset(text for text in systems if text and systems.count(text) > 1)  # nobody's own
    same = {name: tuple(_same(mine, other, kept, common)) for name, other in theirs.items()}
    told: set[str] = set()
    for name in sorted(same, key=lambda name: -len(same[name])):
        for where, what in same[name]:
            if where not in told:
                told.add(where)
                base = base_of(load_template(name, root).files) or name
                yield RuleFinding(where, what.format(f"{name}'s"), _todo(where, base))


def _todo(where: str, name: str) -> str:
    if where == LIBRARY:
        return "list papers of your own subject, or write [] into it"
    if where == PAPER:
        return "write references of your own subject, or none"
    own = f"write your own; a variation on the same study says `extends: {name}` in {MANIFEST}"
    return own if where != MANIFEST else "write your own"


def _same(
    mine: _Words, other: _Words, kept: _Words, common: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """(place, what) of everything in ``mine`` that is also in ``other``, and not rightly kept."""
    texts = [
        place
        for place, text in mine.texts.items()
        if text and text == other.texts.get(place) and text != kept.texts.get(place)
    ]
    for path in dict.fromkeys(path for path, _ in texts):
        keys = [key for at, key in texts if at == path]
        if all(mine.texts[path, key] in common for key in keys):
            continue
        every = path != MANIFEST and len(keys) == sum(at == path for at, _ in mine.texts)
        whole = f"{path} is still {{}}, word for word"
        yield path, whole if every else f"{', '.join(keys)} of {path}: still {{}}, word for word"
    for path, entries in mine.lists.items():
        shared = (entries & other.lists.get(path, frozenset())) - kept.lists.get(path, frozenset())
        if path == IDEAS and shared:
            whole = f"{path} is still {{}}, word for word"
            some = f"{len(shared)} of {len(entries)} ideas of {path} are still {{}}, word for word"
            yield path, whole if shared == entries else some
        elif shared and shared == entries:
            what = "the references of " if path == PAPER else ""
            verb = "are" if path == PAPER else "is"
            yield path, f"{what}{path} {verb} still {{}}, word for word"


@lru_cache(maxsize=64)
def _shipped_words(root: Path, name: str) -> _Words:
    return _words(load_template(name, root).files)


def _words(files: Mapping[str, bytes]) -> _Words:
    """The words of these files, with blanks evened out; what cannot be read has none."""
    prompt, texts = _json(files, PROMPT), dict[tuple[str, str], str]()
    for key in ("system", "task_description") if isinstance(prompt, dict) else ():
        texts[PROMPT, key] = _even(prompt.get(key))
    stated = files.get(MANIFEST, b"").decode("utf-8", "replace")
    texts |= {(MANIFEST, key): _stated(stated, key) for key in ("title", "description", "question")}
    ideas, library = _json(files, IDEAS), _json(files, LIBRARY)
    paper = _BIBLIOGRAPHY.search(files.get(PAPER, b"").decode("utf-8", "replace"))
    return _Words(
        texts,
        {
            IDEAS: _entries(ideas, "Experiment"),
            LIBRARY: _entries(library, "title"),
            PAPER: frozenset(map(_even, _ENTRY.findall(paper[1]) if paper else ())),
        },
    )


def _entries(value: Any, key: str) -> frozenset[str]:
    rows = value if isinstance(value, list) else []
    return frozenset(_even(row.get(key)) for row in rows if isinstance(row, dict))


def _stated(manifest: str, key: str) -> str:
    """A key's words at the top level of a manifest, as they stand in the file."""
    found = re.search(rf"^{key}:(.*\n(?:[ \t]+.*\n)*)", manifest, re.MULTILINE)
    return _even(found[1]) if found else ""


def _even(text: Any) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""


def _json(files: Mapping[str, bytes], path: str) -> Any:
    try:
        return json.loads(files.get(path, b"null"))
    except (ValueError, RecursionError):
        return None
