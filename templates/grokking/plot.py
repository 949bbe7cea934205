"""python plot.py

Reads run_*/final_info.json and run_*/curves.json beside this file's working directory and writes
  val_curves.png        held-out loss and accuracy over training: a row of panels per measure, a column per task
  final_comparison.png  the final value of each headline metric per run and task, with standard errors
A band or a bar's whisker is one standard error over the seeds.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from common import legend_below, read_runs, set_look, style
from matplotlib.ticker import LogLocator, NullFormatter

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

TITLES = {
    "x_div_y": r"$x / y$",
    "x_minus_y": r"$x - y$",
    "x_plus_y": r"$x + y$",
    "permutation": "permutations",
}
CURVES = {"val_loss": "held-out loss (nats)", "val_acc": "held-out accuracy"}
FINALS = {
    "final_val_loss": "final held-out loss (nats)",
    "final_val_acc": "final held-out accuracy",
    "reached_val_acc_99": "share of seeds that reach 0.99",
    "step_val_acc_99": "updates to 0.99, where all seeds reach it",
}


def tasks_of(runs: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(task for run in runs.values() for task in run))


def plot_curves(runs: dict[str, dict]) -> None:
    tasks = tasks_of(runs)
    shape = (len(CURVES), len(tasks))
    figure, axes = plt.subplots(
        *shape,
        figsize=(1.4 + 1.9 * len(tasks), 4.2),
        squeeze=False,
        sharex=True,
        sharey="row",
        layout="constrained",
    )
    for (row, (key, name)), (column, task) in itertools.product(
        enumerate(CURVES.items()), enumerate(tasks)
    ):
        axis = axes[row, column]
        for i, (run, curves) in enumerate(runs.items()):
            if task not in curves:
                continue
            seeds = np.array(curves[task][key])  # (seeds, points)
            mean, n = seeds.mean(axis=0), len(seeds)
            stderr = seeds.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)
            step = curves[task]["step"]
            axis.plot(
                step, mean, label=labels.get(run, run), markersize=3.5, markevery=0.2, **style(i)
            )
            axis.fill_between(
                step, mean - stderr, mean + stderr, color=style(i)["color"], alpha=0.2, linewidth=0
            )
        if row == 0:
            axis.set_title(TITLES.get(task, task))
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
        if row == len(CURVES) - 1:
            axis.set_xlabel("updates")
        if column == 0:
            axis.set_ylabel(name)
    legend_below(figure, axes[0, 0])
    figure.savefig("val_curves.png")
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    tasks = tasks_of(runs)
    every = [task["means"] for run in runs.values() for task in run.values()]
    finals = {k: name for k, name in FINALS.items() if any(f"{k}_mean" in m for m in every)}
    figure, axes = plt.subplots(
        1, len(finals), figsize=(7.2, 2.9), squeeze=False, layout="constrained"
    )
    width = 0.7 / len(runs)  # of one run's place within a task's
    for axis, (key, name) in zip(axes[0], finals.items(), strict=True):
        for i, (run, results) in enumerate(runs.items()):
            place = [tasks.index(task) + (i - (len(runs) - 1) / 2) * width for task in results]
            found = results.values()
            mean = [task["means"].get(f"{key}_mean", float("nan")) for task in found]
            stderr = [task["stderrs"].get(f"{key}_stderr", float("nan")) for task in found]
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
        axis.set_xticks(range(len(tasks)), [TITLES.get(task, task) for task in tasks])
        axis.set_xlim(-0.6, len(tasks) - 0.4)
        axis.set_ylabel(name, fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.set_ylim(0, 1.05 * axis.get_ylim()[1])  # no marker is cut
    legend_below(figure, axes[0, 0])
    figure.savefig("final_comparison.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    plot_curves(read_runs("curves.json"))
    plot_finals(read_runs("final_info.json"))
