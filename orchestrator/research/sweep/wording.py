"""The sweep's words and formats.

A comparison is put into words with the digits that the prompt says to print. Edits are in Aider's
SEARCH/REPLACE format, made from the files that the editor showed.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from orchestrator.core.model import Ask
from orchestrator.core.research import BASELINE
from orchestrator.research.looking.comparison_tables import compared_cells
from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.tables import metric_words
from orchestrator.research.prompts import from_table
from orchestrator.template.comparisons import CLEAR

PromptData = dict[str, Any]
_SHOWN = re.compile(r"^([\w./-]+)\n(`{3,})[a-z]*\n(.*?)^\2$", re.MULTILINE | re.DOTALL)

_DIFFERS = frozenset({"better", "worse", "differs"})


def shown_files(ask: Ask) -> dict[str, str]:
    """The files as the editor lists them: a path line, then a fence; the last listing wins."""
    return {
        path: text
        for message in ask.messages
        if message.role == "user"
        for path, _, text in _SHOWN.findall(message.content)
    }


def replace(path: str, old: str, new: str) -> str:
    """One SEARCH/REPLACE block; an empty ``old`` fills a new or empty file."""
    search = f"{old}\n" if old else ""
    fence = "````" if "```" in old + new else "```"
    return f"{path}\n{fence}\n<<<<<<< SEARCH\n{search}=======\n{new}\n>>>>>>> REPLACE\n{fence}\n"


def json_reply(value: PromptData) -> str:
    return f"```json\n{json.dumps(value, indent=1)}\n```\n"


def code(name: str) -> str:
    return rf"\texttt{{{escape(name)}}}"


def list_of(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def measured_runs(data: PromptData) -> PromptData:
    """The blocks of a paper's conversation with their table of results as a row for each run."""
    rows: list[PromptData] = [{**run, "datasets": {}} for run in data["runs"]]
    for line in from_table(data["results"]):
        for run in rows:
            if (cell := line[run["name"]]) is not None:
                means = run["datasets"].setdefault(line["data_set"], {})
                means[line["metric"]] = {"mean": cell[0], "stderr": cell[1]}
    return {**data, "results": rows}


def tested(row: PromptData) -> str:
    """What a run tested, in the words that were recorded when it was made."""
    return f"{escape(row['description'].rstrip('.'))} ({emphasised_run(row)})"


def emphasised_run(row: PromptData) -> str:
    """A run's name as the paper prints it."""
    return "the baseline" if row["name"] == BASELINE else rf"\emph{{{escape(row['name'])}}}"


def _macro(kind: str, *arguments: str) -> str:
    return f"\\{kind}" + "".join(f"{{{one}}}" for one in arguments)


def _size(apart: float, error: float | None, *, clear: bool) -> float:
    """Never on the other side of the host's verdict by the rounding of the two numbers."""
    if not clear:
        return min(CLEAR, abs(apart) / error) if error else 0.0
    return max(math.nextafter(CLEAR, math.inf), abs(apart) / error) if error else math.inf


def better(data: PromptData, row: PromptData, dataset: str, metric: str) -> tuple[float, float]:
    """The difference from the baseline, and its size in standard errors: of the host's comparison, which
    pairs seeds, where it made one; else of the two combined. The size is infinite where the error is 0 and
    the means differ, and 0 where nothing can be compared.
    """
    for known in compared_cells(data.get("comparisons", {})):
        if known[:4] == (row["name"], BASELINE, dataset, metric):
            apart = float(known.difference)
            return apart, _size(apart, known.error, clear=known.verdict in _DIFFERS)
    base, mine = _entry(data["results"][0], dataset, metric), _entry(row, dataset, metric)
    if base is None or mine is None:
        return 0.0, 0.0
    apart = float(mine["mean"] - base["mean"])
    spread = math.hypot(mine["stderr"] or 0.0, base["stderr"] or 0.0)
    if apart == 0:
        return 0.0, 0.0
    return apart, abs(apart) / spread if spread else math.inf


def comparison(data: PromptData, row: PromptData, dataset: str, metric: str) -> str:
    """One sentence: a run against the baseline; empty where one of the two is missing."""
    base, mine = _entry(data["results"][0], dataset, metric), _entry(row, dataset, metric)
    if base is None or mine is None:
        return ""
    return (
        f"In {emphasised_run(row)}, the {metric_name(metric)} on {code(dataset)} is "
        f"{_macro('val', row['name'], dataset, metric)}, against "
        f"{_macro('val', BASELINE, dataset, metric)} in the baseline: "
        f"{_verdict(data, row, dataset, metric)}."
    )


def measured_sentence(data: PromptData, dataset: str, metric: str) -> str:
    """One sentence: the baseline's mean, then each run's, with how it compares."""
    base = _entry(data["results"][0], dataset, metric)
    rows = [row for row in data["results"][1:] if _entry(row, dataset, metric)]
    if base is None or not rows:
        return ""
    said = [
        f"{_macro('val', row['name'], dataset, metric)} in {emphasised_run(row)} "
        f"({_verdict(data, row, dataset, metric)})"
        for row in rows
    ]
    return (
        f"The {metric_name(metric)} on {code(dataset)} is {_macro('val', BASELINE, dataset, metric)} in the "
        f"baseline, {list_of(said)}."
    )


def metric_name(metric: str) -> str:
    """A metric's name in prose, as LaTeX."""
    return escape(metric_words(metric))


def _entry(row: PromptData, dataset: str, metric: str) -> PromptData | None:
    found: PromptData | None = row["datasets"].get(dataset, {}).get(metric)
    return found


def _verdict(data: PromptData, row: PromptData, dataset: str, metric: str) -> str:
    apart, size = better(data, row, dataset, metric)
    if apart == 0:
        return "the same"
    if size <= CLEAR:
        return "no clear difference"
    direction = data["metrics"].get(metric, {}).get("direction", "none")
    word = {
        "lower": "better" if apart < 0 else "worse",
        "higher": "better" if apart > 0 else "worse",
    }
    by = _macro("by", row["name"], BASELINE, dataset, metric)
    return f"{word.get(direction, 'different')} by {by}"


def meaning(knob: PromptData) -> str:
    """What a knob is, without what its manifest adds after a semicolon: numbers there are of no run."""
    return str(knob["description"]).partition(";")[0].strip()


def within_sentence(title: str) -> str:
    """A title within a sentence: its article is no longer the first word."""
    article = title.partition(" ")[0]
    return article.lower() + title.removeprefix(article) if article in {"A", "An", "The"} else title


def legend_label(row: PromptData) -> str:
    """A run's words in a legend."""
    if row["run"] == 0:
        return "Baseline"
    return str(row["description"]).split(" instead of ")[0].replace('"', "").replace("'", "")
