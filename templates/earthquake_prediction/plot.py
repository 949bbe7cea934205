"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  forecasters.png       how good each forecast is on the test days: cell's rate, recent events, network, oracle
  final_comparison.png  the headline metrics per run and kind of catalogue
  alarms.png            what is found over false alarms, and precision over what is found, of the newest run
  aftermath.png         how often an event follows a large shock, and what was forecast, of the newest run
  map.png               one day of the newest run: events of the window, and what each forecaster expects
  val_curves.png        the area on the validation days over training
A whisker or a band is one standard error over the seeds; in aftermath.png, of the share.
"""

from math import nan

import matplotlib.pyplot as plt
import numpy as np
from common import GREY, band, legend_below, plot_finals, read_runs, set_look, style
from matplotlib.ticker import LogLocator, NullLocator

set_look()

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

KINDS = {"clustered": "clustered", "poisson": "Poisson", "catalogue": "real"}
FORECASTERS = {"rate": "rate", "recent": "recent", "test": "network", "oracle": "oracle"}
LINES = {"rate": ":", "recent": "-.", "network": "-", "oracle": "--"}
SCORES = {"auc": "ROC AUC", "ap": "average precision"}
FINALS = {"test_auc": "test ROC AUC", "test_ap": "test average precision"}


def named(kinds: list[str]) -> dict[str, str]:
    return {kind: KINDS.get(kind, kind) for kind in kinds}


def plot_forecasters(runs: dict[str, dict]) -> None:
    kinds = named(list(dict.fromkeys(kind for run in runs.values() for kind in run)))
    figure, axes = plt.subplots(
        len(SCORES), len(kinds), figsize=(3.0 * len(kinds) + 0.4, 4.4), sharey="row",
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for row, (score, name) in zip(axes, SCORES.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, kind in zip(row, kinds, strict=True):
            for i, (run, results) in enumerate(runs.items()):
                one = results.get(kind, {"means": {}, "stderrs": {}})
                axis.errorbar(
                    np.arange(len(FORECASTERS)) + 0.12 * (i - (len(runs) - 1) / 2),
                    [one["means"].get(f"{who}_{score}_mean", nan) for who in FORECASTERS],
                    [one["stderrs"].get(f"{who}_{score}_stderr", nan) for who in FORECASTERS],
                    label=labels.get(run, run),
                    linestyle="none",
                    capsize=2,
                    markersize=5,
                    **style(i),
                )
            positive = next(iter(runs.values())).get(kind, {"means": {}})["means"]
            chance = 0.5 if score == "auc" else positive.get("positive_share_mean", nan)
            axis.axhline(chance, color=GREY, linestyle=":", linewidth=1)
            axis.set_xticks(range(len(FORECASTERS)), list(FORECASTERS.values()))
            axis.set_xlim(-0.5, len(FORECASTERS) - 0.5)
            axis.grid(visible=False, axis="x")
    for top, bottom, title in zip(axes[0], axes[-1], kinds.values(), strict=True):
        top.set_title(title)
        bottom.set_xlabel("forecast by")
    legend_below(figure, axes[0, 0], {"chance": ":"})
    figure.savefig("forecasters.png")
    plt.close(figure)


def plot_alarms(found: dict[str, dict]) -> None:
    """Means over the seeds."""
    kinds = named(list(found))
    figure, axes = plt.subplots(
        2, len(kinds), figsize=(3.0 * len(kinds) + 0.4, 5.0), squeeze=False, layout="constrained"
    )
    sides = (("false_alarms", "found"), ("found", "precision"))
    names = {
        "false_alarms": "share of quiet cells with an alarm",
        "found": "share of events found",
        "precision": "share of alarms that are right",
    }
    for row, (x, y) in zip(axes, sides, strict=True):
        for axis, kind in zip(row, kinds, strict=True):
            for i, who in enumerate(who for who in LINES if who in found[kind]):
                means = {key: np.mean(found[kind][who][key], axis=0) for key in (x, y)}
                axis.plot(means[x], means[y], LINES[who], color=style(i)["color"], label=who)
            axis.set_xlabel(names[x])
        row[0].set_ylabel(names[y])
    for top, bottom, title in zip(*axes, kinds.values(), strict=True):
        top.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        top.set_title(title)
        bottom.set_yscale("log")
        bottom.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        bottom.yaxis.set_major_formatter("{x:g}")
        bottom.yaxis.set_minor_locator(NullLocator())
    legend_below(figure, axes[0, 0])
    figure.savefig("alarms.png")
    plt.close(figure)


def plot_aftermath(found: dict[str, dict]) -> None:
    """Of the cells whose last large shock is so many days ago: the share in which an event follows."""
    kinds = named(list(found))
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(3.0 * len(kinds) + 0.4, 3.0), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axis, (kind, title) in zip(axes[0], kinds.items(), strict=True):
        one = found[kind]
        cases = np.array(one["cases"])
        seen = cases >= 5  # a share of fewer says nothing
        places = [f"{low}–{high - 1}" if high - low > 1 else f"{low}"
                  for low, high in zip(one["days"], one["days"][1:], strict=False)]  # fmt: skip
        at = np.flatnonzero(seen)
        share, n = np.array(one["observed"])[seen], cases[seen]
        p = (share * n + 1) / (n + 2)  # a share of 0 is uncertain too
        error = np.sqrt(p * (1 - p) / n)
        axis.errorbar(at, share, error, label="observed", color="black", marker="o", linestyle="none",
                      capsize=2, markersize=5)  # fmt: skip
        for i, who in enumerate(who for who in LINES if who in one):
            axis.plot(at, np.array(one[who])[seen], LINES[who], label=who, markersize=4, **style(i))
        axis.set_xticks(at, [places[i] for i in at])
        axis.set_ylim(bottom=0)
        axis.set_title(title)
        axis.set_xlabel("days since a large shock in the cell")
    axes[0, 0].set_ylabel("share of cells with an event")
    legend_below(figure, axes[0, 0])
    figure.savefig("aftermath.png")
    plt.close(figure)


def plot_map(found: dict[str, dict]) -> None:
    """Of the first kind: colours are logarithms, crosses are the cells in which an event came."""
    one = next(iter(found.values()))
    shown = {
        "events of the window": np.log1p(one["events"]),
        "rate in the training days": np.log(one["rate"]),
        **{f"chance by the {who}": np.log(np.maximum(one[who], 1e-6))
           for who in ("network", "oracle") if who in one},
    }  # fmt: skip
    figure, axes = plt.subplots(
        1, len(shown), figsize=(2.1 * len(shown), 2.7), squeeze=False, layout="constrained"
    )
    y, x = np.nonzero(one["truth"])
    chances = [values for name, values in shown.items() if name.startswith("chance")]
    low, high = min(map(np.min, chances)), max(map(np.max, chances))
    for axis, (name, values) in zip(axes[0], shown.items(), strict=True):
        limits = {"vmin": low, "vmax": high} if name.startswith("chance") else {}
        axis.imshow(values, origin="lower", cmap="cividis", **limits)
        axis.plot(x, y, "x", color="white", markersize=8, markeredgewidth=3.2)
        axis.plot(x, y, "x", color="#D55E00", markersize=7, markeredgewidth=1.8)
        axis.set(xticks=[], yticks=[], xlabel="x", title=name)
        axis.grid(visible=False)
    axes[0, 0].set_ylabel("y")
    figure.savefig("map.png")
    plt.close(figure)


def plot_curves(runs: dict[str, dict]) -> None:
    kinds = named(list(dict.fromkeys(kind for run in runs.values() for kind in run)))
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(3.0 * len(kinds) + 0.4, 2.8), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axis, (kind, title) in zip(axes[0], kinds.items(), strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            if kind in curves:
                seeds = curves[kind]["val_auc"]
                band(axis, curves[kind]["step"], seeds, i, labels.get(run, run))
        axis.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
        axis.set_title(title)
        axis.set_xlabel("updates")
    axes[0, 0].set_ylabel("validation ROC AUC")
    legend_below(figure, axes[0, 0], {"chance": ":"})
    figure.savefig("val_curves.png")
    plt.close(figure)


def newest(name: str) -> dict[str, dict]:
    return list(read_runs(name).values())[-1]


if __name__ == "__main__":
    finals = read_runs("final_info.json")
    plot_forecasters(finals)
    plot_finals(
        finals,
        FINALS,
        labels,
        named(list(dict.fromkeys(kind for run in finals.values() for kind in run))),
        of="catalogue",
    )
    plot_alarms(newest("scores.json"))
    plot_aftermath(newest("decay.json"))
    plot_map(newest("maps.json"))
    plot_curves(read_runs("curves.json"))
