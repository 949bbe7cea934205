"""The metrics that a study leads with must be in its baseline: else every later comparison lacks them."""

from __future__ import annotations

from difflib import get_close_matches

from orchestrator.core.errors import BadTemplate
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results


def require_headlines(manifest: Manifest, results: Results) -> None:
    """Raise :class:`BadTemplate` if no data set has a headline metric that is not optional."""
    absent = [
        name
        for name, metric in manifest.metrics.items()
        if metric.headline and not metric.optional and name not in results.metrics
    ]
    if not absent:
        return
    near = get_close_matches(absent[0], results.metrics, 1, 0.75)
    named = f"did you mean {near[0]}? " if near else ""
    raise BadTemplate(
        f"the baseline does not report the headline metric {absent[0]!r}",
        where="run_0, the baseline; the manifest's `metrics`",
        why=f"it reports {', '.join(results.metrics[:8])}",
        todo=f"{named}use one name in experiment.py and template.yaml, or declare it "
        "`optional: true`",
    )
