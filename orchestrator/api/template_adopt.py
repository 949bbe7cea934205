"""Draft the manifest of a folder in the AI Scientist's format; nothing of the folder is run."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BadResults, UnknownName, UserError
from orchestrator.core.files import disk_errors, shipped_root, write
from orchestrator.template.contract import rule_results
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.contract.measured import FINAL
from orchestrator.template.contract.needs import container_lacks
from orchestrator.template.draft import Seen, draft_manifest
from orchestrator.template.folder import MANIFEST, read_folder
from orchestrator.template.results import MAX_RESULT_BYTES, Results, parse_final_info
from orchestrator.template.template import Template, from_files

PROGRAM = "experiment.py"


@dataclass(frozen=True, slots=True)
class Adopted:
    """The template with its draft, as written to ``folder``, and what was seen for it.

    ``why_no_metrics`` says why the draft declares none. ``breaches`` of the contract are to be
    corrected before a run; ``notes`` are what a container may lack.
    """

    template: Template
    folder: Path
    copied: bool
    seen: Seen
    why_no_metrics: str
    breaches: tuple[RuleFinding, ...]
    notes: tuple[RuleFinding, ...]


def adopt_template(folder: Path, into: Path | None = None) -> Adopted:
    """Write a draft manifest into ``folder``, or with a copy of its files into the new ``into``.

    Raises :class:`UserError` if there is a manifest already, no experiment, or something at
    ``into``; :class:`BadTemplate` if a file cannot be part of a template.
    """
    place = into or folder
    _may_begin(folder, into)
    files = read_folder(folder, _origin(folder), shipped_root())
    results, why_not = _first_results(folder / FINAL)
    seen = Seen(from_files(files, folder.resolve().name, _origin(folder)), results)
    name = re.sub("[^A-Za-z0-9_-]", "_", place.resolve().name).strip("_-")[:80] or "template"
    text = draft_manifest(seen, name).encode()
    drafted = from_files({**files, MANIFEST: text}, name, _origin(place))  # it must load
    if into is None:
        with disk_errors(folder), (folder / MANIFEST).open("xb") as file:  # never over another
            file.write(text)
    else:
        for path, data in drafted.files.items():
            write(into / path, data)
    return Adopted(
        template=drafted,
        folder=place,
        copied=into is not None,
        seen=seen,
        why_no_metrics=why_not,
        breaches=tuple(one for rule in rule_results(drafted) for one in rule.findings),
        notes=tuple(container_lacks(drafted, frozenset())),
    )


def _origin(folder: Path) -> str:
    """The folder as an argument of the command: with a slash."""
    return str(folder) if "/" in str(folder) else f"./{folder}"


def _may_begin(folder: Path, into: Path | None) -> None:
    if not folder.is_dir():
        todo = "name the folder of an experiment in the AI Scientist's format"
        raise UnknownName("no such folder", where=str(folder), todo=todo)
    if os.path.lexists(folder / MANIFEST):
        raise UserError(
            "the folder has a manifest already; it is never written over",
            where=str(folder / MANIFEST),
            todo=f"aisci template check {_origin(folder)}",
        )
    if not (folder / PROGRAM).is_file():
        raise UserError(
            f"the folder has no {PROGRAM}",
            where=str(folder),
            todo="name the folder that holds it; docs/templates.md lists the files of a template",
        )
    if into is not None and os.path.lexists(into):
        raise UserError(
            "something is there already; it is never written over",
            where=str(into),
            todo="name a folder that does not exist yet",
        )


def _first_results(path: Path) -> tuple[Results | None, str]:
    """The numbers of an earlier run, or None and the reason."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None, f"{FINAL} is no regular file"
        with path.open("rb") as file:
            results = parse_final_info(file.read(MAX_RESULT_BYTES + 1))
        return (results, "") if results.metrics else (None, f"{FINAL} has no finite number")
    except FileNotFoundError:
        return None, f"there is no {FINAL}"
    except OSError as error:
        return None, f"{FINAL} cannot be read: {error.strerror}"
    except BadResults as error:
        return None, f"{FINAL} cannot be used: {error.why}"
