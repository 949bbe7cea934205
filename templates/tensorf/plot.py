"""python plot.py

Reads the JSON files of run_*/ beside this file's working directory and writes
  views.png             a test view of each scene: the truth, the learned field's picture, and their difference
  psnr_curves.png       quality of validation views over training, a panel per scene, below the true field's
  quality_by_angle.png  quality of each test view over its angle to the nearest training camera
  final_comparison.png  quality, similarity and size per run and scene
A whisker or a band is one standard error over the seeds.
"""

import matplotlib.pyplot as plt
import numpy as np
from common import GREY, band, legend_below, plot_finals, read_runs, set_look, style

set_look()

# Legend label of each run; a run that is not named here is shown under its folder's name.
labels = {
    "run_0": "Baseline",
}

FINALS = {
    "test_psnr": "test PSNR (dB)",
    "test_ssim": "test SSIM",
    "parameters": "parameters",
}


def scenes_of(runs: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(scene for run in runs.values() for scene in run))


def panels(n: int, height: float) -> tuple[plt.Figure, np.ndarray]:
    return plt.subplots(
        1, n, figsize=(2.4 * n + 0.6, height), sharey=True, squeeze=False, layout="constrained"
    )


def plot_views(scenes: dict[str, dict]) -> None:
    """Of the newest run and its first seed; a difference is the mean over the three colours."""
    figure, axes = plt.subplots(
        3, len(scenes), figsize=(1.9 * len(scenes) + 0.9, 5.9), squeeze=False, layout="constrained"
    )
    drawn = None
    for column, (scene, shown) in zip(axes.T, scenes.items(), strict=True):
        side = round(len(shown["truth"]) ** 0.5)
        truth, rendered = (np.reshape(shown[k], (side, side, 3)) for k in ("truth", "rendered"))
        column[0].imshow(truth)
        column[1].imshow(rendered)
        error = np.abs(truth - rendered).mean(axis=2)
        drawn = column[2].imshow(error, cmap="magma", vmin=0, vmax=0.25)
        column[0].set_title(scene)
    for row, name in zip(axes, ("truth", "learned", "difference"), strict=True):
        row[0].set_ylabel(name)
        for axis in row:
            axis.set(xticks=[], yticks=[])
            axis.grid(visible=False)
            axis.spines[:].set(visible=True, color=GREY, linewidth=0.6)
    figure.colorbar(drawn, ax=axes[2], shrink=0.8, label="mean difference")
    figure.savefig("views.png")
    plt.close(figure)


def plot_curves(runs: dict[str, dict], finals: dict[str, dict]) -> None:
    scenes = scenes_of(runs)
    figure, axes = panels(len(scenes), 2.9)
    for axis, scene in zip(axes[0], scenes, strict=True):
        for i, (run, curves) in enumerate(runs.items()):
            if scene in curves:
                step, seeds = curves[scene]["step"], curves[scene]["val_psnr"]
                band(axis, step, seeds, i, labels.get(run, run))
            true = finals[run].get(scene, {"means": {}})["means"].get("true_field_psnr_mean")
            if true is not None:
                axis.axhline(true, color=style(i)["color"], linestyle=":", linewidth=1)
        axis.set_title(scene)
        axis.set_xlabel("updates")
    axes[0, 0].set_ylabel("validation PSNR (dB)")
    legend_below(figure, axes[0, 0], {"the true field, by samples": ":"})
    figure.savefig("psnr_curves.png")
    plt.close(figure)


def plot_angles(runs: dict[str, dict]) -> None:
    scenes = scenes_of(runs)
    figure, axes = panels(len(scenes), 2.9)
    for axis, scene in zip(axes[0], scenes, strict=True):
        for i, (run, found) in enumerate(runs.items()):
            if scene in found:
                angle, quality = (np.ravel(found[scene][key]) for key in ("nearest", "psnr"))
                axis.plot(
                    angle,
                    quality,
                    linestyle="none",
                    markersize=4,
                    alpha=0.7,
                    label=labels.get(run, run),
                    **style(i),
                )
        axis.axvline(0, color=GREY, linewidth=0.8)
        axis.set_title(scene)
        axis.set_xlabel("degrees to a training view")
    axes[0, 0].set_ylabel("PSNR of a test view (dB)")
    legend_below(figure, axes[0, 0])
    figure.savefig("quality_by_angle.png")
    plt.close(figure)


if __name__ == "__main__":
    results = read_runs("final_info.json")
    plot_views(list(read_runs("pictures.json").values())[-1])
    plot_curves(read_runs("curves.json"), results)
    plot_angles(read_runs("views.json"))
    plot_finals(results, FINALS, labels, {name: name for name in scenes_of(results)}, of="scene")
