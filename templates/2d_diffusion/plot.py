"""python plot.py

Reads run_*/final_info.json, curves.json and points.json beside this file's working directory and
writes
  samples.png           a thousand samples of each run's first seed over held-out points, per cloud
  loss_curves.png       training loss over the updates: a panel per cloud
  final_comparison.png  each headline metric per run and cloud, with standard errors
A band or a whisker is one standard error over the seeds.
"""

import matplotlib.pyplot as plt
import numpy as np
from common import legend_below, read_runs, set_look, style

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

FINALS = {
    "kl_divergence": "divergence from the samples (nats)",
    "eval_loss": "held-out loss (squared noise)",
}


def clouds_of(runs: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(cloud for run in runs.values() for cloud in run))


def plot_samples(runs: dict[str, dict]) -> None:
    clouds = clouds_of(runs)
    shape = (len(runs), len(clouds))
    figure, axes = plt.subplots(
        *shape,
        figsize=(0.4 + 1.75 * len(clouds), 0.5 + 1.75 * len(runs)),
        squeeze=False,
        sharex="col",
        sharey="col",
        layout="constrained",
    )
    for row, (run, points) in enumerate(runs.items()):
        for column, cloud in enumerate(clouds):
            axis = axes[row, column]
            axis.set(xticks=[], yticks=[], aspect="equal")
            axis.grid(visible=False)
            if cloud in points:
                held_out, samples = (np.array(points[cloud][k]) for k in ("held_out", "samples"))
                axis.scatter(*held_out.T, s=1.5, color="#BBBBBB", linewidths=0, label="held out")
                colour = style(row)["color"]
                axis.scatter(
                    *samples.T,
                    s=1.5,
                    color=colour,
                    linewidths=0,
                    label="samples, in the run's colour",
                )
                low, high = held_out.min(axis=0), held_out.max(axis=0)
                room = 0.15 * (high - low)  # a stray sample does not shrink the picture
                axis.set_xlim(low[0] - room[0], high[0] + room[0])
                axis.set_ylim(low[1] - room[1], high[1] + room[1])
            if row == 0:
                axis.set_title(cloud)
            if column == 0:
                axis.set_ylabel(labels.get(run, run), fontsize=8)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, markerscale=5)
    figure.savefig("samples.png")
    plt.close(figure)


def plot_curves(runs: dict[str, dict]) -> None:
    clouds = clouds_of(runs)
    figure, axes = plt.subplots(
        1,
        len(clouds),
        figsize=(0.9 + 1.75 * len(clouds), 2.8),
        squeeze=False,
        layout="constrained",
    )
    for axis, cloud in zip(axes[0], clouds, strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            if cloud not in curves:
                continue
            seeds = np.array(curves[cloud]["train_loss"])  # (seeds, points)
            mean, n = seeds.mean(axis=0), len(seeds)
            stderr = seeds.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)
            step = curves[cloud]["step"]
            axis.plot(
                step, mean, label=labels.get(run, run), markersize=3.5, markevery=0.2, **style(i)
            )
            axis.fill_between(
                step, mean - stderr, mean + stderr, color=style(i)["color"], alpha=0.2, linewidth=0
            )
        axis.set_title(cloud)
        axis.set_xlabel("updates")
    axes[0, 0].set_ylabel("training loss")
    legend_below(figure, axes[0, 0])
    figure.savefig("loss_curves.png")
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    clouds = clouds_of(runs)
    figure, axes = plt.subplots(
        1, len(FINALS), figsize=(7.2, 2.9), squeeze=False, layout="constrained"
    )
    width = 0.7 / len(runs)  # of one run's place within a cloud's
    for axis, (key, name) in zip(axes[0], FINALS.items(), strict=True):
        for i, (run, results) in enumerate(runs.items()):
            place = [clouds.index(cloud) + (i - (len(runs) - 1) / 2) * width for cloud in results]
            mean = [results[cloud]["means"][f"{key}_mean"] for cloud in results]
            stderr = [
                results[cloud]["stderrs"].get(f"{key}_stderr", float("nan")) for cloud in results
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
        axis.set_xticks(range(len(clouds)), clouds)
        axis.set_xlim(-0.6, len(clouds) - 0.4)
        axis.set_ylabel(name, fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.set_ylim(min(0, axis.get_ylim()[0]), 1.05 * axis.get_ylim()[1])
    legend_below(figure, axes[0, 0])
    figure.savefig("final_comparison.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    plot_samples(read_runs("points.json"))
    plot_curves(read_runs("curves.json"))
    plot_finals(read_runs("final_info.json"))
