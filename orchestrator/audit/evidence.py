"""Evidence: each container's Statement says what its call says, and none is without its container."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from orchestrator.audit.calls import Box, Calls
from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Line, Log, Record
from orchestrator.core.errors import BadJournal
from orchestrator.core.tree import canonical
from orchestrator.policy.policy import Policy
from orchestrator.record.divergence import first_difference
from orchestrator.record.events import Answered
from orchestrator.record.evidence_files import evidence_name
from orchestrator.record.paths import Recorded
from orchestrator.record.statement import of_call


def evidence(record: Record, calls: Calls, policies: tuple[Policy, ...]) -> Checked:
    """All of it: the Statements in the journals, and the files made of them."""
    on_host = any(policy.editor_on_host for policy in policies)
    boxes = {box.call.answered.where: box for box in calls.boxes if box.call.answered}
    with_it = [line for log in record.logs for line in log.of(Answered) if line.event.evidence]
    found = [one for box in calls.boxes for one in _of_box(box, on_host=on_host)]
    found += [_alone(line) for line in with_it if line.where not in boxes]
    found += _twice(calls.boxes)
    for log in record.logs:
        found += _files(log)
    return checked("evidence", len(calls.boxes), found)


def _of_box(box: Box, *, on_host: bool) -> Iterator[Finding]:
    line = box.call.answer
    assert line is not None
    if box.attestation is None:
        if not on_host:
            what = "an edit in no container, and no policy says `editor: process`"
            yield Finding(check="evidence", where=line.where, what=what)
        return
    if not box.attestation.container:
        what = f"a result of no container: {box.attestation.engine}"
        yield Finding(check="evidence", where=line.where, what=what)
    if line.event.evidence is None:
        what = f"a container with no evidence: {box.call.named}"
        yield Finding(check="evidence", where=line.where, what=what)
        return
    asked = box.call.asked.event
    made = of_call(asked.port, asked.scope, asked.ord, asked.request, box.request, box.answer)
    told = _loaded(box.call.log, line)
    if told != made:
        path, before, after = first_difference(made, told)
        yield Finding(
            check="evidence",
            where=line.where,
            what="the evidence is not what its own call says",
            why=f"at {path or 'the top'}: the call says {before}, the evidence {after}",
        )


def _alone(line: Line[Answered]) -> Finding:
    what = f"evidence with no container: {line.event.port} in {line.event.scope}"
    return Finding(check="evidence", where=line.where, what=what)


def _twice(boxes: list[Box]) -> Iterator[Finding]:
    """A container is fresh and used once."""
    names = Counter(box.attestation.container for box in boxes if box.attestation)
    for box in boxes:
        name = box.attestation.container if box.attestation else ""
        if name and names[name] > 1:
            what = f"the container {name[:12]} stands for {names[name]} calls; each has its own"
            yield Finding(check="evidence", where=box.where, what=what)


def _files(log: Log) -> Iterator[Finding]:
    """The files in ``evidence/`` against the journal that they are made of."""
    folder = Recorded(log.folder).evidence
    wanted: dict[str, tuple[Line[Answered], bytes]] = {}
    for line in log.of(Answered):
        if line.event.evidence is not None:
            name = evidence_name(len(wanted) + 1, line.event.scope)
            wanted[name] = line, canonical(_loaded(log, line)) + b"\n"
    there = {path.name: path for path in sorted(folder.glob("*"))} if folder.is_dir() else {}
    prefix = log.name.removesuffix("journal.jsonl")
    for name, (line, data) in wanted.items():
        where = f"{prefix}evidence/{name}"
        if name not in there or not there[name].is_file():
            what = "a file of evidence is missing"
            yield Finding(check="evidence", where=where, what=what, why=f"made of {line.where}")
        elif there[name].read_bytes() != data:
            why = f"the journal says otherwise at {line.where}"
            what = "a file of evidence was changed"
            yield Finding(check="evidence", where=where, what=what, why=why)
    for name in there:
        if name not in wanted:
            what = "evidence with no container: no line of the journal stands behind this file"
            yield Finding(check="evidence", where=f"{prefix}evidence/{name}", what=what)


def _loaded(log: Log, line: Line[Answered]) -> Any:
    try:
        return log.load(line.event.evidence)
    except (BadJournal, ValueError, KeyError, RecursionError):
        return None  # its missing or changed blob is found as such
