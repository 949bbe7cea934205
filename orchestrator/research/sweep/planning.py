"""The sweep's answers: the knob, its values, the edits that set them, and requests about a paper."""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.model import Ask
from orchestrator.research.looking.comparison_tables import compared_cells
from orchestrator.research.sweep.paper import WRITERS, caption
from orchestrator.research.sweep.searching import (
    pick_papers,
    place_no_citation,
    queries,
    undecided_novelty,
)
from orchestrator.research.sweep.surveying import SURVEY_ANSWERS
from orchestrator.research.sweep.talk import deck
from orchestrator.research.sweep.unjudged import UNJUDGED_ANSWERS
from orchestrator.research.sweep.wording import (
    PromptData,
    json_reply,
    legend_label,
    meaning,
    measured_runs,
    replace,
    shown_files,
    within_sentence,
)

SMOKE_RUNS = 2  # a smoke run shows that everything works, not how the curve goes
FULL_RUNS = 5
SEED_LINE = re.compile(
    r"^(?P<head>[ \t]*(?:[A-Z_a-z.]*seed\w*\s*(?:=|\()|[^#\n]*default_rng\()\s*)(?P<value>\d+)",
    re.MULTILINE,
)


def propose_sweep(data: PromptData, ask: Ask) -> str:
    """The first knob that no idea in the archive is named after; unscored: a sweep cannot judge."""
    template = data["template"]
    taken = {idea["name"] for idea in data["archive"]}
    of = next((knob for knob in template["knobs"] if f"sweep_{knob}" not in taken), None)
    if of is None and not any(SEED_LINE.search(one.content) for one in ask.messages):
        of = next(iter(template["knobs"]), None)  # the same again: it is left out as a duplicate
        if of is None:
            raise IdeaFailed(
                "builtin/sweep has nothing to study here",
                where=template["name"],
                why="the template declares no further knob, and its code names no random seed",
                todo="declare `knobs` in template.yaml, or choose a model with --model",
            )
    if of is None:
        name = f"replicate_seeds_{1 + sum(name.startswith('replicate_seeds') for name in taken)}"
        title = f"A replication of {template['title']} over more seeds"
        plan = (
            "The template declares no further knob, so nothing is varied but the random seed: "
            "each run repeats the baseline under a new seed, which shows how far the baseline's "
            "numbers move by chance alone."
        )
    else:
        knob = template["knobs"][of]
        values = ", ".join(str(value) for value in knob["values"])
        name, title = (
            f"sweep_{of}",
            f"A sweep of {of.replace('_', ' ')} in {within_sentence(template['title'])}",
        )
        plan = (
            f"The constant {knob['constant']} in {knob['file']} ({meaning(knob)}) is set "
            f"to other values of the declared list ({values}); its default is "
            f"{knob['default']}. Each run changes this constant and nothing else, with the "
            "template's own seeds, and is compared with the baseline metric by metric."
        )
    unscored = dict.fromkeys(("interestingness", "feasibility", "novelty"))
    idea = {"name": name, "title": title, "experiment": plan, **unscored}
    return json_reply(idea | {"done": True})


def plan_sweep(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """A run for each value of the knob, or for each of a few other seeds."""
    most = SMOKE_RUNS if data["study"]["scale"]["name"] == "smoke" else FULL_RUNS
    of = data["study"]["idea"]["name"].removeprefix("sweep_")
    knob = data["knobs"].get(of)
    if knob is not None:
        default, constant = knob["default"], knob["constant"]
        values = [value for value in knob["values"] if value != default][:most]
        runs = [
            (f"{constant} = {v!r}", f"{constant} = {v!r} instead of {default!r}") for v in values
        ]
    elif of.startswith("replicate_seeds"):
        runs = [
            (f"replication {number}", "the baseline again under other random seeds")
            for number in range(1, SMOKE_RUNS + 1)
        ]
    else:
        raise IdeaFailed(
            "builtin/sweep cannot carry out this idea",
            where=of,
            why="it turns the declared knobs of a template, and the idea names none of them",
            todo="choose a model with --model, or remove the idea from ideas.json",
        )
    expects = "a headline metric differs from the baseline by more than the errors"
    refuted = "no headline metric differs by more than the errors"
    rows = [
        {
            "name": name,
            "base": "baseline",
            "tests": tests,
            "expects": expects,
            "refuted_by": refuted,
        }
        for name, tests in runs
    ]
    return json_reply({"runs": rows})


def compare_sweep(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """What the host's comparisons of this run say; the plan goes on as it was."""
    name = data["run"]["name"]  # the last one
    rows = [one for one in compared_cells(data["comparisons"]) if one.run == name]
    clear = [one for one in rows if one.verdict in {"better", "worse", "differs"}]
    known = [one for one in rows if one.verdict != "no error known"]
    why = f"{len(clear)} of {len(rows)} compared means differ by more than two combined errors"
    if rows and not known:  # of one seed: nothing was shown, and nothing refuted
        why = f"no error is known of {len(rows)} compared means"
    finding = "as expected" if clear else "refuted" if known else "unclear"
    return json_reply({"finding": finding, "why": why, "runs": data["remaining"]})


def no_critique(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """A sweep has no judgement: it asks nothing and wants no further run."""
    return json_reply({"questions": [], "runs": []})


def experiment(data: PromptData, ask: Ask) -> str:
    """Turn the study's knob to the planned value."""
    planned = data["planned"]
    knob = data["knobs"].get(data["study"]["idea"]["name"].removeprefix("sweep_"))
    if knob is None:
        return _reseed(planned, shown_files(ask))
    value = planned["name"].rpartition(" = ")[2]
    source = shown_files(ask)[knob["file"]]
    line = next(row for row in source.splitlines() if re.match(rf"{knob['constant']}\s*[:=]", row))
    changed = re.sub(r"(=\s*)[^#]*?(\s*(#.*)?)$", rf"\g<1>{value}\g<2>", line, count=1)
    return f"RUN: {planned['tests']}\n\n{replace(knob['file'], line, changed)}"


def _reseed(planned: PromptData, files: dict[str, str]) -> str:
    """Another seed where the code names one."""
    number = int(planned["name"].rpartition(" ")[2])
    source = files["experiment.py"]
    found = SEED_LINE.search(source)
    assert found is not None, "such a study is proposed only where the code names a seed"
    whole = next(row for row in source.splitlines() if row.startswith(found[0]))
    changed = f"{found['head']}{int(found['value']) + 1000 * number}{whole.removeprefix(found[0])}"
    return f"RUN: {planned['tests']}\n\n{replace('experiment.py', whole, changed)}"


def label_plots(data: PromptData, ask: Ask) -> str:
    """A legend label for every run, in the ``labels`` dictionary of ``plot.py``, and the captions."""
    source = shown_files(ask)["plot.py"]
    found = re.search(
        r"^labels\b[^=\n]*=\s*\{.*?^\}|^labels\b[^=\n]*=\s*\{[^\n]*\}$",
        source,
        re.MULTILINE | re.DOTALL,
    )
    named = re.findall(r"savefig\(\s*[\"']([\w.+-]+\.png)[\"']", source)
    names = dict.fromkeys([*named, *(one["name"] for one in data["figures"])])
    captions = "\n".join(f"FIGURE: {name} — {caption(name)}" for name in names)
    if found is None:
        return f"plot.py has no labels dictionary; its figures name the runs by their folders.\n{captions}"
    rows = [f'    "run_{row["run"]}": "{legend_label(row)}",' for row in data["results"]]
    edit = replace("plot.py", found.group(0), "\n".join(["labels = {", *rows, "}"]))
    return f"{edit}\n{captions}"


def describe(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """Describe each run by what it changed, and each figure by its file name."""
    source, edits = shown_files(ask)["notes.txt"], []
    for line, what in re.findall(r"(?m)^(Description of (.+): \(to be described\))$", source):
        said = "Drawn by plot.py over all finished runs; the legend names each run."
        if what.startswith("run "):
            said = "One constant changed; the results are listed above."
        if what == "run 0":
            said = "Baseline, unchanged."
        edits.append(replace("notes.txt", line, line.replace("(to be described)", said)))
    return "\n".join(edits)


def write_part(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The sections that are asked for."""
    known = measured_runs(data)
    texts = {name: WRITERS[name](known) for name in data["task"]["sections"]}
    if len(texts) == 1:
        return texts.popitem()[1]
    return "\n\n".join(f"%% SECTION {name}\n\n{text}" for name, text in texts.items())


def checklist_review(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    return json_reply(checklist(data))


def checklist(data: PromptData) -> PromptData:
    """A mechanical checklist over the pages: no scores, no decision."""
    text = "\n".join(data["pages"])
    checks = {
        "an abstract": r"\bAbstract\b",
        "a results section": r"\bResults\b",
        "a table": r"\bTable \d",
        "a figure": r"\bFigure \d",
        "a reference list": r"\bReferences\b",
        "standard errors": r"standard error",
        "a statement of limits": r"cannot show|[Ll]imitation",
    }
    there = [what for what, pattern in checks.items() if re.search(pattern, text, re.IGNORECASE)]
    absent = [what for what in checks if what not in there]
    return {
        "Summary": (
            f"A mechanical checklist by builtin/sweep over {len(data['pages'])} pages. It "
            "looks for the parts that a paper has; it does not judge what the paper says."
        ),
        "Strengths": [f"the paper has {what}" for what in there],
        "Weaknesses": [f"the paper has no {what.split(' ', 1)[-1]}" for what in absent],
        "Limitations": ["a checklist cannot tell a good paper from a bad one"],
    }


SWEEP_ANSWERS: dict[str, Callable[[PromptData, Ask], str]] = {
    "ideas.propose": propose_sweep,
    "novelty.decide": undecided_novelty,
    "plan.make": plan_sweep,
    "plan.revise": compare_sweep,
    "critique": no_critique,
    "experiment.edit": experiment,
    "plots.edit": label_plots,
    "notes.edit": describe,
    **dict.fromkeys((f"writeup.{name}" for name in WRITERS), write_part),
    "writeup.queries": queries,
    "cite.pick": pick_papers,
    "cite.draft": place_no_citation,
    "writeup.slides": deck,
    "review.form": checklist_review,
    **SURVEY_ANSWERS,
    **UNJUDGED_ANSWERS,
}
