"""A request to an editor, and the edit that it made."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.job import Attestation, Limits
from orchestrator.core.tree import Tree

WORKER = ("python3", "-I", "/opt/aisci/editor/worker.py")
"""The program of an edit's container, in the image ``aisci-editor``."""

NEW_FILE = re.compile(r"(?!run_[0-9]+\.py)[a-z_][a-z0-9_]{0,40}\.py")
"""The name of a file that an edit may make, if its request allows that; ``run_1.py`` is a run's."""

MOST_NEW_FILES, NEW_FILE_BYTES = 8, 64 << 10
"""How many files one edit may make, and the bytes of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """Change ``files`` as ``instruction`` says; only ``editable`` may change, and with ``new_files``
    Python files may be added at the top of the tree.

    Every editable file is shown to the model, and so is every file of ``readable``.
    """

    scope: str
    purpose: str
    instruction: str
    files: Tree
    editable: tuple[str, ...]
    readable: tuple[str, ...] = ()
    new_files: bool = False
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an editor did: the whole tree after it, and why nothing changed if nothing did. An edit
    is applied whole or not at all: with a ``why_not``, ``files`` are those of the request.

    ``changed`` is found by comparing hashes, never by believing the editor. ``reply`` is the text of
    all replies, and ``refused`` names the files that the model or the worker tried to change.
    """

    files: Tree
    changed: tuple[str, ...]
    reply: str
    why_not: str = ""
    refused: tuple[str, ...] = ()
    turns: int = 0
    attestation: Attestation | None = None

    @property
    def all_completed(self) -> bool:
        """Whether the model said, in place of an edit, that it wants no more runs: no failure."""
        return not self.changed and "ALL_COMPLETED" in self.reply
