"""Values stored elsewhere: a head, or a public key for the signature in the run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.audit.finding import RESTORE, AuditFinding, CheckResult, check_result
from orchestrator.audit.record import RunRecord
from orchestrator.record.envelope import open_envelope
from orchestrator.record.signing import Verifier


@dataclass(frozen=True, slots=True)
class Anchor:
    """The values that the auditor supplies; empty to check a record only against itself."""

    head: str = ""
    key: Verifier | None = None

    def __bool__(self) -> bool:
        return bool(self.head) or self.key is not None


def check_anchor(record: RunRecord, given: Anchor) -> tuple[CheckResult, str]:
    """Whether the record is the one that the auditor means, and the state of its signature."""
    found = []
    if given.head and given.head != record.run.head:
        earlier = next((line for line in record.run.lines if line.hash == given.head), None)
        why = (
            f"it is the hash of {earlier.where}: the run continued since then, or was resumed"
            if earlier
            else f"stored was {given.head[:12]}…, this record has {record.run.head[:12]}…: "
            "it was changed and its chain rewritten, or it belongs to another run"
        )
        what = "the stored head is not the head of this record"
        found.append(AuditFinding("anchor", record.run.name, what, why))
    state, findings = _signature(record, given.key)
    count = bool(given.head) + (given.key is not None)
    return check_result("anchor", count, (*found, *findings)), state


def _signature(record: RunRecord, key: Verifier | None) -> tuple[str, list[AuditFinding]]:
    """The state of the signature as text, and its findings."""
    path = record.paths.signature
    if not path.is_file():
        missing = AuditFinding("anchor", path.name, "there is no signature for the key to check")
        return "none", [missing] if key else []
    try:
        envelope, statement = open_envelope(path.read_bytes())
    except ValueError as error:
        return "cannot be read", [AuditFinding("anchor", path.name, "no signature", str(error))]
    names = ", ".join(name for name, _ in envelope.signatures) or "nobody"
    other = list(_signed_state(record, statement))
    # Without the key, the name in the file is only a claim: anyone can write it.
    if key is None:
        return f"claims to be by {names}; give --key to check it", other
    if not any(key.signed(envelope.to_sign, value) for _, value in envelope.signatures):
        what = "the signature was not made with this key"
        wrong = AuditFinding("anchor", path.name, what, f"{key.fingerprint}; it names {names}")
        return f"claims to be by {names}; not by {key.fingerprint}", [wrong, *other]
    return f"by {key.fingerprint}", other


def _signed_state(record: RunRecord, statement: Mapping[str, Any]) -> Iterator[AuditFinding]:
    """Each journal that differs from the state that was signed."""
    actual = {
        log.name: hashlib.sha256((record.paths.folder / log.name).read_bytes()).hexdigest()
        for log in record.logs
    }
    try:
        signed = {part["name"]: part["digest"]["sha256"] for part in statement["subject"]}
        heads = dict(statement["predicate"]["heads"])
    except (KeyError, TypeError, ValueError):
        what = "the signed statement does not have the required form"
        yield AuditFinding("anchor", record.paths.signature.name, what)
        return
    names = actual.keys() | signed.keys()
    wrong = sorted(name for name in names if actual.get(name) != signed.get(name))
    wrong += sorted(log.name for log in record.logs if heads.get(log.name) != log.head)
    for name in dict.fromkeys(wrong):
        yield AuditFinding(
            "anchor",
            name,
            "the signature covers another state of the record",
            "the journal was changed after it was signed, or the run continued since then",
            f"if the run continued: `aisci resume RUN --sign KEY` signs it again; else {RESTORE}",
        )
