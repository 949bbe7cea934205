"""A paper and its results in a folder without a record, in the AI Scientist's format.

A stranger may have made the folder: only plain files are read, each within a bound. A file that the check cannot
do without is an error where it cannot be read; a run that cannot be read is left out, and named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.api.held_papers import HeldPaper
from orchestrator.api.paper_parts import PaperParts
from orchestrator.core.errors import BadFile, BadResults, UnknownName, UserError
from orchestrator.core.filenames import shown
from orchestrator.core.files import utf8_text
from orchestrator.core.untrusted import NotPlain, read_named, read_plain
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.importing.included import with_included
from orchestrator.research.importing.notes_file import ReadNotes, read_notes
from orchestrator.research.paper.latex import BEGIN, TEX
from orchestrator.research.paper.references import references
from orchestrator.template.results import parse_final_info, per_seed
from orchestrator.template.template import Template, from_files

_MOST_RUNS = 200
_MOST_BYTES = 4 << 20  # of a paper's source, or of a file of code
_MOST_ENTRIES = 20_000  # names that are looked at
_RUN = re.compile(r"run_(\d+)")
_INFO = "final_info.json"


def paper_in_folder(folder: Path, scale: str) -> HeldPaper:
    """A folder with ``run_i/final_info.json``, the code of the runs, and a paper. Raises :class:`UnknownName` for
    what is not there, :class:`BadFile` for what cannot be read.
    """
    source = _source_in(folder)
    tex, unread = with_included(_text(source), PaperParts(folder, source.parent))
    left = list(_left_out(folder))
    notes = _notes(folder)
    records = [one for number in range(_MOST_RUNS) if (one := _record(folder, number, notes))]
    if not records:
        raise UnknownName(
            "there are no results beside this paper",
            where=str(folder),
            why="\n".join(f"{name}: {why}" for name, why in left[:12])
            or "it holds no run_0/final_info.json",
            todo="name the folder that holds run_0/, run_1/ … and the paper",
        )
    template = _template(folder)
    manifest = template.manifest if template else None
    scale = _scale(template, scale, folder)
    return HeldPaper(
        source=str(source.relative_to(folder)),
        tex=tex,
        ledger=build_ledger(
            records,
            manifest.metrics if manifest else {},
            manifest.headline if manifest else (),
            scale,
            manifest,
            years=years_in(tex),
        ),
        records=tuple(records),
        manifest=manifest,
        scale=scale,
        described={},
        left_out=(*unread, *left),
    )


def years_in(tex: str) -> list[int]:
    """The years of a source's references."""
    years = [one.fields.get("year", "") for one in references(tex)]
    return [int(year) for year in years if re.fullmatch(r"\d{4}", year)]


def require_no_file(path: Path) -> None:
    """Raise :class:`UserError` where a file is named in place of the folder that it lies in."""
    if path.is_dir() or not os.path.lexists(path):
        return
    above = path.absolute().parents
    folder = next((one for one in above[:3] if (one / "run_0").is_dir()), None)
    raise UserError(
        "this is a file, and a paper is checked with the results beside it",
        where=str(path),
        why="" if folder else "no folder above it holds run_0/",
        todo=f"name the folder that holds run_0/ and the paper: `aisci check paper {folder}`"
        if folder
        else "name the folder that holds latex/ and run_0/, or RUN/IDEA",
    )


def _scale(template: Template | None, scale: str, folder: Path) -> str:
    """The scale that was run. Raises :class:`UnknownName` for one that the folder does not declare."""
    if template is not None:
        first = scale or next(iter(template.manifest.scales))
        template.scale(first)
        return first
    if scale not in ("", "full"):
        raise UnknownName(
            "this folder declares no scales",
            where=f"--scale {scale[:80]!a}",
            why=f"{folder} holds no template.yaml",
            todo="leave --scale out",
        )
    return "full"


def _source_in(folder: Path) -> Path:
    names = (TEX, "paper.tex", "latex/paper.tex", "template.tex")
    found = [folder / name for name in names if os.path.lexists(folder / name)]
    found += [path for path in sorted(folder.glob("*.tex")) if path not in found]
    for path in found:
        if BEGIN in _text(path):
            return path
    raise UnknownName(
        "there is no paper",
        where=str(folder),
        why="it holds no latex/template.tex, and no other LaTeX source with a document",
        todo="name an idea's folder, results/TEMPLATE/DATE_TIME/IDEA, or a folder with a paper",
    )


def _left_out(folder: Path) -> Iterator[tuple[str, str]]:
    """Each run whose results are not read, and why."""
    with os.scandir(folder) as found:
        names = [entry.name for _, entry in zip(range(_MOST_ENTRIES), found, strict=False)]
    runs = sorted((name for name in names if _RUN.fullmatch(name)), key=_number)
    for name in runs:
        info = folder / name / _INFO
        if (folder / name).is_symlink():
            yield shown(name), "a link is in its place: its results are not read"
        elif not (folder / name).is_dir():
            yield shown(name), "it is no folder"
        elif name != f"run_{_number(name)}" or _number(name) >= _MOST_RUNS:
            yield shown(name), f"only run_0 to run_{_MOST_RUNS - 1} are read"
        elif os.path.lexists(info) and not info.is_symlink() and not info.is_file():
            yield shown(f"{name}/{_INFO}"), "it is no plain file: its results are not read"


def _number(name: str) -> int:
    return int(name.removeprefix("run_")[:9])


def _record(folder: Path, number: int, notes: ReadNotes) -> RunMeasurements | None:
    """The results of a run; None where there are none, or where :func:`_left_out` names it."""
    run = folder / f"run_{number}"
    info = run / _INFO
    if run.is_symlink() or not (info.is_symlink() or info.is_file()):
        return None
    data = read_named(info, _MOST_BYTES)
    own = folder / f"run_{number}.py"
    code = own if os.path.lexists(own) else folder / "experiment.py"
    try:
        results = parse_final_info(data)
    except BadResults as error:
        raise BadFile(error.what, where=str(info), why=error.why, todo=error.todo) from error
    return RunMeasurements(
        number=number,
        name="baseline" if number == 0 else f"run {number}",
        base=0,
        seconds=0.0,
        results=results,
        values=per_seed(data),
        code={"experiment.py": _text(code)} if os.path.lexists(code) else {},
        title=notes.runs[number].title if number in notes.runs else "",
    )


def _notes(folder: Path) -> ReadNotes:
    """What ``notes.txt`` calls the runs; nothing where it cannot be read, since the check does without it."""
    try:
        return read_notes(read_plain(folder / "notes.txt", _MOST_BYTES).decode("utf-8", "replace"))
    except (NotPlain, OSError):
        return ReadNotes()


def _template(folder: Path) -> Template | None:
    path = folder / "template.yaml"
    if not os.path.lexists(path):
        return None
    files: Mapping[str, bytes] = {"template.yaml": read_named(path, _MOST_BYTES)}
    return from_files(dict(files), folder.name, str(folder))


def _text(path: Path) -> str:
    return utf8_text(read_named(path, _MOST_BYTES), "this file", str(path), BadFile)
