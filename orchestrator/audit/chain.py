"""The chain and its end: every journal sealed, every idea under the head that the run sealed."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Log, Record
from orchestrator.record.events import Sealed

_CUT = "a run that is not finished and a record that was cut look the same"


def chain(record: Record) -> Checked:
    """Whether each line follows from the one before; what reading found."""
    count = sum(len(log.lines) for log in record.logs)
    return checked("chain", count, (one for log in record.logs for one in log.findings))


def seal(record: Record) -> Checked:
    """Whether each journal ends as it says, and the run's seal holds every idea's journal."""
    last = record.run.sealed
    held = (last.event.ideas if last else None) or {}
    found = [one for log in record.logs for one in _seals(log)]
    if last is None:
        found.append(_open(record.run))
    elif last.event.ideas is None:
        what = "the run's seal names no idea's head: nothing says which ideas belong to it"
        found.append(Finding(check="seal", where=last.where, what=what))
    for idea in record.ideas:
        found += _under(idea, held) if last and last.event.ideas is not None else _alone(idea)
    there = {log.folder.name for log in record.ideas}
    found += [
        Finding(
            check="seal",
            where=f"{name}/journal.jsonl",
            what="an idea's journal is missing",
            why="the run's seal names its head",
        )
        for name in held
        if name not in there
    ]
    return checked("seal", len(record.logs), found)


def _seals(log: Log) -> Iterator[Finding]:
    """Each seal of a journal, also one that was passed since: its count, its head, itself."""
    for line in log.of(Sealed):
        seal = line.event
        for told, have, what in (
            (seal.count, line.number - 1, "number of lines before it"),
            (seal.head, seal.prev, "head before it"),
            (seal.check, seal.own_hash, "hash of itself"),
        ):
            if told != have:
                yield Finding(
                    check="seal",
                    where=line.where,
                    what=f"a seal does not hold: the {what} is another",
                    why=f"it says {told}, and it is {have}",
                )


def _open(log: Log) -> Finding:
    return Finding(
        check="seal",
        where=f"{log.name}:{len(log.lines)}",
        what="unfinished or truncated: the journal has no seal at its end",
        why=_CUT,
        todo="`aisci resume` takes a run to its end; else restore the record from a copy",
    )


def _alone(idea: Log) -> Iterator[Finding]:
    if idea.sealed is None:
        yield _open(idea)


def _under(idea: Log, held: dict[str, str]) -> Iterator[Finding]:
    """An idea beside the run's seal; one that a person dropped may be without a seal of its own."""
    known = held.get(idea.folder.name)
    if known is None:
        yield Finding(
            check="seal",
            where=idea.name,
            what="an idea's journal of which the run's seal knows nothing",
            why="it was put here after the run's end, or the folder was renamed",
        )
    elif known != idea.head:
        later = any(line.hash == known for line in idea.lines)
        yield Finding(
            check="seal",
            where=f"{idea.name}:{len(idea.lines)}",
            what="an idea's journal goes on after the run's end"
            if later
            else "an idea's journal is another than when the run was sealed: "
            "changed, cut, or from another run",
            why=f"the run's seal says {known[:12]}…, its head is {idea.head[:12]}…",
        )
    elif idea.sealed is None:
        yield Finding(
            check="seal",
            where=idea.name,
            what="an idea that was left unfinished; the run's seal holds it as it stands",
            todo="nothing: an idea that is taken out of ideas.json ends so",
            level="noted",
        )
