"""python plot.py

Reads run_*/final_info.json and run_*/curves.json beside this file's working directory and writes
  loss_curves.png       training and validation loss over the updates: a column of panels per text
  final_comparison.png  each headline metric per run and text, with standard errors
A band or a whisker is one standard error over the seeds; a text with one seed has none.
"""

import itertools
import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

TITLES = {
    "shakespeare_char": "Shakespeare",
    "enwik8": "enwik8",
    "text8": "text8",
    "python_docs": "Python's documentation",
}
CURVES = {"train_loss": "training loss (nats)", "val_loss": "validation loss (nats)"}
FINALS = {
    "test_loss": "test loss (nats)",
    "final_train_loss": "final training loss (nats)",
    "avg_inference_tokens_per_second": "characters written a second",
}
# Okabe and Ito's palette: distinct under the common kinds of colour blindness
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]  # and shapes, for print without colour
DPI = 300

plt.rcParams.update(
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
    }
)


def read(name: str) -> dict[str, dict]:
    """run_i/<name> of every finished run, in the order of the runs' numbers."""
    files = sorted(
        Path().glob(f"run_*/{name}"), key=lambda p: int(p.parent.name.removeprefix("run_"))
    )
    if not files:
        raise SystemExit(f"no run_*/{name} in {Path.cwd()}: run experiment.py first")
    return {p.parent.name: json.loads(p.read_text()) for p in files}


def style(i: int) -> dict[str, str]:
    """A colour and a shape; the eighth run repeats the first one's colour, with another shape."""
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[(i + i // 7) % len(MARKERS)]}


def texts_of(runs: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(text for run in runs.values() for text in run))


def legend_below(figure: plt.Figure, axis: plt.Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    columns = min(len(names), max(1, int(figure.get_figwidth() / 2.2)))  # a label has a value in it
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def plot_curves(runs: dict[str, dict]) -> None:
    texts = texts_of(runs)
    figure, axes = plt.subplots(
        len(CURVES),
        len(texts),
        figsize=(max(4.8, 0.9 + 2.3 * len(texts)), 4.8),
        squeeze=False,
        sharex="col",
        layout="constrained",
    )
    for (row, (key, name)), (column, text) in itertools.product(
        enumerate(CURVES.items()), enumerate(texts)
    ):
        axis = axes[row, column]
        for i, (run, curves) in enumerate(runs.items()):
            if text not in curves:
                continue
            seeds = np.array(curves[text][key])  # (seeds, points)
            mean, n = seeds.mean(axis=0), len(seeds)
            stderr = seeds.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)
            step = curves[text]["step"]
            axis.plot(
                step, mean, label=labels.get(run, run), markersize=3.5, markevery=0.2, **style(i)
            )
            axis.fill_between(
                step, mean - stderr, mean + stderr, color=style(i)["color"], alpha=0.2, linewidth=0
            )
        axis.margins(x=0.02)
        if row == 0:
            axis.set_title(TITLES.get(text, text))
        if row == len(CURVES) - 1:
            axis.set_xlabel("updates")
        if column == 0:
            axis.set_ylabel(name)
    legend_below(figure, axes[0, 0])
    figure.savefig("loss_curves.png", dpi=DPI)
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    texts = texts_of(runs)
    figure, axes = plt.subplots(
        1, len(FINALS), figsize=(7.2, 2.9), squeeze=False, layout="constrained"
    )
    width = 0.7 / len(runs)  # of one run's place within a text's
    for axis, (key, name) in zip(axes[0], FINALS.items(), strict=True):
        for i, (run, results) in enumerate(runs.items()):
            place = [texts.index(text) + (i - (len(runs) - 1) / 2) * width for text in results]
            mean = [results[text]["means"][f"{key}_mean"] for text in results]
            stderr = [
                results[text]["stderrs"].get(f"{key}_stderr", float("nan")) for text in results
            ]
            axis.errorbar(
                place,
                mean,
                stderr,
                label=labels.get(run, run),
                linestyle="none",
                capsize=2,
                markersize=5,
                **style(i),
            )
        axis.set_xticks(range(len(texts)), [TITLES.get(text, text) for text in texts])
        axis.set_xlim(-0.6, len(texts) - 0.4)
        axis.set_ylabel(name, fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.margins(y=0.25)
    legend_below(figure, axes[0, 0])
    figure.savefig("final_comparison.png", dpi=DPI)
    plt.close(figure)


if __name__ == "__main__":
    plot_curves(read("curves.json"))
    plot_finals(read("final_info.json"))
