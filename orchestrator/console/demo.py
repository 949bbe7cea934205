"""``aisci demo``: a recorded study in a folder, and where to look at it."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from orchestrator.api.demo import replay_demo
from orchestrator.api.find_run import id_of
from orchestrator.console import output as out
from orchestrator.console.run_logs import show_page


def demo(into: Path, *, only_print: bool, as_json: bool) -> None:
    """Replay the shipped study into ``into``, and open its page where there is a screen."""
    with out.trying("replaying a recorded study …"):
        made = replay_demo(into)
    if as_json:
        out.as_json({"demo": {"folder": str(made.folder), "report": str(made.report),
                              "idea_report": str(made.idea_report), "paper": str(made.paper),
                              "title": made.title, "same": made.same}})  # fmt: skip
        return
    out.say(f"{made.title}\n")
    out.say("\n".join(fill(line, out.width()) for line in made.about))
    out.say(f"replayed from its record: {made.same} files are the same byte for byte\n")
    out.say(f"study:    {made.idea_report}\nrun:      {made.report}\npaper:    {made.paper}\n")
    name = f"{id_of(made.folder)} --results {into}"
    out.say(
        f"more:     aisci status {name}\n          aisci logs {name}\n          aisci audit {name}"
    )
    out.say("your own: aisci run grokking --scale smoke --policy ci-cpu")
    if not only_print:
        show_page(made.idea_report)
