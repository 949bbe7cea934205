"""A package as a bill of materials names it, from any source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.core.sanitize import plain_line

_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+()-]+)*", re.ASCII)
_CLASSIFIER = re.compile(r"Classifier: License :: (?:OSI Approved :: )?(.+)")
_LONGEST = 120  # characters of a licence's name; longer is the licence itself


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwarePackage:
    """A package: ``kind`` is ``pypi`` or ``deb``; ``licence`` is a name, or an SPDX ``expression``.

    ``files`` are (address, SHA-256) of what it may be installed from. ``qualifiers`` belong to its address.
    """

    kind: str
    name: str
    version: str
    licence: str = ""
    expression: bool = False
    files: tuple[tuple[str, str], ...] = ()
    qualifiers: tuple[tuple[str, str], ...] = ()
    namespace: str = ""

    @property
    def purl(self) -> str:
        """The package URL: how scanners look it up."""
        more = "&".join(f"{name}={quote(value)}" for name, value in self.qualifiers)
        inside = f"{quote(self.namespace)}/" if self.namespace else ""
        name, version = quote(self.name, safe=""), quote(self.version, safe="")
        return f"pkg:{self.kind}/{inside}{name}@{version}" + (f"?{more}" if more else "")


def bom_component(package: SoftwarePackage) -> dict[str, Any]:
    """The package in the words of CycloneDX."""
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
    }
    if package.licence:
        made["licenses"] = [
            {"expression": package.licence}
            if package.expression
            else {"license": {"name": package.licence}}
        ]
    if package.files:
        made["externalReferences"] = [
            {
                "type": "distribution",
                "url": url,
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            }
            for url, sha256 in package.files
        ]
    return made


def licence_of(metadata: str) -> tuple[str, bool]:
    """(licence, whether it is an SPDX expression) of a Python package's ``METADATA``; an author's text."""
    headers = metadata.partition("\n\n")[0]
    fields: Mapping[str, str] = {
        line.partition(": ")[0].lower(): line.partition(": ")[2] for line in headers.splitlines()
    }
    expression = fields.get("license-expression", "").strip()
    if _EXPRESSION.fullmatch(expression):
        return expression, True
    stated = fields.get("license", "").strip()
    if stated and stated != "UNKNOWN" and len(stated) <= _LONGEST:
        return plain_line(stated), False
    named = _CLASSIFIER.findall(headers)
    return plain_line("; ".join(named) or stated, limit=_LONGEST), False


def python_name(name: str) -> str:
    """A Python package's name in its one form."""
    return re.sub(r"[-_.]+", "-", name).lower()
