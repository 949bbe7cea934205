"""The findings of ``aisci policy check`` for other programs: SARIF 2.1.0, and GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator import __version__
from orchestrator.core.sanitize import plain_line
from orchestrator.policy.check import Level, PolicyFinding
from orchestrator.policy.rules import POLICY_RULES

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Level, str] = {
    "error": "error",
    "warning": "warning",
    "exceeds": "note",
    "note": "note",
}
_COMMANDS: dict[Level, str] = {
    "error": "error",
    "warning": "warning",
    "exceeds": "notice",
    "note": "notice",
}


def sarif(findings: Iterable[PolicyFinding]) -> str:
    """One SARIF log with one run; ASCII alone."""
    rules = [
        {"id": name, "shortDescription": {"text": text}} for name, text in POLICY_RULES.items()
    ]
    driver = {
        "name": "aisci policy check",
        "semanticVersion": __version__,
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one) for one in findings],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=True)


def _result(finding: PolicyFinding) -> dict[str, Any]:
    place = finding.place
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}}}
    if place.line:
        region = {"startLine": place.line, "startColumn": place.column}
        location["physicalLocation"]["region"] = region
    if place.key:
        location["logicalLocations"] = [
            {"fullyQualifiedName": plain_line(place.key, limit=4000), "kind": "member"}
        ]
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(POLICY_RULES).index(finding.rule),
        "level": _LEVELS[finding.level],
        "message": {"text": _message(finding)},
        "locations": [location],
    }


def _message(finding: PolicyFinding) -> str:
    """What was found, a given reason, and what to do, on one line each."""
    lines = [finding.what, finding.reason and f"reason: {finding.reason}"]
    lines += [finding.todo and f"do: {finding.todo}"]
    return "\n".join(plain_line(line, limit=4000) for line in lines if line)


def _uri(file: str) -> str:
    """Relative to the folder of the command, as a code host shows it; else with its whole path."""
    path, here = Path(file).absolute(), Path.cwd()
    if path.is_relative_to(here):
        return quote(path.relative_to(here).as_posix())
    return path.as_uri()


def annotation(finding: PolicyFinding) -> str:
    """One line that GitHub shows beside the line of the file."""
    place = finding.place
    path, here = Path(place.file).absolute(), Path.cwd()
    shown = str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
    values = {"file": shown, "title": finding.rule}
    if place.line:
        values |= {"line": str(place.line), "col": str(place.column)}
    named = ",".join(f"{key}={_property(value)}" for key, value in values.items())
    key = f"{plain_line(place.key, limit=4000)}: " if place.key else ""
    return f"::{_COMMANDS[finding.level]} {named}::{_data(key + _message(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(plain_line(text, limit=4000)).replace(":", "%3A").replace(",", "%2C")
