"""A comparison of a run's results with the same model untrained: whether training had an effect."""

from __future__ import annotations

from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.core.research import TrainingComparison
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results


def compare_untrained(
    manifest: Manifest, scale: str, results: Results
) -> tuple[TrainingComparison, ...]:
    """Every comparison that ``scale`` declares. Raises :class:`BadResults` if ``results`` lack a
    declared data set or metric: a comparison that cannot be made does not hold.
    """
    comparisons = []
    for beats in manifest.scales[scale].beats:
        sign = 1.0 if manifest.metrics[beats.metric].direction == "higher" else -1.0
        for dataset in beats.datasets or tuple(results.datasets):
            trained = _value(results, dataset, beats.metric)
            untrained = _value(results, dataset, beats.untrained)
            comparisons.append(
                TrainingComparison(
                    dataset=dataset,
                    metric=beats.metric,
                    trained=trained,
                    untrained=untrained,
                    gain=sign * (trained - untrained),
                    margin=beats.margin,
                )
            )
    return tuple(comparisons)


def require_held(comparisons: tuple[TrainingComparison, ...]) -> None:
    """Raise :class:`BadTemplate` if training did not reach the margin of the manifest."""
    missed = [row for row in comparisons if not row.held]
    if missed:
        rows = (
            f"{row.metric} on {row.dataset}: {row.trained:g} trained, {row.untrained:g} untrained, "
            f"better by {row.gain:g} where {row.margin:g} is required"
            for row in missed[:5]
        )
        raise BadTemplate(
            "the baseline does not beat the untrained model: nothing can be learned from it",
            where="run_0, the baseline; the manifest's `beats`",
            why="\n".join(rows),
            todo="give the scale more steps, or correct `beats` in template.yaml",
        )


def _value(results: Results, dataset: str, metric: str) -> float:
    data = results.datasets.get(dataset)
    if data is None or metric not in data.means:
        raise BadResults(
            f"the run has no {metric!r} on data set {dataset!r}",
            where="final_info.json",
            why="the template's manifest compares it with the untrained model",
            todo="write it among the 'means', or change `beats` in template.yaml",
        )
    return data.means[metric]
