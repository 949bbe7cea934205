"""``aisci ideas``: a list of ideas, and the command that pursues some of them."""

from __future__ import annotations

import shlex
from dataclasses import asdict

from orchestrator.api.ideas_only import IdeasRequest, ProposedIdeas, propose_list
from orchestrator.console import output as out
from orchestrator.console.live import LiveLine
from orchestrator.console.options import View


def list_ideas(request: IdeasRequest, view: View) -> int:
    """Propose ideas and print their list; exit code 1 where the model failed before it was whole."""
    with LiveLine(view) as live:
        made = propose_list(request, live, live.tell)
    if view.as_json:
        out.as_json({
            "ideas": [asdict(idea) | {"id": idea.id} for idea in made.ideas], "whole": made.whole,
            "file": str(made.file), "record": str(made.folder), "measured": made.measured,
            "usd": made.usage.usd,
        })  # fmt: skip
    else:
        _draw(request, made)
    return 0 if made.whole else 1


def _draw(request: IdeasRequest, made: ProposedIdeas) -> None:
    rows = [(str(at), idea.name, idea.title) for at, idea in enumerate(made.ideas, start=1)]
    out.table(("", "idea", "title"), rows)
    fewer = request.count - len(made.ideas)
    if fewer and made.whole:
        out.say(
            f"\nleft out: {fewer} of {out.counted(request.count, 'proposal')}, which repeated an idea"
        )
    elif fewer:
        out.say(
            f"\nthe model failed after {len(made.ideas)} ideas; the same command asks for the others"
        )
    cost = "not known" if made.usage.usd is None else f"${made.usage.usd:.2f}"
    first = ",".join(str(at) for at in range(1, min(2, len(made.ideas)) + 1))
    out.say(f"\nlist:    {made.file}\nrecord:  {made.folder}\ncost:    {cost}")
    same = [f"--{name} {shlex.quote(str(value))}" for name in ("scale", "policy", "model")
            if (value := getattr(request, name)) != getattr(IdeasRequest(template=""), name)]  # fmt: skip
    command = [
        "aisci run",
        shlex.quote(made.template),
        *same,
        "--from-ideas",
        shlex.quote(str(made.file)),
    ]
    out.say(f"next:    {' '.join(command)} --only {first}")
