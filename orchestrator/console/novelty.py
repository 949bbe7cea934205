"""``aisci novelty``: is an idea of a list published already?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from orchestrator.api.novelty import JudgedIdea, NoveltyRequest, judge_ideas, write_judged
from orchestrator.console import output as out
from orchestrator.core.sanitize import plain_line


def judge(request: NoveltyRequest, into: Path | None, *, as_json: bool) -> int:
    """The decision on each idea of a list; exit code 1 where one is without a decision by an error."""
    with out.trying("searching …", "judging {} …") as say:
        judged = judge_ideas(request, say)
    if into is not None:
        write_judged(into, request.file, judged)
    if as_json:
        for one in judged:
            novelty = asdict(one.novelty) if one.novelty else None
            failed = str(one.error) if one.error else None
            out.as_json({"idea": one.idea.name, "id": one.idea.id, "novelty": novelty,
                         "error": failed, "folder": str(one.folder), "usd": one.usage.usd})  # fmt: skip
    else:
        _draw(judged, into)
    return 1 if any(one.error for one in judged) else 0


def _draw(judged: tuple[JudgedIdea, ...], into: Path | None) -> None:
    rows = []
    for one in judged:
        if one.novelty is None:
            rows.append((one.idea.name, "failed", "", one.error.what if one.error else ""))
            continue
        closest = next((p for p in one.novelty.papers if p.key == one.novelty.closest), None)
        paper = f"{closest.title} ({closest.year or 'no year'})" if closest else ""
        rows.append((one.idea.name, one.novelty.decision, paper, one.novelty.reason))
    out.table(("idea", "decision", "closest paper", "why"), rows)
    searches = [s for one in judged if one.novelty for s in one.novelty.searches]
    usd = sum(one.usage.usd or 0.0 for one in judged)
    out.say(f"\nsearches: {len(searches)}; the model cost ${usd:.2f}")
    left_out = {e.engine: e.why for s in searches for e in s.engines if e.state != "answered"}
    for name, why in left_out.items():
        out.say(f"{name} was left out at least once: {plain_line(why)}")
    out.say(f"record:  {judged[0].folder.parent}")
    if into is not None:
        out.say(f"list:    {into}")
