"""The rule about data: what is fetched is never all that a template can run on."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST
from orchestrator.template.template import Template


def offline(template: Template) -> Iterator[RuleFinding]:
    """The smallest scale needs nothing from outside, and what is fetched is needed by some scale."""
    manifest = template.manifest
    if manifest.data and all(scale.data for scale in manifest.scales.values()):
        yield RuleFinding(
            f"{MANIFEST}: scales",
            "every scale needs data that is fetched",
            "give one scale data that the experiment makes itself, so that a first run needs nothing",
        )
    needed = {name for scale in manifest.scales.values() for name in scale.data}
    for one in manifest.data:
        if one.source == "download" and one.name not in needed:
            yield RuleFinding(
                f"{MANIFEST}: data.{one.name}",
                "no scale needs it",
                f"name {one.name} in the `data` of a scale, or remove it",
            )
