"""Copy a template that works to a new folder, under that folder's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root, write
from orchestrator.template.folder import MANIFEST
from orchestrator.template.template import Template, from_files, load_template


@dataclass(frozen=True, slots=True)
class CopiedTemplate:
    """The template that was copied, and the files that were written."""

    source: Template
    files: Mapping[str, bytes]


def copy_template(folder: Path, source: str) -> CopiedTemplate:
    """Copy a template to a new ``folder``. Raises :class:`UserError` where it cannot be one."""
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name):
        raise UserError(
            f"{name!r} cannot be a template's name",
            where=str(folder),
            todo="use letters, digits, dots, dashes and underscores, the first a letter or digit",
        )
    if folder.exists():
        raise UserError(
            "something is there already; it is never written over",
            where=str(folder),
            todo="name a folder that does not exist yet",
        )
    template = load_template(source, shipped_root())
    files = dict(template.files)
    if MANIFEST in files:
        text = template.text(MANIFEST)
        files[MANIFEST] = re.sub(
            r"^name:.*$", f"name: {name}", text, count=1, flags=re.MULTILINE
        ).encode()
    from_files(files, name, str(folder))
    for path, data in files.items():
        write(folder / path, data)
    return CopiedTemplate(template, files)
