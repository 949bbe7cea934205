"""Notes: the recorded results as text, with descriptions by the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.core.sanitize import plain_line
from orchestrator.record.notes import DescriptionDropped
from orchestrator.record.ports import Ports
from orchestrator.research.looking.run_facts import run_facts
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.comparing import comparison_rows
from orchestrator.research.stages.requests import edit_files

TO_DESCRIBE = "(to be described)"
_LINE = 2000  # characters of what a plan or a critic says


def write_notes(study: Study, ports: Ports) -> Study:
    """``notes.txt``: the program writes the facts, the editor adds descriptions. An edit that
    changes a fact is noted and not used.
    """
    facts = recorded_notes(study, ports)
    study = replace(study, tree=study.tree.updated({"notes.txt": ports.keep(facts)}))
    noticed = {
        run.name: run_facts(study, run, ports.blobs, whole=False)["noticed"] for run in study.runs
    }
    instruction = render("notes_edit", noticed=block("noticed", noticed))
    edit = edit_files(study, ports, "notes.edit", instruction, "notes.txt")
    described = ports.text(edit.files.as_dict()["notes.txt"])
    if _keeps(facts, described):
        return replace(study, tree=study.tree.updated(edit.files))
    ports.note(DescriptionDropped(why="the edit changed recorded lines of notes.txt"))
    return study


def recorded_notes(study: Study, ports: Ports) -> str:
    """The recorded part of the notes, in the layout of The AI Scientist: what each run measured, how it
    compares with the baseline and its base, what was expected of it and what was found.
    """
    compared, plans = (
        comparison_rows(study, ports.blobs),
        {one.number: one for one in study.outcomes},
    )
    idea = study.idea
    lines = [f"# Title: {idea.title}", f"# Experiment description: {idea.experiment}", ""]
    by_number = dict(study.results)
    for run in study.runs:
        name = "Baseline" if run.number == 0 else f"{run.name}: {run.description}"
        lines += [f"## Run {run.number}: {name}", "Results:"]
        for dataset, data in by_number[run.number].datasets.items():
            for metric, mean in data.means.items():
                error = data.stderrs.get(metric)
                spread = f" ± {error:.4g}" if error is not None else ""
                lines.append(f"  {dataset}: {metric} = {mean:.4g}{spread}")
        lines += [_compared(row) for row in compared if row["run"] == run.name]
        if (outcome := plans.get(run.number)) is not None:
            lines.append(f"Expected: {plain_line(outcome.planned.expects, limit=_LINE)}")
            lines.append(f"Found: {outcome.finding}: {plain_line(outcome.why, limit=_LINE)}")
        lines += [f"Description of run {run.number}: {TO_DESCRIBE}", ""]
    for figure in study.pictures:
        lines += [f"## Figure {figure.name}", f"Caption: {figure.caption}"]
        lines += [f"Seen: {figure.description}"] if figure.description else []
        lines += [f"Description of {figure.name}: {TO_DESCRIBE}", ""]
    asked = [f"- {plain_line(question, limit=_LINE)}" for question in study.questions]
    lines += ["## Asked by a critic", *asked, ""] if asked else []
    return "\n".join(lines)


def _compared(row: dict[str, Any]) -> str:
    """A comparison as a line; a pair of runs with the same seeds is compared seed by seed."""
    error = "" if row["error"] is None else f" ± {row['error']:.4g}"
    how = f" (seed by seed: {row['higher']} higher, {row['lower']} lower)" if row["paired"] else ""
    change = f"{row['difference']:+.4g}{error}"
    return f"  {row['dataset']}: {row['metric']} {change} against {row['against']}{how}: {row['verdict']}"


def _keeps(facts: str, described: str) -> bool:
    """Whether ``described`` contains every line of ``facts`` without a placeholder, in order."""
    rest = iter(described.splitlines())
    return all(
        any(line == found for found in rest)
        for line in facts.splitlines()
        if TO_DESCRIBE not in line
    )
