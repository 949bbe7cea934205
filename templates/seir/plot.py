"""python plot.py

Reads run_*/final_info.json and run_*/curves.json beside this file's working directory and writes
  epidemic.png          infectious people over time: equations, and outbreaks behind them, per run
  forecast.png          cases and forecasts of each run's first seed
  final_comparison.png  each headline metric per run, with standard errors
A whisker is one standard error over the seeds.
"""

import matplotlib.pyplot as plt
from common import legend_below, read_runs, set_look, style

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

FINALS = (
    ("outbreaks", "infected_peak", "peak of outbreaks (people)"),
    ("fitted", "forecast_error", "forecast error (people a day)"),
    ("fitted", "parameter_error", "parameter error (log units)"),
)


def plot_epidemic(runs: dict[str, dict]) -> None:
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for i, (run, curves) in enumerate(runs.items()):
        day, colour = curves["day"], style(i)["color"]
        for outbreak in curves["outbreaks"]:
            axis.plot(day, outbreak, color=colour, alpha=0.2, linewidth=0.7)
        axis.plot(
            day,
            curves["deterministic"]["infectious"],
            label=labels.get(run, run),
            markersize=3.5,
            markevery=0.1,
            **style(i),
        )
    axis.set_xlabel("day")
    axis.set_ylabel("infectious people")
    axis.margins(x=0)
    axis.set_ylim(bottom=0)
    legend_below(figure, axis)
    figure.savefig("epidemic.png")
    plt.close(figure)


def plot_forecasts(runs: dict[str, dict]) -> None:
    columns = min(3, len(runs))
    rows = -(-len(runs) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(0.8 + 2.3 * columns, 0.6 + 2.2 * rows),
        squeeze=False,
        sharex=True,
        layout="constrained",
    )
    for axis in axes.flat[len(runs) :]:
        axis.set_axis_off()
    for i, (axis, (run, curves)) in enumerate(zip(axes.flat, runs.items(), strict=False)):
        day, first = curves["day"][1:], curves["fitted"][0]
        axis.plot(day, first["cases"], ".", color="#999999", markersize=3, label="cases")
        axis.plot(day, first["initial"], ":", color="#000000", linewidth=1, label="first guess")
        axis.plot(day, first["fit"], color=style(i)["color"], label="fit and forecast")
        axis.set_title(labels.get(run, run), fontsize=8)
        axis.margins(x=0)
        axis.set_ylim(0, 1.15 * max(first["cases"]))
        axis.set_xlabel("day")
    for axis in axes[:, 0]:
        axis.set_ylabel("new cases a day")
    legend_below(figure, axes[0, 0])
    figure.savefig("forecast.png")
    plt.close(figure)


def plot_finals(runs: dict[str, dict]) -> None:
    figure, axes = plt.subplots(1, len(FINALS), figsize=(7.2, 2.9), layout="constrained")
    for axis, (dataset, key, name) in zip(axes, FINALS, strict=True):
        for i, (run, results) in enumerate(runs.items()):
            found = results[dataset]
            axis.errorbar(
                [i],
                [found["means"][key]],
                [found["stderrs"].get(key, float("nan"))],
                label=labels.get(run, run),
                linestyle="none",
                capsize=3,
                markersize=5,
                **style(i),
            )
        axis.set_xticks([])
        axis.set_xlim(-0.6, len(runs) - 0.4)
        axis.set_ylabel(name, fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.set_ylim(0, 1.1 * axis.get_ylim()[1])
    legend_below(figure, axes[0])
    figure.savefig("final_comparison.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    plot_epidemic(read_runs("curves.json"))
    plot_forecasts(read_runs("curves.json"))
    plot_finals(read_runs("final_info.json"))
