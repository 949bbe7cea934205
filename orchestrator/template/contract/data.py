"""The rule for data: a template can also run without downloaded data."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST
from orchestrator.template.template import Template


def offline(template: Template) -> Iterator[RuleFinding]:
    """Some scale needs no downloaded data, and some scale needs each downloaded data set."""
    manifest = template.manifest
    if manifest.data and all(scale.data for scale in manifest.scales.values()):
        yield RuleFinding(
            f"{MANIFEST}: scales",
            "every scale needs downloaded data",
            "give one scale data that the experiment generates, so that a first run needs no download",
        )
    needed = {name for scale in manifest.scales.values() for name in scale.data}
    for data in manifest.data:
        if data.source == "download" and data.name not in needed:
            yield RuleFinding(
                f"{MANIFEST}: data.{data.name}",
                "no scale needs it",
                f"name {data.name} in the `data` of a scale, or remove it",
            )
