"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  final_comparison.png  test loss, divergence and what is drawn again, per run and data set
  curves.png            validation loss, reconstruction and divergence over the updates
  tradeoff.png          what a run spends on latent numbers, and what is left to draw, per data set
  reconstructions.png   test sketches of the newest run, and below each what it draws from their latent numbers
  interpolation.png     sketches on the way between two, and from chance, of the newest run
A whisker or a band is one standard error over the seeds.
"""

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from common import COLOURS, GREY, band, legend_below, plot_finals, read_runs, set_look, style
from matplotlib.axes import Axes

set_look()

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

FINALS = {
    "test_loss": "test loss (nats per point)",
    "test_kl": "divergence (nats per sketch)",
    "same_kind": "drawn again as the same kind",
}
CURVES = {
    "val_loss": "validation loss\n(nats per point)",
    "val_reconstruction": "its reconstruction\n(nats per point)",
    "val_kl": "its divergence\n(nats per sketch)",
}
MOST_SHOWN = 4  # data sets of which curves and sketches are drawn
Sketch = list[list[float]]


def plot_curves(runs: dict[str, Any], finals: dict[str, Any], names: list[str]) -> None:
    figure, axes = plt.subplots(
        len(names), 3, figsize=(7.2, 0.9 + 2.2 * len(names)), squeeze=False, layout="constrained"
    )
    for row, name in zip(axes, names, strict=True):
        for axis, (key, told) in zip(row, CURVES.items(), strict=True):
            for i, (run, curves) in enumerate(runs.items()):
                if name in curves:
                    band(axis, curves[name]["step"], curves[name][key], i, labels.get(run, run))
            axis.set_ylabel(told, fontsize=8)
            axis.set_xlabel("updates")
        least = next(iter(finals.values())).get(name, {}).get("means", {}).get("least_loss_mean")
        if least is not None:
            row[0].axhline(least, color=GREY, linestyle="--", linewidth=1, zorder=0)
        if len(names) > 1:
            row[1].set_title(name)
    legend_below(figure, axes[0][0], {"least possible loss": "--"})
    figure.savefig("curves.png")
    plt.close(figure)


def plot_tradeoff(finals: dict[str, Any], names: list[str]) -> None:
    """Both parts of the loss in nats per point; on a grey line their sum is the same."""
    figure, axes = plt.subplots(
        1, len(names), figsize=(0.8 + 3.1 * len(names), 3.4), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes[0], names, strict=True):
        for i, (run, results) in enumerate(finals.items()):
            if name not in results:
                continue
            means, errors = results[name]["means"], results[name].get("stderrs", {})
            axis.errorbar(
                means["test_loss_mean"] - means["test_reconstruction_mean"],
                means["test_reconstruction_mean"],
                errors.get("test_reconstruction_stderr", math.nan),
                label=labels.get(run, run),
                linestyle="none",
                capsize=2,
                markersize=6,
                **style(i),
            )
        axis.margins(0.35)
        left, right = axis.get_xlim()
        left = min(0.0, left)
        low, high = axis.get_ylim()
        least = next(iter(finals.values())).get(name, {}).get("means", {}).get("least_loss_mean")
        if least is not None:
            low = min(low, least - 0.5)  # the bound may leave by the bottom
        ends = np.array([left, right])
        for total in np.linspace(low + left, high + right, 9):
            axis.plot(ends, total - ends, color="#DDDDDD", linewidth=0.8, zorder=0)
        if least is not None:
            axis.plot(ends, least - ends, color=GREY, linestyle="--", linewidth=1.2, zorder=1)
        axis.set_xlim(left, right)
        axis.set_ylim(low, high)
        axis.grid(visible=False)
        axis.set_xlabel("divergence (nats per point)")
        axis.set_ylabel("reconstruction (nats per point)")
        axis.set_title(name)
    legend_below(figure, axes[0][0], {"least possible sum": "--"})
    figure.savefig("tradeoff.png")
    plt.close(figure)


def draw(axis: Axes, sketch: Sketch, colour: str) -> None:
    """The strokes of a sketch; its first point is where the pen is set down."""
    place, stroke = np.zeros(2), [np.zeros(2)]
    for x, y, pen in sketch:
        place = place + np.array([x, y])
        stroke.append(place)
        if pen == 1:
            axis.plot(*np.transpose(stroke), color=colour, linewidth=1.1)
            stroke = []
    if len(stroke) > 1:
        axis.plot(*np.transpose(stroke), color=colour, linewidth=1.1)
    axis.set_aspect("equal", adjustable="datalim")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    for side in axis.spines.values():
        side.set_visible(False)


def plot_rows(rows: list[tuple[str, list[Sketch], str]], path: str) -> None:
    """A row of sketches for each name, with its colour. Quick, Draw! counts downwards, shapes do not care."""
    width = max(len(sketches) for _, sketches, _ in rows)
    figure, axes = plt.subplots(
        len(rows), width, figsize=(7.2, 0.95 * len(rows)), squeeze=False, layout="constrained"
    )
    for line, (name, sketches, colour) in zip(axes, rows, strict=True):
        for axis, sketch in zip(line, sketches, strict=False):
            draw(axis, sketch, colour)
            axis.invert_yaxis()
        for axis in line[len(sketches) :]:
            axis.set_axis_off()
        line[0].set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
    figure.savefig(path)
    plt.close(figure)


def plot_sketches(sketches: dict[str, Any], names: list[str]) -> None:
    again, way = [], []
    for name in names:
        found = sketches[name]
        again.append((f"{name}\noriginal", found["original"], "#000000"))
        again.append(("drawn again", found["reconstruction"], COLOURS[0]))
        way.append((f"{name}\nbetween two", found["interpolation"], COLOURS[0]))
        way.append(("from chance", found["prior"], COLOURS[1]))
    plot_rows(again, "reconstructions.png")
    plot_rows(way, "interpolation.png")


if __name__ == "__main__":
    final_info = read_runs("final_info.json")
    newest = list(read_runs("sketches.json").values())[-1]
    data_sets = list(newest)[:MOST_SHOWN]
    plot_finals(final_info, FINALS, labels, {name: name for name in data_sets})
    plot_curves(read_runs("curves.json"), final_info, data_sets)
    plot_tradeoff(final_info, data_sets)
    plot_sketches(newest, data_sets)
