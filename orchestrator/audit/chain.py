"""The chain and its end: every journal is sealed, every idea has the head that the run sealed.

Values that were stored elsewhere, a head or a public key, match the run's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.audit.finding import (
    FINISH,
    RESTORE,
    AuditFinding,
    CheckResult,
    FindingLevel,
    check_result,
)
from orchestrator.audit.left_out import left_out_findings
from orchestrator.audit.record import JournalLog, RunRecord
from orchestrator.audit.stamp import MOST_SIGNATURE, stamp_state
from orchestrator.core.untrusted import file_hash, read_plain
from orchestrator.record.envelope import open_envelope, signed_names
from orchestrator.record.events import Sealed
from orchestrator.record.paths import beside_record
from orchestrator.record.signing import Verifier
from orchestrator.record.timestamp import StampAuthority


def check_chain(record: RunRecord) -> CheckResult:
    """The findings that reading the journals produced."""
    count = sum(len(log.lines) for log in record.logs)
    return check_result("chain", count, (found for log in record.logs for found in log.findings))


def check_seals(record: RunRecord) -> CheckResult:
    """Each seal against its own journal, and the run's seal against the journals of its ideas."""
    last = record.run.sealed
    heads = (last.event.ideas if last else None) or {}
    found = [finding for log in record.logs for finding in _seals(log)]
    if record.working:
        what, todo = "another process is working on this run", "wait for it, then audit it again"
        found.append(AuditFinding("seal", record.run.name, what, "", todo, "unfinished"))
    if last is None:
        found.append(_unsealed(record.run))
    elif last.event.ideas is None:
        what = "the run's seal names no idea: the ideas of this run are unknown"
        found.append(AuditFinding("seal", last.where, what))
    for idea in record.ideas:
        if last and last.event.ideas is not None:
            found += _idea_under_seal(idea, heads)
        elif idea.sealed is None:
            found.append(_unsealed(idea))
    what, why = "an idea's journal is missing", "the run's seal names its head"
    known = {log.folder.name for log in record.ideas}
    missing = [f"{name}/journal.jsonl" for name in heads if name not in known]
    found += [AuditFinding("seal", where, what, why) for where in missing]
    return check_result("seal", len(record.logs), [*found, *left_out_findings(record)])


def _seals(log: JournalLog) -> Iterator[AuditFinding]:
    """Each seal of a journal: its count, its head, its own hash.

    A resumed run continues after a seal, so a journal can contain earlier ones.
    """
    for line in log.of(Sealed):
        seal = line.event
        for stated, actual, name in (
            (seal.count, line.number - 1, "number of lines before it"),
            (seal.head, seal.prev, "head before it"),
            (seal.check, seal.own_hash, "hash of itself"),
        ):
            if stated != actual:
                what = f"a seal does not match: the {name} differs"
                why = f"the seal states {stated}; the journal has {actual}"
                yield AuditFinding("seal", line.where, what, why)


def _unsealed(log: JournalLog) -> AuditFinding:
    return AuditFinding(
        "seal",
        f"{log.name}:{len(log.lines)}",
        "unfinished or truncated: the journal has no seal at its end",
        "an unfinished run and a truncated record look the same",
        FINISH,
        "unfinished",
    )


def _idea_under_seal(idea: JournalLog, heads: dict[str, str]) -> Iterator[AuditFinding]:
    """An idea's journal against the head that the run sealed for it."""
    head = heads.get(idea.folder.name)
    if head is None:
        what = "an idea's journal that the run's seal does not name"
        why = "it was added after the run ended, or the folder was renamed"
        yield AuditFinding("seal", idea.name, what, why)
    elif head != idea.head:
        # The sealed head inside the journal proves that the lines up to it are unchanged.
        why = f"the run's seal states {head[:12]}…; its head is {idea.head[:12]}…"
        where = f"{idea.name}:{len(idea.lines)}"
        if any(line.hash == head for line in idea.lines):
            what = "an idea's journal continues after the run's end: unfinished"
            yield AuditFinding("seal", where, what, why, FINISH, "unfinished")
        else:
            what = (
                "differs from the one that the run sealed: changed, truncated, or from another run"
            )
            yield AuditFinding("seal", where, f"an idea's journal {what}", why)
    elif idea.sealed is None:
        # A person who removes an idea from ideas.json leaves its journal without a seal.
        what = "an unfinished idea; the run's seal covers its present state"
        todo = "nothing: an idea that was removed from ideas.json ends this way"
        yield AuditFinding("seal", idea.name, what, todo=todo, level="noted")


@dataclass(frozen=True, slots=True)
class Anchor:
    """The values that the auditor supplies; empty to check a record only against itself. An ``authority`` of time
    stamps is none of them: whoever signs a record that they rewrote can have that stamped.
    """

    head: str = ""
    key: Verifier | None = None
    authority: StampAuthority | None = None

    def __bool__(self) -> bool:
        return bool(self.head) or self.key is not None


def check_anchor(record: RunRecord, given: Anchor) -> tuple[CheckResult, str, str]:
    """Whether the record is the one that the auditor means; the states of its signature and of its stamp."""
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
        # All lines up to a head in the chain are as they were: what follows them has no end yet.
        goes_on = earlier is not None and not record.ended
        level: FindingLevel = "unfinished" if goes_on else "wrong"
        todo = FINISH if goes_on else RESTORE
        found.append(AuditFinding("anchor", record.run.name, what, why, todo, level))
    state, findings = _signature(record, given.key)
    stamp, wrong = stamp_state(record.paths, given.authority)
    count = bool(given.head) + (given.key is not None) + (given.authority is not None)
    return check_result("anchor", count, (*found, *findings, *wrong)), state, stamp


def _signature(record: RunRecord, key: Verifier | None) -> tuple[str, list[AuditFinding]]:
    """The state of the signature as text, and its findings."""
    path = record.paths.signature
    if not os.path.lexists(path):
        missing = AuditFinding("anchor", path.name, "there is no signature for the key to check")
        return "none", [missing] if key else []
    try:
        envelope, statement = open_envelope(read_plain(path, MOST_SIGNATURE))
    except (ValueError, OSError) as error:
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
    """Each file of the folder that differs from the state that was signed."""
    folder = record.paths.folder
    actual = {name: file_hash(folder / name) for name in signed_names(folder)}
    try:
        signed = {part["name"]: part["digest"]["sha256"] for part in statement["subject"]}
        heads = dict(statement["predicate"]["heads"])
    except (KeyError, TypeError, ValueError):
        what = "the signed statement does not have the required form"
        yield AuditFinding("anchor", record.paths.signature.name, what)
        return
    known = {log.name: {line.hash for line in log.lines} for log in record.logs}
    earlier = all(head in known.get(name, ()) for name, head in heads.items())
    level: FindingLevel = "unfinished" if earlier and not record.ended else "wrong"
    # Of a record that stands alone, files that were signed can be made again: that is no other state.
    if not any(map(beside_record, actual)):
        signed = {name: sha256 for name, sha256 in signed.items() if not beside_record(name)}
    names = actual.keys() | signed.keys()
    wrong = sorted(name for name in names if actual.get(name) != signed.get(name))
    wrong += sorted(log.name for log in record.logs if heads.get(log.name) != log.head)
    for name in dict.fromkeys(wrong):
        yield AuditFinding(
            "anchor",
            name,
            "the signature covers another state of this file",
            "it was changed, added or removed after it was signed, or the run continued since then",
            f"if the run continued: `aisci resume RUN --sign KEY` signs it again; else {RESTORE}",
            level,
        )
