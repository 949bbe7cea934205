"""What was kept elsewhere: a head, or a public key for the signature that lies beside the record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.audit.finding import RESTORE, Checked, Finding, checked
from orchestrator.audit.record import Record
from orchestrator.record.envelope import Envelope, PublicKey, opened


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the auditor brought along; nothing, for a record against itself."""

    head: str = ""
    key: PublicKey | None = None

    def __bool__(self) -> bool:
        return bool(self.head) or self.key is not None


@dataclass(frozen=True, slots=True)
class Signature:
    """What is known of the signature beside a record, in words."""

    said: str
    findings: tuple[Finding, ...] = ()


def anchor(record: Record, given: Anchor) -> tuple[Checked, Signature]:
    """Whether the record is the one that the auditor means."""
    found = []
    if given.head and given.head != record.run.head:
        earlier = next((one for one in record.run.lines if one.hash == given.head), None)
        found.append(
            Finding(
                check="anchor",
                where=record.run.name,
                what="the head that was kept is not this record's",
                why=f"it is that of {earlier.where}: the run went on since, or was resumed"
                if earlier
                else f"kept was {given.head[:12]}…, this record has {record.run.head[:12]}…: "
                "it was changed and its chain made anew, or it is another run's",
            )
        )
    signature = _signature(record, given.key)
    count = bool(given.head) + (given.key is not None)
    return checked("anchor", count, (*found, *signature.findings)), signature


def _signature(record: Record, key: PublicKey | None) -> Signature:
    path = record.paths.signature
    if not path.is_file():
        missing = _wrong(path.name, "there is no signature for the key to check")
        return Signature("none", (missing,) if key else ())
    try:
        envelope, statement = opened(path.read_bytes())
    except ValueError as error:
        return Signature("cannot be read", (_wrong(path.name, "no signature", str(error)),))
    by = ", ".join(name for name, _ in envelope.signatures) or "nobody"
    other = tuple(_differs(record, statement))
    if key is None:
        return Signature(f"said to be by {by}; give --key to check it", other)
    if not _by(envelope, key):
        wrong = _wrong(
            path.name,
            "the signature is not by this key's owner",
            f"{key.fingerprint}; it says {by}",
        )
        return Signature(f"said to be by {by}; not by {key.fingerprint}", (wrong, *other))
    return Signature(f"by {key.fingerprint}", other)


def _by(envelope: Envelope, key: PublicKey) -> bool:
    return any(key.signed(envelope.to_sign, one) for _, one in envelope.signatures)


def _differs(record: Record, statement: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the statement is about these very files."""
    have = {
        log.name: hashlib.sha256((record.paths.folder / log.name).read_bytes()).hexdigest()
        for log in record.logs
    }
    try:
        told = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
        heads = dict(statement["predicate"]["heads"])
    except (KeyError, TypeError, ValueError):
        yield _wrong(record.paths.signature.name, "the signed statement is not built as one")
        return
    wrong = sorted(name for name in have.keys() | told.keys() if have.get(name) != told.get(name))
    wrong += sorted(log.name for log in record.logs if heads.get(log.name) != log.head)
    for name in dict.fromkeys(wrong):
        yield Finding(
            check="anchor",
            where=name,
            what="the signature is over another state of the record",
            why="the journal was changed after it was signed, or the run went on since",
            todo="if the run went on: `aisci resume RUN --sign KEY` signs it again; "
            f"else {RESTORE}",
        )


def _wrong(where: str, what: str, why: str = "") -> Finding:
    return Finding(check="anchor", where=where, what=what, why=why)
