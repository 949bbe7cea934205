"""The ``aisci`` command: its commands, by what people want. Each imports what it needs when it runs.

Every error ends in :class:`Commands`: one screen that says what, where, why and what to do;
exit code 2 for a request that is wrong, 1 for a failure, 130 for an interrupt.
"""

from __future__ import annotations

from orchestrator.console.bench_groups import bench_group
from orchestrator.console.commands import commands, own_process, root
from orchestrator.console.groups import data_group, images_group, template_group
from orchestrator.console.keep_groups import KEEP_COMMANDS
from orchestrator.console.literature_groups import literature_group
from orchestrator.console.machine_groups import MACHINE_COMMANDS
from orchestrator.console.policy_groups import check_group, policy_group
from orchestrator.console.research_groups import RESEARCH_COMMANDS
from orchestrator.console.run_groups import RUN_COMMANDS
from orchestrator.console.stage_groups import IDEA_COMMANDS
from orchestrator.console.start_groups import START_COMMANDS

HELP_PARTS = {
    "Start here": ("demo", "doctor", "run", "resume", "cancel"),
    "Look": ("list", "status", "logs", "open", "compare", "report"),
    "Keep": ("export", "stamp", "rm", "du", "prune"),
    "Judge": ("audit", "replay", "check", "review", "bench"),
    "One stage, one question": (
        *("ideas", "experiment", "plot", "writeup", "improve", "slides"),
        *("novelty", "survey", "literature", "import"),
    ),
    "Set up": ("config", "models", "images", "template", "data"),
    "Trust": ("policy", "events", "sbom", "stop", "reap"),
    "Help": ("docs", "completion", "version"),
}
"""The parts of ``aisci --help``, and the commands in each."""

app = commands(
    "Let a language model run small ML studies; the code it writes runs only in containers.",
    sections=HELP_PARTS,
    first="aisci run grokking --scale smoke --policy ci-cpu",
)
app.add_typer(check_group, name="check")
app.add_typer(images_group, name="images")
app.add_typer(policy_group, name="policy")
app.add_typer(template_group, name="template")
app.add_typer(data_group, name="data")
app.add_typer(literature_group, name="literature")
app.add_typer(bench_group, name="bench")
for _name, _function in (
    START_COMMANDS
    | RESEARCH_COMMANDS
    | RUN_COMMANDS
    | KEEP_COMMANDS
    | IDEA_COMMANDS
    | MACHINE_COMMANDS
).items():
    app.command(_name)(_function)
app.callback()(root)


def main() -> None:
    """The console command; what it sets for the whole process, a host program keeps as it is."""
    own_process()
    app()


if __name__ == "__main__":
    main()
