"""The chain and its end: every journal is sealed, and every idea has the head that the run sealed."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.finding import AuditFinding, CheckResult, check_result
from orchestrator.audit.record import JournalLog, RunRecord
from orchestrator.record.events import Sealed


def check_chain(record: RunRecord) -> CheckResult:
    """The findings that reading the journals produced."""
    count = sum(len(log.lines) for log in record.logs)
    return check_result("chain", count, (found for log in record.logs for found in log.findings))


def check_seals(record: RunRecord) -> CheckResult:
    """Each seal against its own journal, and the run's seal against the journals of its ideas."""
    last = record.run.sealed
    heads = (last.event.ideas if last else None) or {}
    found = [finding for log in record.logs for finding in _seals(log)]
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
    return check_result("seal", len(record.logs), found)


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
        "`aisci resume` finishes an unfinished run; otherwise restore the record from a copy",
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
        what = "differs from the one that the run sealed: changed, truncated, or from another run"
        if any(line.hash == head for line in idea.lines):
            what = "continues after the run's end"
        why = f"the run's seal states {head[:12]}…; its head is {idea.head[:12]}…"
        where = f"{idea.name}:{len(idea.lines)}"
        yield AuditFinding("seal", where, f"an idea's journal {what}", why)
    elif idea.sealed is None:
        # A person who removes an idea from ideas.json leaves its journal without a seal.
        what = "an unfinished idea; the run's seal covers its present state"
        todo = "nothing: an idea that was removed from ideas.json ends this way"
        yield AuditFinding("seal", idea.name, what, todo=todo, level="noted")
