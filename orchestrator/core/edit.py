"""A request to an editor, and the edit that it made."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.job import Attestation, Limits
from orchestrator.core.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """Change ``files`` as ``instruction`` says; only ``editable`` may change.

    Every editable file is shown to the model, and so is every file of ``readable``.
    """

    scope: str
    purpose: str
    instruction: str
    files: Tree
    editable: tuple[str, ...]
    readable: tuple[str, ...] = ()
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an editor did: the whole tree after it, and why nothing changed if nothing did.

    ``changed`` is found by comparing hashes, never by believing the editor.
    """

    files: Tree
    changed: tuple[str, ...]
    reply: str
    why_not: str = ""
    refused: tuple[str, ...] = ()
    turns: int = 0
    attestation: Attestation | None = None
