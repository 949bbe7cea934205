"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  final_comparison.png  errors of forces and energies, and how long the dynamics held, per run
  curves.png            error of the validation forces over the updates
  dynamics.png          energy that should be conserved, and share of molecules still whole, over time
  distances.png         distances between atoms in learned and in true dynamics, of the newest run
  use.png               what an error of the forces is worth in dynamics: one mark per run
A whisker or a band is one standard error over the seeds.
"""

import math
from typing import Any

import matplotlib.pyplot as plt
from common import GREY, band, legend_below, plot_finals, read_runs, set_look, style
from matplotlib.axes import Axes

set_look()

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

FINALS = {
    "test_force_mae": "force error (meV/Å)",
    "test_energy_mae": "energy error (meV/atom)",
    "stable_time": "time until a bond broke (fs)",
}
USES = {
    "stable_time": "time until a bond broke (fs)",
    "energy_drift": "drift of the energy (meV/atom)",
    "distance_error": "error of the distances",
}
FLOORS = {"energy_drift": "true_drift", "distance_error": "distance_floor"}
MOST_SHOWN = 4  # data sets that are drawn


def grid(names: list[str], columns: int) -> tuple[Any, Any]:
    """A row of axes for each data set, named at its left."""
    figure, axes = plt.subplots(
        len(names),
        columns,
        figsize=(6.8, 0.9 + 2.4 * len(names)),
        squeeze=False,
        layout="constrained",
    )
    if len(names) > 1:
        for row, name in zip(axes, names, strict=True):
            row[0].set_title(name, loc="left")
    return figure, axes


def first(finals: dict[str, Any], name: str, metric: str) -> float:
    """A metric of the first run that has it; not a number if none has."""
    found = (run.get(name, {}).get("means", {}).get(f"{metric}_mean") for run in finals.values())
    return next((x for x in found if x is not None), math.nan)


def far_from_floor(axis: Axes, floor: float) -> None:
    """Above a floor, powers of ten where some run is far from it."""
    if axis.get_ylim()[1] > 20 * floor > 0:
        axis.set_yscale("symlog", linthresh=10 ** math.ceil(math.log10(2 * floor)))


def plot_curves(runs: dict[str, Any], finals: dict[str, Any], names: list[str]) -> None:
    figure, axes = grid(names, 1)
    for row, name in zip(axes, names, strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            if name in curves:
                band(
                    row[0],
                    curves[name]["step"],
                    curves[name]["val_force_mae"],
                    i,
                    labels.get(run, run),
                )
        row[0].axhline(
            first(finals, name, "pair_force_mae"), color=GREY, linestyle="--", linewidth=1
        )
        row[0].set_yscale("log")
        row[0].set_xlabel("updates")
        row[0].set_ylabel("validation force error (meV/Å)", fontsize=8)
    legend_below(figure, axes[0][0], {"best potential of pairs": "--"})
    figure.savefig("curves.png")
    plt.close(figure)


def plot_dynamics(runs: dict[str, Any], finals: dict[str, Any], names: list[str]) -> None:
    figure, axes = grid(names, 2)
    for (left, right), name in zip(axes, names, strict=True):
        for i, (run, dynamics) in enumerate(runs.items()):
            if name not in dynamics:
                continue
            found = dynamics[name]
            band(left, found["time"], found["drift"], i, labels.get(run, run))
            band(right, found["time"], found["whole"], i)
        floor = first(finals, name, "true_drift")
        left.axhline(floor, color=GREY, linestyle="--", linewidth=1)
        left.set_ylim(bottom=0)
        far_from_floor(left, floor)
        left.set_ylabel("distance of the energy from\nthat at the start (meV/atom)", fontsize=8)
        right.set_ylabel("share of molecules still whole", fontsize=8)
        right.set_ylim(-0.03, 1.05)
        for axis in (left, right):
            axis.set_xlabel("time (fs)")
    legend_below(figure, axes[0][0], {"largest of the true potential": "--"})
    figure.savefig("dynamics.png")
    plt.close(figure)


def plot_distances(dynamics: dict[str, Any], names: list[str]) -> None:
    figure, axes = grid(names, 1)
    for row, name in zip(axes, names, strict=True):
        found = dynamics[name]
        band(row[0], found["distance"], found["true"], 6, "true", "--")
        band(row[0], found["distance"], found["learned"], 0, "learned")
        used = [
            x
            for x, *ys in zip(found["distance"], *found["true"], *found["learned"], strict=True)
            if max(ys)
        ]
        row[0].set_xlim(min(used) - 0.2, max(used) + 0.2)
        row[0].set_ylim(bottom=0)
        row[0].set_xlabel("distance between two atoms (Å)")
        row[0].set_ylabel("density (1/Å)")
    legend_below(figure, axes[0][0])
    figure.savefig("distances.png")
    plt.close(figure)


def plot_use(finals: dict[str, Any], names: list[str]) -> None:
    figure, axes = grid(names, len(USES))
    for row, name in zip(axes, names, strict=True):
        for axis, (metric, what) in zip(row, USES.items(), strict=True):
            for i, (run, results) in enumerate(finals.items()):
                if name not in results:
                    continue
                means, spread = results[name]["means"], results[name].get("stderrs", {})
                axis.errorbar(
                    means["test_force_mae_mean"],
                    means[f"{metric}_mean"],
                    spread.get(f"{metric}_stderr", math.nan),
                    spread.get("test_force_mae_stderr", math.nan),
                    label=labels.get(run, run),
                    linestyle="none",
                    capsize=2,
                    markersize=5,
                    **style(i),
                )
            if metric in FLOORS:
                axis.axhline(
                    first(finals, name, FLOORS[metric]), color=GREY, linestyle="--", linewidth=1
                )
            axis.margins(0.15)
            axis.set_ylim(bottom=0)
            far_from_floor(axis, first(finals, name, FLOORS.get(metric, "")))
            axis.set_xlabel("force error (meV/Å)")
            axis.set_ylabel(what, fontsize=8)
    legend_below(figure, axes[0][0], {"true potential": "--"})
    figure.savefig("use.png")
    plt.close(figure)


if __name__ == "__main__":
    final_info, moves = read_runs("final_info.json"), read_runs("dynamics.json")
    newest = list(moves.values())[-1]
    data_sets = list(newest)[:MOST_SHOWN]
    plot_finals(final_info, FINALS, labels, {name: name for name in data_sets}, of="molecule")
    plot_curves(read_runs("curves.json"), final_info, data_sets)
    plot_dynamics(moves, final_info, data_sets)
    plot_distances(newest, data_sets)
    plot_use(final_info, data_sets)
