"""Did training do anything? A run's results against the same model untrained."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One comparison: ``gain`` is how much better than untrained, in the metric's unit."""

    dataset: str
    metric: str
    trained: float
    untrained: float
    gain: float
    margin: float

    @property
    def held(self) -> bool:
        return self.gain >= self.margin


def check_beats(manifest: Manifest, scale: str, results: Results) -> tuple[Beat, ...]:
    """Every comparison that ``scale`` declares; none where it declares none.

    Raises :class:`BadResults` where a declared data set or metric is not in ``results``: a
    comparison that could not be made did not hold.
    """
    beats = []
    for asked in manifest.scales[scale].beats:
        sign = 1.0 if manifest.metrics[asked.metric].direction == "higher" else -1.0
        for dataset in asked.datasets or tuple(results.datasets):
            trained = _value(results, dataset, asked.metric)
            untrained = _value(results, dataset, asked.untrained)
            beats.append(
                Beat(
                    dataset=dataset,
                    metric=asked.metric,
                    trained=trained,
                    untrained=untrained,
                    gain=sign * (trained - untrained),
                    margin=asked.margin,
                )
            )
    return tuple(beats)


def require_held(beats: tuple[Beat, ...]) -> None:
    """Raise :class:`BadTemplate` where training did not do what the manifest states."""
    missed = [beat for beat in beats if not beat.held]
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
