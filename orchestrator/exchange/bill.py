"""A bill of materials (SBOM) in CycloneDX 1.6's JSON: the same packages give the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator import __version__
from orchestrator.core.tree import digest
from orchestrator.exchange.components import SoftwarePackage, bom_component

_SPACE = uuid.UUID("6f6c1a52-37b1-5b1e-9d53-3c3a1d1f7a10")  # of our serial numbers


def bill_of(
    subject: Mapping[str, Any],
    packages: Iterable[SoftwarePackage],
    properties: Mapping[str, str],
) -> dict[str, Any]:
    """The bill of ``subject``, a component in CycloneDX's words, with ``properties`` of its own."""
    by_purl = {one.purl: one for one in packages}
    components = [bom_component(by_purl[purl]) for purl in sorted(by_purl)]
    given = [{"name": f"aisci:{name}", "value": value} for name, value in properties.items()]
    ref = str(subject["bom-ref"])
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {**subject, "properties": given},
            "tools": {
                "components": [{"type": "application", "name": "aisci", "version": __version__}]
            },
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, digest(made))}", **made}
