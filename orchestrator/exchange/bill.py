"""A bill of materials (SBOM) in CycloneDX 1.6's JSON: the same packages give the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
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
    return _bill({**subject, **_given(properties)}, _components(packages))


def bill_of_parts(
    subject: Mapping[str, Any],
    parts: Iterable[tuple[Mapping[str, Any], Iterable[SoftwarePackage], Mapping[str, str]]],
    properties: Mapping[str, str],
) -> dict[str, Any]:
    """The bill of ``subject``, made of ``parts`` that each hold packages: one component within the other.

    A package that several parts hold is named in each, under an address of its own.
    """
    made = []
    for part, packages, facts in parts:
        within = [
            {**one, "bom-ref": f"{part['bom-ref']}#{one['bom-ref']}"}
            for one in _components(packages)
        ]
        made.append({**part, **_given(facts), **({"components": within} if within else {})})
    return _bill({**subject, **_given(properties)}, made)


def _components(packages: Iterable[SoftwarePackage]) -> list[dict[str, Any]]:
    by_purl = {one.purl: one for one in packages}
    return [bom_component(by_purl[purl]) for purl in sorted(by_purl)]


def _given(properties: Mapping[str, str]) -> dict[str, Any]:
    given = [{"name": f"aisci:{name}", "value": value} for name, value in properties.items()]
    return {"properties": given}


def _bill(subject: Mapping[str, Any], components: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    holders = [(subject, components), *((one, one.get("components", ())) for one in components)]
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": subject,
            "tools": {
                "components": [{"type": "application", "name": "aisci", "version": __version__}]
            },
        },
        "components": list(components),
        "dependencies": [
            {"ref": str(holder["bom-ref"]), "dependsOn": [one["bom-ref"] for one in held]}
            for holder, held in holders
            if held or holder is subject
        ],
    }
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, digest(made))}", **made}
