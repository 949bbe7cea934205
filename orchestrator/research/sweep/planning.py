"""The sweep's study: the knob, its values, and the edits that set them."""

from __future__ import annotations

import json
import re
from typing import Any

from orchestrator.core.model import Ask
from orchestrator.research.sweep.edits import replace, shown_files

SMOKE_RUNS = 2  # a smoke run shows that everything works, not how the curve goes
FULL_RUNS = 5
_SEED = re.compile(r"^(?P<head>\s*[A-Z_a-z.]*seed\w*\s*(?:=|\()\s*)(?P<value>\d+)", re.MULTILINE)


def propose_sweep(data: dict[str, Any], ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """One idea: the first declared knob that no idea in the archive is named after."""
    template = data["template"]
    taken = {idea["name"] for idea in data["archive"]}
    name = next((knob for knob in template["knobs"] if f"sweep_{knob}" not in taken), None)
    idea = _replication(template, taken) if name is None else _sweep(template, name)
    return _json(idea | {"done": True})


def _sweep(template: dict[str, Any], name: str) -> dict[str, Any]:
    knob = template["knobs"][name]
    values = ", ".join(str(value) for value in knob["values"])
    return _idea(
        f"sweep_{name}",
        f"A sweep of {name.replace('_', ' ')} in {template['title']}",
        (
            f"The constant {knob['constant']} in {knob['file']} ({knob['description']}) is set "
            f"to other values of the declared list ({values}); its default is "
            f"{knob['default']}. Each run changes this constant and nothing else, with the "
            "template's own seeds, and is compared with the baseline metric by metric."
        ),
    )


def _replication(template: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    number = 1 + sum(name.startswith("replicate_seeds") for name in taken)
    return _idea(
        f"replicate_seeds_{number}",
        f"A replication of {template['title']} over more seeds",
        (
            "The template declares no further knob, so nothing is varied but the random seed: "
            "each run repeats the baseline under a new seed, which shows how far the baseline's "
            "numbers move by chance alone."
        ),
    )


def _idea(name: str, title: str, experiment: str) -> dict[str, Any]:
    """An idea without scores, because a sweep cannot judge it."""
    unscored = dict.fromkeys(("interestingness", "feasibility", "novelty"))
    return {"name": name, "title": title, "experiment": experiment, **unscored}


def undecided_novelty(data: dict[str, Any], ask: Ask) -> str:
    """One search by title, then undecided: a sweep cannot judge novelty."""
    if not data["papers"] and "Round 1 of" in ask.messages[-1].content:
        return _json({"decision": "search", "query": data["idea"]["title"], "reason": ""})
    reason = f"{len(data['papers'])} papers were found; builtin/sweep does not judge novelty."
    return _json({"decision": "undecided", "query": "", "reason": reason})


def experiment(data: dict[str, Any], ask: Ask) -> str:
    """Turn the study's knob to its next value, or complete the study."""
    done = [entry for entry in data["results"] if entry["run"] > 0]
    number = len(done) + 1
    most = SMOKE_RUNS if data["study"]["scale"] == "smoke" else FULL_RUNS
    name = data["study"]["idea"]["name"].removeprefix("sweep_")
    knob = data["knobs"].get(name)
    if knob is None:
        return "ALL_COMPLETED" if number > SMOKE_RUNS else _reseed(number, shown_files(ask))
    values = [value for value in knob["values"] if value != knob["default"]][:most]
    if number > len(values):
        return "ALL_COMPLETED"
    value = values[number - 1]
    source = shown_files(ask)[knob["file"]]
    line = next(row for row in source.splitlines() if re.match(rf"{knob['constant']}\s*[:=]", row))
    changed = re.sub(r"(=\s*)[^#]*?(\s*(#.*)?)$", rf"\g<1>{value!r}\g<2>", line, count=1)
    about = f"RUN: {knob['constant']} = {value!r} instead of {knob['default']!r}"
    return f"{about}\n\n{replace(knob['file'], line, changed)}"


def _reseed(number: int, files: dict[str, str]) -> str:
    """New seeds where the code names one; seeding at the top where it names none."""
    source = files["experiment.py"]
    found = _SEED.search(source)
    about = f"RUN: the baseline again under other random seeds (replication {number})"
    if found:
        line = found.group(0)
        whole = next(row for row in source.splitlines() if line.strip("\n") in row)
        changed = whole.replace(found["value"], str(int(found["value"]) + 1000 * number), 1)
        return f"{about}\n\n{replace('experiment.py', whole, changed)}"
    first = next(
        row
        for row in source.splitlines()
        if re.match(r"(import|from)\s", row) and "__future__" not in row
    )
    seeding = f"import random\n\nrandom.seed({1000 * number})\n{first}"
    return f"{about}\n\n{replace('experiment.py', first, seeding)}"


def label_plots(data: dict[str, Any], ask: Ask) -> str:
    """A legend label for every run, in the ``labels`` dictionary of ``plot.py``."""
    source = shown_files(ask)["plot.py"]
    found = re.search(
        r"^labels\b[^=\n]*=\s*\{.*?^\}|^labels\b[^=\n]*=\s*\{[^\n]*\}$",
        source,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        return "plot.py has no labels dictionary; its figures name the runs by their folders."
    rows = [f'    "run_{row["run"]}": "{_label(row)}",' for row in data["results"]]
    return replace("plot.py", found.group(0), "\n".join(["labels = {", *rows, "}"]))


def _label(row: dict[str, Any]) -> str:
    if row["run"] == 0:
        return "Baseline"
    return str(row["description"]).split(" instead of ")[0].replace('"', "").replace("'", "")


def no_notes_edit(data: dict[str, Any], ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """Describe each run by what it changed, and each figure by its file name."""
    source = shown_files(ask)["notes.txt"]
    edits = []
    for head, body in re.findall(
        r"^(## [^\n]+\n)(.*?Description: \(to be described\))", source, re.MULTILINE | re.DOTALL
    ):
        said = (
            "Baseline, unchanged."
            if head.startswith("## Run 0")
            else "One constant changed; the results are listed above."
        )
        if head.startswith("## Figure"):
            said = "Drawn by plot.py over all finished runs; the legend names each run."
        edits.append(
            replace("notes.txt", head + body, (head + body).replace("(to be described)", said))
        )
    return "\n".join(edits)


def _json(value: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(value, indent=1)}\n```\n"


PLANNING_ANSWERS = {
    "ideas.propose": propose_sweep,
    "novelty.decide": undecided_novelty,
    "experiment.edit": experiment,
    "plots.edit": label_plots,
    "notes.edit": no_notes_edit,
}
