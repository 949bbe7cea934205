"""Did training do anything? A run's results against the same model untrained."""

from __future__ import annotations

from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.core.research import Comparison
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results


def compare_untrained(manifest: Manifest, scale: str, results: Results) -> tuple[Comparison, ...]:
    """Every comparison that ``scale`` declares; none where it declares none.

    Raises :class:`BadResults` where a declared data set or metric is not in ``results``: a
    comparison that could not be made did not hold.
    """
    found = []
    for asked in manifest.scales[scale].beats:
        sign = 1.0 if manifest.metrics[asked.metric].direction == "higher" else -1.0
        for dataset in asked.datasets or tuple(results.datasets):
            trained = _value(results, dataset, asked.metric)
            untrained = _value(results, dataset, asked.untrained)
            found.append(
                Comparison(
                    dataset=dataset,
                    metric=asked.metric,
                    trained=trained,
                    untrained=untrained,
                    gain=sign * (trained - untrained),
                    margin=asked.margin,
                )
            )
    return tuple(found)


def require_held(comparisons: tuple[Comparison, ...]) -> None:
    """Raise :class:`BadTemplate` where training did not do what the manifest states."""
    missed = [one for one in comparisons if not one.held]
    if missed:
        rows = (
            f"{one.metric} on {one.dataset}: {one.trained:g} trained, {one.untrained:g} untrained, "
            f"better by {one.gain:g} where {one.margin:g} is asked"
            for one in missed[:5]
        )
        raise BadTemplate(
            "the baseline does not beat the untrained model: nothing can be learned from it",
            where="run_0, the baseline; the manifest's `beats`",
            why="\n".join(rows),
            todo="give the scale more steps, or correct `beats` in template.yaml",
        )


def _value(results: Results, dataset: str, metric: str) -> float:
    found = results.datasets.get(dataset)
    if found is None or metric not in found.means:
        raise BadResults(
            f"the run has no {metric!r} on data set {dataset!r}",
            where="final_info.json",
            why="the template's manifest compares it with the untrained model",
            todo="write it among the 'means', or change `beats` in template.yaml",
        )
    return found.means[metric]
