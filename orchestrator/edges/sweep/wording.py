"""How the sweep puts a comparison into words, with the digits that the prompt says to print."""

from __future__ import annotations

import math
from typing import Any

from orchestrator.latex import escape
from orchestrator.numbers import shown

Data = dict[str, Any]


def code(name: str) -> str:
    return rf"\texttt{{{escape(name)}}}"


def words(metric: str) -> str:
    return metric.removesuffix("_mean").replace("_", " ")


def list_of(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def tested(row: Data) -> str:
    """What a run tested, in the words that were recorded when it was made."""
    return f"{escape(row['description'].rstrip('.'))} (run {row['run']})"


def printed(entry: Data) -> str:
    error = entry["print_stderr"]
    return f"${entry['print_mean']}$" if error is None else rf"${entry['print_mean']} \pm {error}$"


def better(data: Data, row: Data, dataset: str, metric: str) -> tuple[float, float]:
    """The difference from the baseline, and its size in combined standard errors.

    The size is infinite where both errors are 0 and the means differ, and 0 where nothing can
    be compared.
    """
    base = data["results"][0]["datasets"].get(dataset, {}).get(metric)
    mine = row["datasets"].get(dataset, {}).get(metric)
    if base is None or mine is None:
        return 0.0, 0.0
    apart = float(mine["mean"] - base["mean"])
    spread = math.hypot(mine["stderr"] or 0.0, base["stderr"] or 0.0)
    if apart == 0:
        return 0.0, 0.0
    return apart, abs(apart) / spread if spread else math.inf


def comparison(data: Data, row: Data, dataset: str, metric: str) -> str:
    """One sentence: a run against the baseline; empty where one of the two is missing."""
    base = data["results"][0]["datasets"].get(dataset, {}).get(metric)
    mine = row["datasets"].get(dataset, {}).get(metric)
    if base is None or mine is None:
        return ""
    apart, size = better(data, row, dataset, metric)
    known = data["metrics"].get(metric, {"direction": "none", "words": words(metric)})
    name = escape(known["words"])
    head = (
        f"In run {row['run']}, the {name} on {code(dataset)} is {printed(mine)}, against "
        f"{printed(base)} in the baseline"
    )
    if apart == 0:
        return f"{head}: the same."
    if size <= 1:
        return f"{head}: a difference within the standard errors."
    side = {"lower": apart < 0, "higher": apart > 0}.get(known["direction"])
    verdict = {True: "better", False: "worse", None: "different"}[side]
    spread = math.hypot(mine["stderr"] or 0.0, base["stderr"] or 0.0)
    return f"{head}: {verdict} by ${shown(abs(apart), spread)}$."
