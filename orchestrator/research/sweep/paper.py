"""The sweep's paper: plain sentences around the recorded numbers, and a mechanical checklist.

Every number comes from the blocks of the prompt. A difference counts as one only where it is
larger than two standard errors of the two means together; else it is called no clear one.
"""

from __future__ import annotations

import math
import re

from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.tables import metric_words
from orchestrator.research.sweep.origin import how_made, whose
from orchestrator.research.sweep.wording import (
    PromptData,
    better,
    code,
    comparison,
    list_of,
    meaning,
    measured_sentence,
    metric_name,
    tested,
)
from orchestrator.template.comparisons import CLEAR

_COLUMN = 4.5  # inches: in a column the letters of a wider figure are too small


def title(data: PromptData) -> str:
    return escape(data["idea"]["title"])


def abstract(data: PromptData) -> str:
    """Question, what was done, the headline comparison, limits."""
    runs = data["results"][1:]
    datasets = list_of([code(name) for name in _datasets(data)])
    return (
        f"{_question(data)} Beside an unchanged baseline, this study reports "
        f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} on {datasets}, each with "
        f"the seeds of the template. {_summary(data, 1)} {whose(data)}"
    )


def introduction(data: PromptData) -> str:
    template = data["template"]
    question = (
        f" The template asks: \\emph{{{escape(template['question'])}}}"
        if template["question"]
        else ""
    )
    return (
        f"{escape(template['description'])}{question}\n\n"
        f"{_question(data)} {_knob_sentence(data)}\n\n"
        f"{how_made(data)} No language model and no person had a part in the text. What the numbers may mean "
        "is left to the reader; what they are is stated with the results and can be checked "
        "against the record.\n\n"
        f"{_summary(data, 1)}"
    )


def background(data: PromptData) -> str:
    lines = ["The following works describe the question and the methods of the template."]
    lines += [
        f"\\citet{{{cite['key']}}} report on \\emph{{{escape(cite['title'])}}}."
        for cite in data["citations"][:3]
    ]
    if not data["citations"]:
        lines = ["No paper on this question was found in this program's library."]
    return " ".join(
        [*lines, "Their own findings are not repeated: this program cannot judge them."]
    )


def related(data: PromptData) -> str:
    rest = data["citations"][3:11]
    if not rest:
        return (
            "The library that this program searches holds no further paper on the question. "
            "Whether the study is new was not judged."
        )
    keys = ",".join(cite["key"] for cite in rest)
    return (
        "Searches for the title of this study and of its template found further work on the same "
        f"ground \\citep{{{keys}}}. The papers were found by their words and were not read; "
        "whether this study is new was not judged."
    )


def method(data: PromptData) -> str:
    idea = data["idea"]
    return (
        f"{escape(idea.get('experiment') or idea['proposed_before_the_plan'])}\n\n"
        "Each run is compared with the baseline on the same data set and the same metric. Where both have "
        "the same seeds, the difference is taken seed by seed, and its error is the standard error of the "
        "mean of these differences; else the error is $\\sqrt{s^2 + t^2}$, of the standard errors $s$ and "
        "$t$ of the two means. A difference is called one only if it is larger than twice its error; "
        "otherwise it is called no clear difference. With the few seeds at hand this is a coarse rule."
    )


def setup(data: PromptData) -> str:
    template = data["template"]
    parts = [
        f"The study ran at the template's \\texttt{{{escape(template['scale'])}}} scale"
        + (f": {escape(template['scale_description'])}." if template["scale_description"] else ".")
    ]
    parts += [_metric_sentence(data, name) for name in _leading(data)]
    parts.append("Means and standard errors are taken over the seeds of the template.")
    parts.append("Table~\\ref{tab:runs} lists the runs.")
    return " ".join(parts) + "\n\nRUNS TABLE HERE"


def results(data: PromptData) -> str:
    parts = [
        "Table~\\ref{tab:results} gives every run's headline metrics.",
        "\n\nRESULTS TABLE HERE\n",
    ]
    for dataset in _datasets(data):
        said = [measured_sentence(data, dataset, metric) for metric in _leading(data)]
        parts.append(f"\n\\paragraph{{On {code(dataset)}.}} " + " ".join(filter(None, said)))
    labels = [f"fig:{number}" for number, _ in enumerate(data["figures"], 1)]
    if labels:
        refs = list_of([f"Figure~\\ref{{{label}}}" for label in labels])
        parts.append(
            f"\n\n{refs} {'shows' if len(labels) == 1 else 'show'} the same runs as drawn by the template's plotting program."
        )
    for label, figure in zip(labels, data["figures"], strict=True):
        parts.append(_figure(label, figure))
    return "".join(parts)


def discussion(data: PromptData) -> str:
    return (
        "The results describe one setting at one scale. What they cannot show: whether the same holds at "
        "another size, on other data, with more seeds, or for values of the setting that were not tried. "
        f"{_question(data)} That may depend on the values that all other settings have. This program "
        "offers no explanation."
    )


def conclusion(data: PromptData) -> str:
    return (
        f"{_question(data)} {_summary(data, 3)} The next step is the plainest one: the same runs with more "
        "seeds and at a larger scale, before any explanation is attempted."
    )


def _knob(data: PromptData) -> PromptData | None:
    """The knob that the idea is named after."""
    knob: PromptData | None = data["template"]["knobs"].get(
        data["idea"]["name"].removeprefix("sweep_")
    )
    return knob


def _question(data: PromptData) -> str:
    knob = _knob(data)
    if knob is None:
        return "How far do the numbers of the template's baseline move when only its random seeds change?"
    name, what = escape(knob["constant"]), escape(meaning(knob))
    return f"How do the results of this template change with \\texttt{{{name}}} ({what})?"


def _knob_sentence(data: PromptData) -> str:
    knob = _knob(data)
    if knob is None:
        return "Nothing is varied but the seeds, because the template declares no further setting."
    tried = [tested(row) for row in data["results"][1:]]
    return (
        f"The setting is the constant {code(knob['constant'])} in {code(knob['file'])}, whose "
        f"default is {knob['default']}. Tried were: {list_of(tried)}."
    )


def _summary(data: PromptData, most: int) -> str:
    found = _findings(data)
    if not found:
        return (
            "In no run did a headline metric differ from the baseline by more than twice the error of "
            "the difference."
        )
    return " ".join(found[:most])


def _findings(data: PromptData) -> list[str]:
    """The headline comparisons that exceed the standard errors, the largest ratio to them first."""
    found = []
    for dataset in _datasets(data):
        for row in data["results"][1:]:
            for metric in _leading(data):
                size = better(data, row, dataset, metric)[1]
                if size > CLEAR:
                    found.append((size, comparison(data, row, dataset, metric)))
    found.sort(key=lambda pair: -pair[0] if math.isfinite(pair[0]) else -1e300)
    return [text for _, text in found if text]


def _metric_sentence(data: PromptData, name: str) -> str:
    metric = data["metrics"].get(name)
    if metric is None:
        return f"What {code(name)} measures is not stated by the template."
    unit = f", in {escape(metric['unit'])}" if metric["unit"] else ""
    way = "" if metric["direction"] == "none" else f"; {metric['direction']} is better"
    return f"{_capital(metric_name(name))} is {escape(metric['description'])}{unit}{way}."


def _leading(data: PromptData) -> list[str]:
    measured = {m for row in data["results"] for d in row["datasets"].values() for m in d}
    marked = [
        name for name, metric in data["metrics"].items() if metric["headline"] and name in measured
    ]
    return (marked or sorted(measured))[:3]


def _datasets(data: PromptData) -> list[str]:
    return list(dict.fromkeys(name for row in data["results"] for name in row["datasets"]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def caption(name: str) -> str:
    """The caption of the figure that is named so."""
    return (
        f"{_capital(metric_words(name.removesuffix('.png')))}, for the baseline and every run; the "
        "legend has a label for each. Drawn by the template's plotting program."
    )


def _figure(label: str, figure: PromptData) -> str:
    size = re.match(r"[\d.]+", figure.get("seen", ""))
    place = "figure*" if size and float(size[0]) > _COLUMN else "figure"
    return (
        f"\n\n\\begin{{{place}}}[!tp]\n\\centering\n"
        f"\\includegraphics[width=0.92\\linewidth,height=0.3\\textheight,keepaspectratio]{{{figure['name']}}}\n"
        f"\\caption{{{escape(figure['caption'])}}}\n"
        f"\\label{{{label}}}\n\\end{{{place}}}"
    )


WRITERS = {
    writer.__name__: writer
    for writer in (
        title, abstract, introduction, background, related, method, setup, results, discussion, conclusion,
    )
}  # fmt: skip
