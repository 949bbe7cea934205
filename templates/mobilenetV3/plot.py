"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  final_comparison.png  test accuracy, multiply-adds and parameters of every run
  curves.png            training loss, validation loss and validation accuracy over the updates
  costs.png             where the parameters and the multiply-adds of the newest run's network are
  gates.png             how much of a gate's variance lies between the classes, by depth
  confusion.png         which classes the newest run confuses
A whisker or a band is one standard error over the seeds.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from common import COLOURS, GREY, band, legend_below, plot_finals, read_runs, set_look, style

set_look()

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

DATA = {"digits": "digits", "cifar10": "CIFAR-10"}
FINALS = {
    "test_acc": "test accuracy",
    "multiply_adds": "multiply-adds (millions)",
    "parameters": "parameters (millions)",
}
CURVES = {
    "train_loss": "training loss (nats)",
    "val_loss": "validation loss (nats)",
    "val_acc": "validation accuracy",
}
KINDS = {
    "expand": "expand",
    "filter": "filter channels",
    "gate": "gate",
    "project": "project",
    "": "stem, top and head",
}
CLASSES = {
    "cifar10": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
    "digits": tuple("0123456789"),
}  # fmt: skip


def in_millions(finals: dict[str, Any]) -> dict[str, Any]:
    """The finals, with counts in millions; both counts are the same for every seed."""
    found = {}
    for run, results in finals.items():
        found[run] = {}
        for data, one in results.items():
            counts = {f"{key}_mean": one["means"][f"{key}_mean"] / 1e6 for key in list(FINALS)[1:]}
            found[run][data] = {**one, "means": {**one["means"], **counts}}
    return found


def plot_curves(runs: dict[str, Any], finals: dict[str, Any], data: str) -> None:
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), layout="constrained")
    for axis, (key, name) in zip(axes, CURVES.items(), strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            band(axis, curves[data]["step"], curves[data][key], i, labels.get(run, run))
        axis.set_xlabel("updates")
        axis.set_ylabel(name)
    linear = next(iter(finals.values()))[data]["means"]["linear_test_acc_mean"]
    axes[2].axhline(linear, color=GREY, linestyle="--", linewidth=1, zorder=0)
    legend_below(figure, axes[0], {"linear rule on the pixels": "--"})
    figure.savefig("curves.png")
    plt.close(figure)


def kind_of(part: str, kind: str) -> str:
    return kind if part.startswith("block") else ""


def plot_costs(costs: dict[str, list]) -> None:
    parts = list(dict.fromkeys(costs["part"]))
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
    for axis, key in zip(axes, ("parameters", "multiply_adds"), strict=True):
        before, total = np.zeros(len(parts)), sum(costs[key])
        for i, (kind, name) in enumerate(KINDS.items()):
            share = np.zeros(len(parts))
            for part, of, value in zip(costs["part"], costs["kind"], costs[key], strict=True):
                if kind_of(part, of) == kind:
                    share[parts.index(part)] += 100 * value / total
            axis.barh(range(len(parts)), share, left=before, label=name, color=COLOURS[i])
            before += share
        axis.set_xlabel(f"% of {total:,} {key.replace('_', '-')}")
        axis.grid(visible=False, axis="y")
        axis.set_axisbelow(True)
    axes[0].set_yticks(range(len(parts)), parts, fontsize=8)
    axes[0].set_ylabel("part of the network")
    axes[0].invert_yaxis()
    legend_below(figure, axes[0])
    figure.savefig("costs.png")
    plt.close(figure)


def plot_gates(runs: dict[str, Any], data: str) -> None:
    figure, axis = plt.subplots(figsize=(4.6, 3.0), layout="constrained")
    for i, (run, gates) in enumerate(runs.items()):
        found = gates[data]
        if found["part"]:
            blocks = [int(part.removeprefix("block ")) for part in found["part"]]
            band(axis, blocks, found["share"], i, labels.get(run, run))
        else:  # a run without gates still has its place in the legend
            axis.plot([], [], label=f"{labels.get(run, run)} (no gates)", **style(i))
    axis.set_xlabel("block, from input to output")
    axis.set_ylabel("gate variance between classes\n(share of all)")
    axis.set_ylim(0, 1)
    axis.set_xlim(0.5, 11.5)
    axis.set_xticks(range(1, 12))
    legend_below(figure, axis)
    figure.savefig("gates.png")
    plt.close(figure)


def plot_confusion(counts: list[list[int]], data: str, title: str) -> None:
    shares = 100 * np.array(counts) / np.maximum(1, np.sum(counts, axis=1, keepdims=True))
    wrong = shares - np.diag(np.diag(shares))
    figure, axis = plt.subplots(figsize=(4.6, 4.0), layout="constrained")
    picture = axis.imshow(np.ma.masked_equal(wrong, 0), cmap="Reds", vmin=0)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            if share >= 0.5:
                dark = i != j and share > 0.6 * wrong.max()
                axis.text(
                    j, i, f"{share:.0f}", ha="center", va="center", fontsize=7,
                    color="white" if dark else "black",
                )  # fmt: skip
    names = CLASSES[data]
    turn = 90 if len(names[0]) > 1 else 0
    axis.set_xticks(range(len(names)), names, rotation=turn, fontsize=8)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.set_title(title)
    axis.grid(visible=False)
    figure.colorbar(picture, ax=axis, label="% of a class, where wrong", shrink=0.8)
    figure.savefig("confusion.png")
    plt.close(figure)


if __name__ == "__main__":
    final_info = read_runs("final_info.json")
    data_set = next(iter(next(iter(final_info.values()))))
    plot_finals(in_millions(final_info), FINALS, labels, {data_set: DATA.get(data_set, data_set)})
    plot_curves(read_runs("curves.json"), final_info, data_set)
    plot_costs(list(read_runs("costs.json").values())[-1][data_set])
    plot_gates(read_runs("gates.json"), data_set)
    newest, confusion = list(read_runs("confusion.json").items())[-1]
    plot_confusion(confusion[data_set], data_set, labels.get(newest, newest))
