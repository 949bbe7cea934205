"""Evidence and results: each has its container, and matches what that container did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.audit.calls import AuditedCalls, AuditedContainer
from orchestrator.audit.finding import FINISH, AuditFinding, CheckResult, check_result
from orchestrator.audit.imported import imported_findings
from orchestrator.audit.record import UNREADABLE_BODY, JournalLine, JournalLog, RunRecord
from orchestrator.core.tree import canonical
from orchestrator.core.untrusted import NotPlain, read_plain
from orchestrator.policy.policy import Policy
from orchestrator.record.attestation import container_statement
from orchestrator.record.calls import evidence_name
from orchestrator.record.divergence import first_difference
from orchestrator.record.events import Answered, Noted
from orchestrator.record.notes import RunFinished, read_note
from orchestrator.record.paths import RecordPaths


def check_evidence(
    record: RunRecord, calls: AuditedCalls, policies: tuple[Policy, ...]
) -> CheckResult:
    """The statements in the journals, and the files made from them."""
    on_host = any(policy.editor_on_host for policy in policies)
    answered = {item.call.answered.where for item in calls.containers if item.call.answered}
    found = [finding for item in calls.containers for finding in _statement(item, on_host=on_host)]
    for line in (line for log in record.logs for line in log.of(Answered)):
        if line.event.evidence and line.where not in answered:
            what = f"evidence without a container: {line.event.port} in {line.event.scope}"
            found.append(AuditFinding("evidence", line.where, what))
    found += _reused(calls.containers)
    found += [finding for log in record.logs for finding in _files(log, record)]
    return check_result("evidence", len(calls.containers), found)


def _statement(container: AuditedContainer, *, on_host: bool) -> Iterator[AuditFinding]:
    """The statement of one container against its call."""
    line = container.call.answer
    assert line is not None
    if container.attestation is None:
        if not on_host:
            what = "an edit without a container, and no policy with `editor: process`"
            yield AuditFinding("evidence", line.where, what)
        return
    if not container.attestation.container:
        what = f"a result without a container: {container.attestation.engine}"
        yield AuditFinding("evidence", line.where, what)
    if line.event.evidence is None:
        what = f"a container without evidence: {container.call.name}"
        yield AuditFinding("evidence", line.where, what)
        return
    # The statement is a function of the call, so the audit can compute it and compare.
    asked = container.call.asked.event
    expected = container_statement(
        asked.port, asked.scope, asked.ord, asked.request, container.request, container.answer
    )
    recorded = _loaded(container.call.log, line)
    if recorded != expected:
        path, before, after = first_difference(expected, recorded)
        what = "the evidence does not match its own call"
        why = f"at {path or 'the top'}: the call has {before}, the evidence {after}"
        yield AuditFinding("evidence", line.where, what, why)


def _reused(containers: list[AuditedContainer]) -> Iterator[AuditFinding]:
    """Containers that more than one call names, although each is used once."""
    names = Counter(item.attestation.container for item in containers if item.attestation)
    for item in containers:
        name = item.attestation.container if item.attestation else ""
        if name and names[name] > 1:
            what = f"{names[name]} calls name the container {name[:12]}; each must have its own"
            yield AuditFinding("evidence", item.where, what)


def _files(log: JournalLog, record: RunRecord) -> Iterator[AuditFinding]:
    """The files in ``evidence/`` against the journal that they were made from. They are written when a study
    ends, so that an unfinished run may lack them.
    """
    folder = RecordPaths(log.folder).evidence
    expected: dict[str, tuple[JournalLine[Answered], bytes]] = {}
    for line in log.of(Answered):
        if line.event.evidence is not None:
            name = evidence_name(len(expected) + 1, line.event.scope)
            expected[name] = line, canonical(_loaded(log, line)) + b"\n"
    present = {path.name: path for path in sorted(folder.glob("*"))} if folder.is_dir() else {}
    prefix = log.name.removesuffix("journal.jsonl") + "evidence/"
    for name, (line, data) in expected.items():
        if name not in present:
            what, why = "a file of evidence is missing", f"made from {line.where}"
            if record.ended:
                yield AuditFinding("evidence", prefix + name, what, why)
            else:
                what = "a file of evidence is not written yet"
                yield AuditFinding("evidence", prefix + name, what, why, FINISH, "unfinished")
        elif fault := _fault(present[name], data):
            what, why = f"a file of evidence {fault}", f"it is made from {line.where}"
            yield AuditFinding("evidence", prefix + name, what, why)
    what = "evidence without a container: no line of the journal belongs to this file"
    for name in present if not record.working else ():  # else made from lines that were not read
        if name not in expected:
            yield AuditFinding("evidence", prefix + name, what)


def _fault(path: Path, data: bytes) -> str:
    """What is wrong with a file that should have these bytes; empty if it has them."""
    try:
        return "" if read_plain(path, len(data)) == data else "was changed"
    except NotPlain:
        return "was changed"
    except OSError:
        return "cannot be read"


def _loaded(log: JournalLog, line: JournalLine[Answered]) -> Any:
    try:
        return log.load(line.event.evidence)
    except UNREADABLE_BODY:
        return None  # the check of blobs reports its missing or changed blob


def check_results(record: RunRecord, calls: AuditedCalls) -> CheckResult:
    """Every `run_finished` note against the earlier jobs of its own idea."""
    noted = [(line, log) for log in record.logs for line in log.of(Noted)]
    notes = [(line, log) for line, log in noted if line.event.name == "run_finished"]
    found = [finding for line, log in notes for finding in _note_findings(line, log, calls)]
    return check_result("results", len(notes), [*found, *imported_findings(record)])


def _note_findings(
    line: JournalLine[Noted], log: JournalLog, calls: AuditedCalls
) -> Iterator[AuditFinding]:
    try:
        note = read_note(log.load(line.event.body))
    except UNREADABLE_BODY:
        yield AuditFinding("results", line.where, "a finished run's note cannot be read")
        return
    if not isinstance(note, RunFinished):
        what = "a finished run's note has another kind than its line states"
        yield AuditFinding("results", line.where, what)
        return
    # Jobs of another idea, or after the note, do not count: the claim would be unsupported then.
    written = {
        file
        for container in calls.containers
        if container.result is not None and container.result.ok
        if container.call.log is log and container.call.asked.number < line.number
        for file in container.result.files.files
    }
    for path, sha256 in note.run.files.files:
        if (path, sha256) not in written:
            what = f"run {note.run.number} claims {path!r}, which no finished job wrote"
            yield AuditFinding("results", line.where, what)
