"""python plot.py

Reads run_*/final_info.json beside this file's working directory and draws every metric, with one
mark per run and data set: final_comparison.png, and one more picture for every further six metrics.
A whisker is one standard error over the seeds.
"""

from collections.abc import Iterator
from typing import Any

import common

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}
# The axis of each metric, such as {"test_loss": "test loss (nats)"}; what is not named here is drawn
# under its own name, and with `ONLY_NAMED = True` left out.
METRICS: dict[str, str] = {}
ONLY_NAMED = False
AT_ONCE = 6  # panels of one picture


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in `means` or `stderrs`, the names of nested ones joined by dots."""
    if isinstance(value, dict):
        for part, inner in value.items():
            yield from numbers(inner, f"{name}.{part}" if name else part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name or "value", float(value)


def plain(results: dict[str, Any]) -> dict[str, Any]:
    """One run's results with `_mean` and `_stderr` behind each name, whatever was written."""
    return {
        data: {
            kind: {f"{name.removesuffix(end)}{end}": x for name, x in numbers(one.get(kind, {}))}
            for kind, end in (("means", "_mean"), ("stderrs", "_stderr"))
        }
        for data, one in results.items()
    }


if __name__ == "__main__":
    common.set_look()
    runs = {run: plain(results) for run, results in common.read_runs("final_info.json").items()}
    sets = list(dict.fromkeys(data for results in runs.values() for data in results))
    seen = (x for results in runs.values() for one in results.values() for x in one["means"])
    names = [name.removesuffix("_mean") for name in dict.fromkeys(seen)]
    drawn = [name for name in names if name in METRICS or not ONLY_NAMED]
    for i in range(0, len(drawn), AT_ONCE):
        axes = {name: METRICS.get(name, name.replace("_", " ")) for name in drawn[i : i + AT_ONCE]}
        path = f"final_comparison{f'_{i // AT_ONCE + 1}' if i else ''}.png"
        common.plot_finals(runs, axes, labels, dict(zip(sets, sets, strict=True)), path=path)
