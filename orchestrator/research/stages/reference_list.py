"""The references of a finished paper: what registries say of them, and why each is cited."""

from __future__ import annotations

import json
from dataclasses import replace

from orchestrator.core.decode import encode
from orchestrator.core.literature import (
    CheckedReference,
    CitedReference,
    PaperRef,
    Reason,
    References,
    StatedReference,
)
from orchestrator.record.literature_notes import ReferencesChecked
from orchestrator.record.paths import CITATIONS
from orchestrator.record.ports import Ports
from orchestrator.research.paper import references
from orchestrator.research.run_spec import Study


def with_checked_references(study: Study, ports: Ports) -> Study:
    """The study with ``citations.json``: each reference, why it is cited, and what registries say."""
    cited = set(references.cited("\n".join(text for _, text in study.sections)))
    listed = [one for one in references.references(study.skeleton) if one.key in cited]
    known = {one.paper.key: one.paper for one in study.citations}
    asked = References(tuple(_reference(one, known.get(one.key)) for one in listed))
    checked = ports.check(asked) if asked.references else ()
    ports.note(ReferencesChecked(references=checked))
    rows = tuple(
        _row(study, one, result) for one, result in zip(asked.references, checked, strict=True)
    )
    plain = encode(tuple[CitedReference, ...], rows)
    text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    return replace(study, tree=study.tree.updated({CITATIONS: ports.keep(text)}))


def _reference(entry: references.Reference, paper: PaperRef | None) -> StatedReference:
    year = entry.fields.get("year", "")
    return StatedReference(
        key=entry.key,
        title=paper.title if paper else entry.plain("title"),
        year=int(year) if year.isdecimal() and len(year) == 4 else None,
        id=(paper.id if paper else "") or entry.id,
    )


def _row(study: Study, one: StatedReference, checked: CheckedReference) -> CitedReference:
    chosen = [c for c in study.citations if c.paper.key == one.key]
    return CitedReference(
        reference=one,
        source=next((c.paper.source for c in chosen), "template"),
        reasons=tuple(Reason(why=c.why, section=c.section, query=c.query) for c in chosen),
        checked=checked,
    )
