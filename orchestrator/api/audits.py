"""Audit a run's record against itself, and against a head or a key that was kept elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api import find_run
from orchestrator.api.audit_demands import Demanded, demands_of
from orchestrator.api.denied import with_withdrawn
from orchestrator.api.locking import is_at_work
from orchestrator.api.reproduce import reproduced
from orchestrator.audit.audit import UNFORESEEN, Audit
from orchestrator.audit.audit import audit_run as audited
from orchestrator.audit.chain import Anchor
from orchestrator.audit.demand import Demand
from orchestrator.audit.page import audit_page
from orchestrator.core.errors import AisciError, DiskFull, UserError
from orchestrator.core.files import write
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import read_verifier
from orchestrator.record.timestamp import read_authority


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """An audit and its page. ``page`` is None if it could not be written, and ``why`` says why."""

    audit: Audit
    page: Path | None
    why: str = ""
    demands: tuple[Demand, ...] = ()


def audit_folder(paths: RunPaths, given: Anchor) -> Audit:
    """Audit a run's whole folder: the record, and the files beside it as the record makes them."""
    made, why_not = None, ""
    working = is_at_work(paths.folder)
    try:
        made = reproduced(paths)
    except UNFORESEEN as error:
        why_not = (
            error.what if isinstance(error, AisciError) else f"{type(error).__name__}: {error}"
        )
    return audited(paths, given, made, why_not[:300], working=working)


def audit(
    name: str,
    results: Path,
    *,
    head: str | None = None,
    key: Path | None = None,
    stamped_by: Path | None = None,
    html: Path | None = None,
    asked: Demanded | None = None,
) -> AuditOutcome:
    """Check a run's whole record and write the page to ``html``, or next to the record.

    The demands of ``asked`` are about the policies of the run, and part of no verdict on its record. A folder that the auditor may only read is audited all the same.

    Raises:
        UserError: there is no such run, ``head`` is not a head, ``key`` is no public key, or ``stamped_by`` no certificate.
        BadFile: the machine's deny list cannot be relied on.
    """
    paths = find_run.find_run(name, results)
    verifier = read_verifier(key) if key is not None else None
    authority = read_authority(stamped_by, "--stamped-by") if stamped_by is not None else None
    stored = (head or "").strip().lower()
    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", stored):
        raise UserError(
            "this is not a head",
            where=f"--head {head}",
            why="a head is a SHA-256: 64 hexadecimal digits",
            todo="give all 64 digits, as `aisci run` printed them at its end",
        )
    done = audit_folder(paths, Anchor(head=stored, key=verifier, authority=authority))
    # With a key it is who signed; without one, whoever the signature claims.
    done = with_withdrawn(done, re.findall(r"SHA256:[A-Za-z0-9+/]{43}", done.signature))
    demands = demands_of(done, asked or Demanded())
    page = html or paths.audit
    try:
        write(page, audit_page(done, demands))
    except (OSError, DiskFull) as error:  # a page that cannot be written never hides the verdict
        why = error.strerror if isinstance(error, OSError) else f"{error.what}, {error.why}"
        return AuditOutcome(done, None, f"{page.parent}: {why}", demands)
    return AuditOutcome(done, page, demands=demands)
