"""python plot.py

Reads run_*/final_info.json and run_*/curves.json beside this file's working directory and writes
  loss_curves.png       training and validation loss over the updates: a column of panels per text
  final_comparison.png  each headline metric per run and text, with standard errors
A band or a whisker is one standard error over the seeds; a text with one seed has none.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from common import legend_below, read_runs, set_look, style

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


def texts_of(runs: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(text for run in runs.values() for text in run))


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
    figure.savefig("loss_curves.png")
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
    figure.savefig("final_comparison.png")
    plt.close(figure)


if __name__ == "__main__":
    set_look()
    plot_curves(read_runs("curves.json"))
    plot_finals(read_runs("final_info.json"))
