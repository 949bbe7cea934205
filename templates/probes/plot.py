"""python plot.py

Reads run_*/final_info.json and run_*/curves.json beside this file's working directory and writes
  layers.png            accuracy by layer, a panel per label: of the probes, and faintly of the control task
  steering.png          by how much a step moves the log-odds, by layer: along the probes' and random directions
  final_comparison.png  each headline metric per run, with standard errors
A band or a whisker is one standard error over the seeds.
"""

import matplotlib.pyplot as plt
import numpy as np
from common import legend_below, read_runs, set_look, style

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

READ = ("topic", "mode", "opener", "planted")
STEERED = ("topic", "mode")
FINALS = (
    ("test_accuracy", READ, "test accuracy"),
    ("selectivity", READ, "selectivity"),
    ("steering_effect", STEERED, "steering effect (nats)"),
)
LAYER_LINES = {"control task": ":", "untrained model": "--", "best possible": "-."}
STEERING_LINES = {"random directions": ":", "the feature itself changed": "-."}


def draw(axis: plt.Axes, seeds: list[list[float]], name: str | None, i: int, line: str) -> None:
    """One curve over the layers: the mean of the seeds, and its standard error as a band."""
    values = np.array(seeds)
    middle, n = values.mean(axis=0), len(values)
    layer = np.arange(values.shape[1])
    faint = line != "-"
    axis.plot(
        layer,
        middle,
        label=name,
        linestyle=line,
        markersize=0 if faint else 4,
        alpha=0.6 if faint else 1.0,
        **style(i),
    )
    if n > 1:
        error = values.std(axis=0, ddof=1) / np.sqrt(n)
        axis.fill_between(
            layer, middle - error, middle + error, color=style(i)["color"], alpha=0.15, linewidth=0
        )


def by_layer(axis: plt.Axes, name: str) -> None:
    axis.set_title(name)
    axis.set_xlabel("layer (0: embedding)")
    axis.xaxis.get_major_locator().set_params(integer=True)


def plot_layers(runs: dict[str, dict], finals: dict[str, dict]) -> None:
    figure, axes = plt.subplots(1, 4, figsize=(7.2, 2.9), sharey=True, layout="constrained")
    for axis, name in zip(axes, READ, strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            draw(axis, curves[name]["test_accuracy"], labels.get(run, run), i, "-")
            draw(axis, curves[name]["control_accuracy"], None, i, ":")
            if "untrained_accuracy" in curves[name]:
                draw(axis, curves[name]["untrained_accuracy"], None, i, "--")
            ceiling = finals[run][name]["means"].get("ceiling_accuracy_mean")
            if ceiling is not None and ceiling < 1:
                axis.axhline(ceiling, color=style(i)["color"], linestyle="-.", linewidth=0.8)
        axis.axhline(0.5, color="#999999", linewidth=0.8)  # chance
        by_layer(axis, name)
    axes[0].set_ylabel("test accuracy")
    axes[0].set_ylim(0.4, 1.02)
    legend_below(figure, axes[0], LAYER_LINES)
    figure.savefig("layers.png")
    plt.close(figure)


def plot_steering(runs: dict[str, dict], finals: dict[str, dict]) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(5.6, 3.1), layout="constrained")
    for axis, name in zip(axes, STEERED, strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            draw(axis, curves[name]["steering_effect"], labels.get(run, run), i, "-")
            draw(axis, curves[name]["random_effect"], None, i, ":")
            true = finals[run][name]["means"]["true_effect_mean"]
            axis.axhline(true, color=style(i)["color"], linestyle="-.", linewidth=0.8)
        axis.set_ylabel("shift of the log-odds (nats)")
        by_layer(axis, name)
    legend_below(figure, axes[0], STEERING_LINES)
    figure.savefig("steering.png")
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    figure, axes = plt.subplots(
        1, len(FINALS), figsize=(7.2, 2.9), width_ratios=[4, 4, 3], layout="constrained"
    )
    width = 0.7 / len(runs)  # of one run's place within a data set's
    for axis, (key, names, told) in zip(axes, FINALS, strict=True):
        for i, (run, results) in enumerate(runs.items()):
            found = [results[name] for name in names]
            axis.errorbar(
                [j + (i - (len(runs) - 1) / 2) * width for j in range(len(names))],
                [one["means"][f"{key}_mean"] for one in found],
                [one["stderrs"].get(f"{key}_stderr", float("nan")) for one in found],
                label=labels.get(run, run),
                linestyle="none",
                capsize=2,
                markersize=5,
                **style(i),
            )
        axis.set_xticks(range(len(names)), names, fontsize=8)
        axis.set_xlim(-0.6, len(names) - 0.4)
        axis.set_xlabel("label")
        axis.set_ylabel(told, fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.axhline(0.5 if key == "test_accuracy" else 0, color="#999999", linewidth=0.8)
    legend_below(figure, axes[0])
    figure.savefig("final_comparison.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    final_info = read_runs("final_info.json")
    plot_layers(read_runs("curves.json"), final_info)
    plot_steering(read_runs("curves.json"), final_info)
    plot_finals(final_info)
