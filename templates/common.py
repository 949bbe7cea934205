"""What the shipped experiments and their plots share: a check of a split, a summary over seeds, results
written in one step, a share of the work done, and one look for all figures. `aisci template new` copies
this file beside experiment.py; it needs nothing of aisci. Figures need matplotlib, the rest Python alone.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Metrics = dict[str, float]  # one seed's value of each metric

# --------------------------------------------------------------------------------------------------
# Results


def summarise(per_seed: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Means over the seeds, with standard errors and the values themselves.

    A standard error is the sample deviation (n - 1 in its divisor) over the root of n. One seed
    has none.
    """
    if not per_seed:
        raise ValueError("there are no numbers: give those of one seed at least")
    n = len(per_seed)
    values = {name: [row[name] for row in per_seed] for name in per_seed[0]}
    means = {name: sum(found) / n for name, found in values.items()}
    errors = {
        name: math.sqrt(sum((x - means[name]) ** 2 for x in found) / (n - 1) / n)
        for name, found in values.items()
        if n > 1
    }
    return {
        "means": {f"{name}_mean": mean for name, mean in means.items()},
        "stderrs": {f"{name}_stderr": error for name, error in errors.items()},
        "final_info_dict": values,
    }


def out_dir() -> Path:
    """The folder that --out_dir names on the command line; run_0 if none."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    found: Path = parser.parse_known_args()[0].out_dir
    return found


def write_results(out_dir: Path, **files: object) -> None:
    """Write each of ``files`` as out_dir/<name>.json: all whole, or none under its name."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out_dir / f".{name}.new").write_text(json.dumps(content, indent=1, allow_nan=False))
    for name in files:
        (out_dir / f".{name}.new").replace(out_dir / f"{name}.json")


def counter(total: int) -> Callable[[], None]:
    """To be called once for each of ``total`` equal parts; prints what share of all is done."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        print(f"progress: {done / total:.4f}", flush=True)

    return advance


def check_apart(parts: Mapping[str, Sequence[bytes]], of: str) -> None:
    """Stop if two parts of a split share an example, by its bytes; ``of`` names the examples.

    Order the parts as they are used: trained on, chosen by, tested on.
    """
    seen = {name: set(examples) for name, examples in parts.items()}
    names = list(seen)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            shared = len(seen[one] & seen[other])
            if shared:
                raise SystemExit(
                    f"the split leaks: {shared} {of} are in both the {one} and the {other} part; "
                    "a test result means nothing then"
                )


def told(name: str, final: Mapping[str, Mapping[str, float]]) -> None:
    """Print a data set's means on one line."""
    print(f"{name}:", *(f"{k} {x:.4g}" for k, x in final["means"].items()), sep="  ", flush=True)


# --------------------------------------------------------------------------------------------------
# Figures

# Okabe and Ito's palette: distinct under the common kinds of colour blindness
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # and shapes, for print without colour
DPI = 300
GREY = "#999999"  # of a line that no run made: chance, a bound


def set_look() -> None:
    """Fonts, grid and lines of every figure; call it once, before the first figure."""
    import matplotlib as mpl  # noqa: PLC0415  # an experiment that imports this file draws nothing

    mpl.use("Agg")
    mpl.rcParams.update(
        {
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.4,
            "savefig.dpi": DPI,
        }
    )


def read_runs(name: str) -> dict[str, Any]:
    """run_i/<name> of every finished run, in the order of the runs' numbers."""
    files = sorted(
        Path().glob(f"run_*/{name}"), key=lambda path: int(path.parent.name.removeprefix("run_"))
    )
    if not files:
        raise SystemExit(f"no run_*/{name} in {Path.cwd()}: run experiment.py first")
    return {path.parent.name: json.loads(path.read_text()) for path in files}


def style(i: int) -> dict[str, str]:
    """A colour and a shape; the eighth run repeats the first one's colour, with another shape."""
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[(i + i // 7) % len(MARKERS)]}


def legend_below(figure: Figure, axis: Axes, lines: Mapping[str, str] | None = None) -> None:
    """Under the figure: the labels of ``axis``, then in grey what each style of line means."""
    from matplotlib.lines import Line2D  # noqa: PLC0415  # as above

    handles, names = axis.get_legend_handles_labels()
    for name, line in (lines or {}).items():
        handles.append(Line2D([], [], color="#777777", linestyle=line, linewidth=1.2))
        names.append(name)
    columns = min(len(names), max(1, int(figure.get_figwidth() / 2.2)))  # a label has a value in it
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def band(
    axis: Axes,
    places: Sequence[float],
    seeds: Sequence[Sequence[float]],
    i: int,
    label: str | None = None,
    line: str = "-",
) -> None:
    """The mean of the seeds over ``places``, as run ``i``, with one standard error around it."""
    n = len(seeds)
    columns = list(zip(*seeds, strict=True))
    middle = [sum(found) / n for found in columns]
    axis.plot(places, middle, label=label, linestyle=line, markersize=4, markevery=0.1, **style(i))
    if n > 1:
        errors = [
            math.sqrt(sum((x - mean) ** 2 for x in found) / (n - 1) / n)
            for found, mean in zip(columns, middle, strict=True)
        ]
        low = [mean - error for mean, error in zip(middle, errors, strict=True)]
        high = [mean + error for mean, error in zip(middle, errors, strict=True)]
        axis.fill_between(places, low, high, color=style(i)["color"], alpha=0.15, linewidth=0)


def plot_finals(
    runs: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, str],
    labels: Mapping[str, str],
    data: Mapping[str, str],
    of: str = "data set",
    path: str = "final_comparison.png",
) -> None:
    """A panel per metric, a place per data set, a mark per run; a whisker is one standard error.

    ``metrics`` names each metric's axis, ``labels`` each run and ``data`` each data set.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415  # as above

    figure, axes = plt.subplots(
        1,
        len(metrics),
        figsize=(2.5 * len(metrics) + 0.4, 3.0),
        squeeze=False,
        layout="constrained",
    )
    width = 0.7 / len(runs)  # of one run's place within a data set's
    for axis, (metric, name) in zip(axes[0], metrics.items(), strict=True):
        for i, (run, results) in enumerate(runs.items()):
            found = [results.get(one, {}) for one in data]
            axis.errorbar(
                [j + (i - (len(runs) - 1) / 2) * width for j in range(len(data))],
                [one.get("means", {}).get(f"{metric}_mean", math.nan) for one in found],
                [one.get("stderrs", {}).get(f"{metric}_stderr", math.nan) for one in found],
                label=labels.get(run, run),
                linestyle="none",
                capsize=2,
                markersize=5,
                **style(i),
            )
        axis.set_xticks(range(len(data)), list(data.values()), fontsize=8)
        axis.set_xlim(-0.6, len(data) - 0.4)
        axis.set_xlabel(of)
        axis.set_ylabel(name)
        axis.grid(visible=False, axis="x")
    legend_below(figure, axes[0][0])
    figure.savefig(path)
    plt.close(figure)
