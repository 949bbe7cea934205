"""Notes: the recorded results as text, with descriptions by the model."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.record.notes import DescriptionDropped
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.requests import edit_files

TO_DESCRIBE = "(to be described)"


def write_notes(study: Study, ports: Ports) -> Study:
    """``notes.txt``: the program writes the facts, the editor adds descriptions. An edit that
    changes a fact is noted and not used.
    """
    facts = recorded_notes(study)
    study = replace(study, tree=study.tree.updated({"notes.txt": ports.keep(facts)}))
    instruction = render(
        "notes_edit",
        results=common.results_block(study, ports),
        figures=block("figures", common.figure_rows(study.pictures)),
    )
    edit = edit_files(study, ports, "notes.edit", instruction, "notes.txt")
    described = ports.text(edit.files.as_dict()["notes.txt"])
    if _keeps(facts, described):
        return replace(study, tree=study.tree.updated(edit.files))
    ports.note(DescriptionDropped(why="the edit changed recorded lines of notes.txt"))
    return study


def recorded_notes(study: Study) -> str:
    """The recorded part of the notes, in the layout of The AI Scientist."""
    idea = study.idea
    lines = [f"# Title: {idea.title}", f"# Experiment description: {idea.experiment}", ""]
    by_number = dict(study.results)
    for run in study.runs:
        name = "Baseline" if run.number == 0 else run.description
        lines += [f"## Run {run.number}: {name}", "Results:"]
        for dataset, data in by_number[run.number].datasets.items():
            for metric, mean in data.means.items():
                error = data.stderrs.get(metric)
                spread = f" ± {error:.4g}" if error is not None else ""
                lines.append(f"  {dataset}: {metric} = {mean:.4g}{spread}")
        lines += [f"Description: {TO_DESCRIBE}", ""]
    for figure in study.pictures:
        lines += [f"## Figure {figure.name}", f"Caption: {figure.caption}"]
        lines += [f"Seen: {figure.description}"] if figure.description else []
        lines += [f"Description: {TO_DESCRIBE}", ""]
    return "\n".join(lines)


def _keeps(facts: str, described: str) -> bool:
    """Whether ``described`` contains every line of ``facts`` without a placeholder, in order."""
    rest = iter(described.splitlines())
    return all(
        any(line == found for found in rest)
        for line in facts.splitlines()
        if TO_DESCRIBE not in line
    )
