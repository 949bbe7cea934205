"""The runs of a study for whoever revises its plan, in words that stay, and then what is told of the last one alone.

What is said of a run is the same in every later request, but for what was found, which stands at its end. So each
revision repeats the beginning of the one before it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestrator.core.model import Message
from orchestrator.core.research import PlannedRun
from orchestrator.record.ports import Ports
from orchestrator.research.looking.code import DIFFERENCE, OLD_DIFFERENCE, shortened
from orchestrator.research.looking.run_facts import run_facts
from orchestrator.research.prompts import block
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import differences_by_run, plan_rows

_FOUND = ("finding", "why")


def run_history(study: Study, planned: PlannedRun, ports: Ports) -> tuple[Message, ...]:
    """A message for each run: what was expected of it, what it measured and changed, and what was found. ``planned`` is
    the plan of the last one, of which nothing is found yet.
    """
    plans: dict[int, dict[str, Any]] = {one["run"]: one for one in plan_rows(study) if "run" in one}
    plans[study.runs[-1].number] = asdict(planned)
    changes = differences_by_run(study, ports)
    said = list[Message]()
    for run in study.runs:
        last, plan = run is study.runs[-1], plans.get(run.number, {})
        row = {name: one for name, one in plan.items() if name not in _FOUND}
        row |= run_facts(study, run, ports.blobs, whole=False)
        if row["description"] == plan.get("tests"):
            del row["description"]
        if run.name in changes:
            row["changed"] = shortened(changes[run.name], DIFFERENCE if last else OLD_DIFFERENCE)
        row |= {name: plan[name] for name in _FOUND if name in plan}
        said.append(Message("user", f"{block('run', row)}\n", cache=not last))
    return tuple(said)


def last_run_block(study: Study, ports: Ports) -> str:
    """What the row of the last run does not tell: output, files, curves, and the values of further metrics."""
    newest = study.runs[-1]
    told = run_facts(study, newest, ports.blobs, whole=False)
    whole = run_facts(study, newest, ports.blobs)
    more: dict[str, Any] = {
        name: one for name, one in whole.items() if name not in told or name == "left_files"
    }
    more["values_per_seed"] = {
        data: {
            name: values
            for name, values in metrics.items()
            if name not in told["values_per_seed"].get(data, {})
        }
        for data, metrics in whole["values_per_seed"].items()
    }
    return block("last_run", more)


def given_up_block(study: Study) -> str:
    """The planned runs that no attempt carried out."""
    return block("given_up", [row for row in plan_rows(study) if "given_up" in row])
