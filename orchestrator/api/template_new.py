"""Begin a template: a blank, a copy of one that works, or a researcher's own script in its frame."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.template_adopt import PROGRAM
from orchestrator.core.errors import BadTemplate, UnknownName, UserError
from orchestrator.core.files import plain_lines, shipped_root, utf8_text, write
from orchestrator.core.python_source import parse_python
from orchestrator.template.blank import COMMON, Blank, ManifestFacts, blank_manifest
from orchestrator.template.contract.files import UNPICKLING
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.contract.words import blank, borrowed
from orchestrator.template.draft import Seen
from orchestrator.template.folder import MANIFEST, without_base
from orchestrator.template.imports import files_imported
from orchestrator.template.script import ScriptReading, read_script
from orchestrator.template.script_facts import relative_texts
from orchestrator.template.template import Template, from_files, load_template

_MOST_CODE = 1 << 20  # bytes of a script
_MOST_DATA = 4  # files that are named


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """What was written. ``source`` was copied, ``script`` taken up, with ``reading`` of it;
    ``brought`` are the files of its folder that it imports. ``to_write`` is left to a person.
    """

    template: Template
    source: Template | None = None
    script: Path | None = None
    reading: ScriptReading | None = None
    brought: tuple[str, ...] = ()
    to_write: tuple[RuleFinding, ...] = ()

    @property
    def place(self) -> str:
        """Its folder as an argument of a command in a shell."""
        return _argument(self.template.origin)


def begin_template(
    folder: Path, *, source: str | None = None, script: Path | None = None
) -> NewTemplate:
    """Write a new ``folder``. Raises :class:`UserError` where it cannot be one."""
    _may_begin(folder, source, script)
    if script is not None:
        return _from_script(folder, script)
    if source is not None:
        return _copied(folder, source)
    shipped = Blank.shipped(shipped_root())
    files = _framed(folder, shipped, ManifestFacts(_seen(shipped.files), scales=shipped.scales))
    return NewTemplate(_written(folder, files), to_write=tuple(blank(_template(files, folder))))


def _may_begin(folder: Path, source: str | None, script: Path | None) -> None:
    for given in (str(folder), source or ""):
        if given.endswith(".py"):
            named = given if given == source else str(folder)
            raise UserError(
                "a script is no template",
                where=named,
                todo=f"aisci template new ./mine --script {named}   takes it up as it is",
            )
    if source is not None and script is not None:
        raise UserError(
            "a template begins from one thing",
            where="--from and --script",
            todo="leave one of them out",
        )
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name):
        raise UserError(
            f"{name!r} cannot be a template's name",
            where=str(folder),
            todo="use letters, digits, dots, dashes and underscores, the first a letter or digit",
        )
    above = next((one for one in folder.absolute().parents if one.exists()), folder)
    if not above.is_dir():
        raise UserError(
            "a file is where a folder would be",
            where=str(above),
            todo="name a folder that does not exist yet, below one that does",
        )
    if folder.exists() or folder.is_symlink():
        raise UserError(
            "something is there already; it is never written over",
            where=str(folder),
            todo="name a folder that does not exist yet",
        )


def _template(files: Mapping[str, bytes], folder: Path) -> Template:
    return from_files(files, folder.resolve().name, str(folder))


def _written(folder: Path, files: Mapping[str, bytes]) -> Template:
    made = _template(files, folder)  # it must load
    for path, data in files.items():
        write(folder / path, data)
    return made


def _seen(files: Mapping[str, bytes]) -> Seen:
    return Seen(from_files(files, "new", "new"), None)


def _framed(folder: Path, shipped: Blank, facts: ManifestFacts) -> dict[str, bytes]:
    manifest = blank_manifest(shipped.head, folder.resolve().name, facts)
    return {**facts.seen.template.files, MANIFEST: manifest}


def _copied(folder: Path, source: str) -> NewTemplate:
    template = load_template(source, shipped_root())
    files = dict(template.files)
    if MANIFEST in files:
        text, name = without_base(template.text(MANIFEST)), folder.resolve().name
        named = re.sub(r"^name:.*$", f"name: {name}", text, count=1, flags=re.MULTILINE)
        files[MANIFEST] = named.encode()
    made = _written(folder, files)
    return NewTemplate(made, template, to_write=(*borrowed(made), *blank(made)))


def _from_script(folder: Path, script: Path) -> NewTemplate:
    shipped, source = Blank.shipped(shipped_root()), _code(script)
    try:
        reading = read_script(source, folder.resolve().name)
        own = dict(_beside(script, source))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise BadTemplate(
            f"{script.name} is not Python",
            where=f"{script}:{line}" if line else str(script),
            why=str(error),
            todo="name a script that Python 3.11 runs",
        ) from error
    files = {**shipped.files, PROGRAM: reading.text.encode(), **own}
    facts = ManifestFacts(_seen(files), reading.helps, tuple(own))
    files = _framed(folder, shipped, facts)
    made = _written(folder, files)
    place = _argument(str(folder))
    reading.todo += _data_beside(script, source, place)
    if facts.seen.absent:
        named = ", ".join(one.module for one in facts.seen.absent)
        reading.todo.append(
            f"{made.manifest.lock}: list the packages of {named}, which the image lacks "
            f"(docs/templates.md, Packages); then: aisci images build {place}"
        )
    return NewTemplate(
        made,
        script=script,
        reading=reading,
        brought=tuple(own),
        to_write=tuple(one for one in blank(made) if not one.where.startswith(PROGRAM)),
    )


def _argument(folder: str) -> str:
    return shlex.quote(folder if "/" in folder else f"./{folder}")


def _data_beside(script: Path, source: str, place: str) -> Iterator[str]:
    """What to do with files that the script names and that lie beside it: none is copied unasked."""
    named = [one for one in relative_texts(parse_python(source)) if (script.parent / one).is_file()]
    for one in named[:_MOST_DATA]:
        inner = f"{place}/{shlex.quote(str(Path(one).parent))}" if "/" in one else ""
        first = f"mkdir -p {inner} && " if inner else ""
        opaque = one.endswith(UNPICKLING)
        also = ", with the line opaque_files: true in template.yaml" if opaque else ""
        yield (
            f"if a run reads {one}: {first}cp {shlex.quote(str(script.parent / one))} "
            f"{inner or place}/{also}; a run has no files but the template's"
        )


def _code(script: Path) -> str:
    if not script.is_file():
        raise UnknownName(
            "no such script", where=str(script), todo="name a Python file that exists"
        )
    if script.suffix == ".ipynb":
        raise BadTemplate(
            "a notebook is no script",
            where=str(script),
            todo=f"jupyter nbconvert --to script {shlex.quote(str(script))}\n"
            "take lines with get_ipython() out of what it writes, then give that to --script",
        )
    with script.open("rb") as file:
        data = file.read(_MOST_CODE + 1)
    if len(data) > _MOST_CODE:
        todo = "take large tables out of it"
        raise BadTemplate(f"{script.name} is too large for code", where=str(script), todo=todo)
    return plain_lines(utf8_text(data, script.name, str(script), BadTemplate))


def _beside(script: Path, source: str) -> Iterator[tuple[str, bytes]]:
    """The Python files of the script's folder that it imports, directly or not."""
    waiting, seen = [source], {script.name}
    while waiting:
        for path in files_imported(waiting.pop()):
            file = script.parent / path
            if path in seen or not file.is_file() or file.is_symlink():
                continue
            seen.add(path)
            if path in (COMMON, PROGRAM, "plot.py"):
                raise UserError(
                    f"the script imports {path}, a name that the template needs for its own",
                    where=str(file),
                    todo="rename that file, and its import in the script",
                )
            text = _code(file)
            waiting.append(text)
            yield path, text.encode()
