"""``aisci audit``: whether a run's record holds, on the terminal, as JSON, and as a page."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.api import find_run as runs
from orchestrator.audit import CHECKS, Anchor, Audit, Outcome, audit_page
from orchestrator.audit import audit as audited
from orchestrator.audit.finding import Group, grouped
from orchestrator.audit.page import why_none
from orchestrator.audit.verdict import MEANS
from orchestrator.console import output as out
from orchestrator.core.errors import UserError
from orchestrator.core.files import write
from orchestrator.record.signing import read_verifier

_HEAD = re.compile(r"[0-9a-f]{64}")
MOST = 20  # findings on a terminal; the page has the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the auditor brought along, and where the page is to go."""

    head: str | None
    key: Path | None
    html: Path | None


def audit(name: str, results: Path, wanted: Wanted, *, as_json: bool) -> int:
    """Audit a run and write the page; returns the exit code: 1 for a record that is broken."""
    paths = runs.find(name, results)
    given = Anchor(
        head=_head(wanted.head), key=read_verifier(wanted.key) if wanted.key is not None else None
    )
    done = audited(paths, given)
    page = _written(audit_page(done), wanted.html, paths.audit)
    out.as_json(_as_json(done, page)) if as_json else _say(done, page)
    return 1 if done.outcome is Outcome.BROKEN else 0


def _written(page: str, asked: Path | None, beside: Path) -> str:
    """Where the page is. A folder that an auditor may only read is audited all the same."""
    try:
        write(asked or beside, page)
    except OSError as error:
        if asked is not None:
            raise
        return f"not written, {error.strerror}: say --html FILE"
    return str(asked or beside)


def _head(text: str | None) -> str:
    if text is not None and not _HEAD.fullmatch(text.strip().lower()):
        raise UserError(
            "this is no head",
            where=f"--head {text}",
            why="a head is a SHA-256: 64 digits of hex",
            todo="give it whole, as `aisci run` said it at its end",
        )
    return (text or "").strip().lower()


def _say(done: Audit, page: str) -> None:
    out.say(f"{done.folder}: {done.outcome}\n{MEANS[done.outcome]}\n")
    groups = grouped(done.findings)
    if groups:
        out.table(("", "where", "what and why"), [_row(one) for one in groups[:MOST]])
        more = len(groups) - MOST
        out.say(f"and {more} more, on the page\n" if more > 0 else "")
    states = [
        (one.check, CHECKS[one.check], one.count, _state(one.wrong, one.count))
        for one in done.checks
    ]
    out.table(("check", "what has to hold", "looked at", ""), states)
    out.say()
    for call in done.without_result:
        out.say(f"without a result, nothing of it was used: {call.where}, {call.named}")
    out.say(f"head:       {done.head}\nsignature:  {done.signature}\npage:       {page}")


def _row(group: Group) -> tuple[str, str, str]:
    one = group.first
    check = "noted" if one.level == "noted" else one.check
    return check, group.where, ": ".join(filter(None, (one.what, one.why)))


def _state(wrong: int, count: int) -> str:
    return "fail" if wrong else "ok" if count else "-"


def _as_json(done: Audit, page: str) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "folder": done.folder,
        "head": done.head,
        "signature": done.signature,
        "checks": [
            {"check": one.check, "holds": not one.wrong, "looked_at": one.count,
             "what": CHECKS[one.check]}
            for one in done.checks
        ],
        "findings": [asdict(one) for one in done.findings],
        "containers": [
            {
                "where": box.where,
                "scope": box.call.asked.event.scope,
                "kind": box.kind,
                "evidence": asdict(box.attestation) if box.attestation else None,
            }
            for box in done.boxes
        ],
        "without_result": [
            {"where": call.where, "call": call.named, "why": why_none(call)}
            for call in done.without_result
        ],
        "heads": [
            {"journal": name, "head": head, "lines": lines} for name, head, lines in done.heads
        ],
        "page": page,
    }  # fmt: skip
