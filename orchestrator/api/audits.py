"""Audit a run's record against itself, and against a head or a key that was kept elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api import find_run
from orchestrator.audit.audit import Audit
from orchestrator.audit.audit import audit_run as audited
from orchestrator.audit.chain import Anchor
from orchestrator.audit.page import audit_page
from orchestrator.core.errors import UserError
from orchestrator.core.files import write
from orchestrator.record.signing import read_verifier


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """An audit and its page. ``page`` is None if it could not be written, and ``why`` says why."""

    audit: Audit
    page: Path | None
    why: str = ""


def audit(
    name: str,
    results: Path,
    *,
    head: str | None = None,
    key: Path | None = None,
    html: Path | None = None,
) -> AuditOutcome:
    """Check a run's whole record and write the page to ``html``, or next to the record.

    A folder that the auditor may only read is audited all the same.

    Raises:
        UserError: there is no such run, ``head`` is not a head, or ``key`` is not a public key.
        OSError: ``html`` cannot be written.
    """
    paths = find_run.find_run(name, results)
    verifier = read_verifier(key) if key is not None else None
    stored = (head or "").strip().lower()
    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", stored):
        raise UserError(
            "this is not a head",
            where=f"--head {head}",
            why="a head is a SHA-256: 64 hexadecimal digits",
            todo="give all 64 digits, as `aisci run` printed them at its end",
        )
    done = audited(paths, Anchor(head=stored, key=verifier))
    page = html or paths.audit
    try:
        write(page, audit_page(done))
    except OSError as error:
        if html is not None:
            raise
        return AuditOutcome(done, None, str(error.strerror))
    return AuditOutcome(done, page)
