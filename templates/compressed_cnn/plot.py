"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  accuracy_over_bits.png  test accuracy over bits per image for each kind of compression, a panel per run
  final_comparison.png    accuracy, bits and training time of the settings that were chosen, per run and kind
  val_curves.png          validation loss over training of the chosen settings, a panel per kind
  inputs.png              what is left of five images at the budget, for each kind, of the newest run
A whisker or a band is one standard error over the seeds.
"""

import matplotlib.pyplot as plt
import numpy as np
from common import read_runs, set_look, style
from matplotlib.ticker import FixedLocator, NullLocator

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

KINDS = {
    "none": "none",
    "dct": "DCT",
    "projection": "projection",
    "downsample": "downsampling",
    "threshold": "threshold",
}
FINALS = {
    "test_acc": "test accuracy",
    "bits_per_input": "bits per image",
    "train_time": "training time (s)",
}


def over_seeds(values: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of (seeds, points); one seed has an error of nothing."""
    seeds = np.array(values, dtype=float)
    mean, n = seeds.mean(axis=0), len(seeds)
    return mean, seeds.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)


def panels(
    count: int, size: tuple[float, float], across: str, up: str
) -> tuple[plt.Figure, np.ndarray]:
    """A figure with that many panels, three in a row at most, that share their axes and labels."""
    columns = min(3, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(0.8 + size[0] * columns, 0.7 + size[1] * rows),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    for lowest in axes.flat[count - columns : count]:  # of each column
        lowest.xaxis.set_tick_params(labelbottom=True)
        lowest.set_xlabel(across)
    for first in axes[:, 0]:
        first.set_ylabel(up)
    return figure, axes


def legend_below(figure: plt.Figure, axis: plt.Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    columns = min(len(names), max(1, int(figure.get_figwidth() / 1.7)))  # a label has a value in it
    figure.legend(handles, names, loc="outside lower center", ncols=columns)


def plot_ladder(runs: dict[str, dict]) -> None:
    size = {1: (4.2, 2.9), 2: (2.8, 2.4)}.get(len(runs), (2.1, 2.2))
    figure, axes = panels(len(runs), size, "bits per image", "test accuracy")
    for axis, (run, ladder) in zip(axes.flat, runs.items(), strict=False):
        kinds = [kind for kind in ladder if kind != "budget"]
        for k, kind in enumerate(kinds):
            mean, stderr = over_seeds(ladder[kind]["test_acc"])
            axis.errorbar(
                ladder[kind]["bits"],
                mean,
                stderr,
                label=KINDS.get(kind, kind),
                capsize=2,
                markersize=4,
                **style(k),
            )
        axis.axvline(ladder["budget"], color="#777777", linestyle=":", linewidth=1, label="budget")
        axis.set_xscale("log", base=2)
        bits = [b for kind in kinds for b in ladder[kind]["bits"]]
        powers = [2**n for n in range(1, 14) if min(bits) / 1.5 < 2**n < max(bits) * 1.5]
        axis.xaxis.set_major_locator(FixedLocator(powers[::2] if len(powers) > 5 else powers))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter("{x:g}")
        if len(runs) > 1:
            axis.set_title(labels.get(run, run))
    legend_below(figure, axes[0, 0])
    figure.savefig("accuracy_over_bits.png")
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    kinds = list(dict.fromkeys(kind for run in runs.values() for kind in run))
    figure, axes = plt.subplots(1, len(FINALS), figsize=(7.2, 3.1), layout="constrained")
    width = 0.7 / len(runs)  # of one run's place within a kind's
    for axis, (key, name) in zip(axes, FINALS.items(), strict=True):
        for i, (run, results) in enumerate(runs.items()):
            place = [kinds.index(kind) + (i - (len(runs) - 1) / 2) * width for kind in results]
            mean = [one["means"].get(f"{key}_mean", np.nan) for one in results.values()]
            stderr = [one["stderrs"].get(f"{key}_stderr", np.nan) for one in results.values()]
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
        axis.set_xticks(range(len(kinds)), [KINDS.get(k, k) for k in kinds], rotation=90)
        axis.set_xlim(-0.6, len(kinds) - 0.4)
        axis.set_ylabel(name)
        axis.grid(visible=False, axis="x")
        low, high = axis.get_ylim()
        axis.set_ylim(low if key == "test_acc" else 0, high)
    legend_below(figure, axes[0])
    figure.savefig("final_comparison.png")
    plt.close(figure)


def plot_curves(runs: dict[str, dict]) -> None:
    kinds = list(dict.fromkeys(kind for run in runs.values() for kind in run))
    figure, axes = panels(len(kinds), (2.1, 1.9), "updates", "validation loss (nats)")
    for axis, kind in zip(axes.flat, kinds, strict=False):
        for i, (run, curves) in enumerate(runs.items()):
            if kind not in curves:
                continue
            step = curves[kind]["step"]
            mean, stderr = over_seeds(curves[kind]["val_loss"])
            axis.plot(
                step, mean, label=labels.get(run, run), markersize=3.5, markevery=0.2, **style(i)
            )
            axis.fill_between(
                step, mean - stderr, mean + stderr, color=style(i)["color"], alpha=0.2, linewidth=0
            )
        axis.set_title(KINDS.get(kind, kind))
    axes[0, 0].set_ylim(bottom=0)
    legend_below(figure, axes[0, 0])
    figure.savefig("val_curves.png")
    plt.close(figure)


def plot_inputs(inputs: dict[str, list[list[float]]]) -> None:
    """A row of images per kind; black is nothing and white is full brightness."""
    figure, axes = plt.subplots(
        len(inputs), 1, figsize=(4.2, 1.05 * len(inputs)), squeeze=False, layout="constrained"
    )
    for axis, (kind, images) in zip(axes.flat, inputs.items(), strict=True):
        side = round(len(images[0]) ** 0.5)
        gap = np.ones((side, 1))
        row = [part for image in images for part in (np.reshape(image, (side, side)), gap)]
        axis.imshow(np.hstack(row[:-1]), cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        axis.set_title(KINDS.get(kind, kind))
    figure.savefig("inputs.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    plot_ladder(read_runs("ladder.json"))
    plot_finals(read_runs("final_info.json"))
    plot_curves(read_runs("curves.json"))
    plot_inputs(list(read_runs("inputs.json").values())[-1])
