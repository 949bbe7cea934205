"""What `aisci policy check` tells other programs: SARIF, annotations, rules whose names stay."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog
from typer.testing import CliRunner

import cli
from orchestrator.console.policy_reports import annotation
from orchestrator.core.places import Place
from orchestrator.core.sanitize import plain_line
from orchestrator.policy.check import PolicyFinding
from orchestrator.policy.rules import POLICY_RULES
from tests.policy.test_policy import written
from tests.support.places import ROOT

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
PLACE = {
    "type": "object",
    "required": ["artifactLocation"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "format": "uri-reference", "minLength": 1}},
        },
        "region": {
            "type": "object",
            "required": ["startLine", "startColumn"],
            "properties": {
                "startLine": {"type": "integer", "minimum": 1},
                "startColumn": {"type": "integer", "minimum": 1},
            },
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"enum": list(POLICY_RULES)},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["physicalLocation"],
                "additionalProperties": False,
                "properties": {"physicalLocation": PLACE, "logicalLocations": {"type": "array"}},
            },
        },
    },
}
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {"type": "object", "required": ["driver"]},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""What sections 3.13 to 3.30 of SARIF 2.1.0 require of the objects that are written here."""


def asked(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli.app, ["policy", "check", *words])
    assert done.exit_code == code, done.stderr
    return done.stdout


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with an error and a note, in the folder of the command."""
    written(tmp_path, "extends: ci-cpu\nidea: {wall: 3h, budget: {usd: 6}}")
    monkeypatch.chdir(tmp_path)
    return "mine.yaml"


def test_sarif_has_each_finding_with_rule_file_line_and_column(wide: str) -> None:
    log: dict[str, Any] = json.loads(asked(wide, "--sarif", code=2))
    Draft202012Validator(LOG).validate(log)
    (run,) = log["runs"]
    first, second = run["results"]
    place = first["locations"][0]
    assert first["ruleId"] == "weaker-than-parent"
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "mine.yaml"},
        "region": {"startLine": 5, "startColumn": 8},
    }
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "idea.wall"
    assert "do: " in second["message"]["text"]
    assert {one["level"] for one in run["results"]} == {"error"}


def test_sarif_of_sound_policies_is_a_log_too(tmp_path: Path) -> None:
    log = json.loads(asked("ci-cpu", "latex", "--sarif"))
    Draft202012Validator(LOG).validate(log)
    alone = tmp_path / "a b.yaml"
    alone.write_text("a: [")
    log = json.loads(asked(str(alone), "--sarif", code=2))
    Draft202012Validator(LOG).validate(log)
    (result,) = log["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == alone.as_uri()
    assert "%20" in uri


def log_of(text: str) -> Any:
    """The log as the published JSON Schema of SARIF 2.1.0 has it: no further key, every bound."""
    return SarifLog.model_validate_json(text)


def test_the_published_schema_of_sarif_takes_every_log(wide: str, tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("a: [")
    (tmp_path / "odd.yaml").write_bytes(b"\xff")
    for words, code in (
        ((wide,), 2),
        (("base", "ci-cpu", "allowlist-example"), 0),
        (("ci-cpu", "--no-weaker-than", "strict"), 2),
        (("torn.yaml", "odd.yaml", wide), 2),
        (("default", "--here"), None),
    ):
        done = CliRunner().invoke(cli.app, ["policy", "check", *words, "--sarif"])
        assert code is None or done.exit_code == code, done.output
        (run,) = log_of(done.stdout).runs
        assert run.tool.driver.name == "aisci policy check"
        assert all(one.message.text for one in run.results)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "columnKind"), "bytes"),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "ruleIndex"), -2),
        (("runs", 0, "results", 0, "colour"), "red"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"), 0),
    ],
)
def test_the_published_schema_would_refuse_another_form(
    wide: str, place: tuple[Any, ...], value: Any
) -> None:
    log = json.loads(asked(wide, "--sarif", code=2))
    at = log
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    with pytest.raises(ValidationError):
        log_of(json.dumps(log))


COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<properties>[^\r\n]*?))?::(?P<data>[^\r\n]*)")
KEYS = {"file", "line", "endLine", "col", "endColumn", "title"}


def read_annotation(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads one: (name, properties, text)."""
    match = COMMAND.fullmatch(line)
    assert match, line
    pairs = (one.partition("=") for one in match["properties"].split(","))
    return match["name"], {key: plain(value) for key, _, value in pairs}, plain(match["data"])


def plain(text: str) -> str:
    assert not re.search("%(?!25|0D|0A|3A|2C)", text), text
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


ODD = st.text(st.sampled_from("a%25,:=\n\r\x1b é\u2028"), min_size=1, max_size=12)


@given(
    file=ODD,
    key=ODD,
    what=ODD,
    todo=ODD,
    level=st.sampled_from(["error", "warning", "note", "exceeds"]),
)
def test_githubs_runner_reads_each_annotation_as_one_command_with_known_keys(
    file: str, key: str, what: str, todo: str, level: Any
) -> None:
    place = Place(f"./x{file}.yaml", 3, 7, key)
    name, properties, text = read_annotation(
        annotation(PolicyFinding(level, "form", place, what, todo))
    )
    assert name in {"error", "warning", "notice"}
    assert set(properties) <= KEYS
    assert (properties["line"], properties["col"]) == ("3", "7")
    assert properties["title"] == "form"
    assert properties["file"].endswith(".yaml")
    assert text.startswith(plain_line(key, limit=4000) + ": ")
    assert "\x1b" not in text
    assert "\r" not in text


def test_github_shows_each_finding_beside_its_line(wide: str) -> None:
    first, second = asked(wide, "--github", code=2).splitlines()
    assert first.startswith(
        "::error file=mine.yaml,title=weaker-than-parent,line=5,col=8::idea.wall"
    )
    assert "%0Ado: lower it" in first
    assert "idea.budget.usd" in second


def test_text_from_a_file_ends_no_annotation_and_adds_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, 'extends: ci-cpu\n"a\\n::error file=x::50%": 1', "a,b%.yaml")
    (line,) = asked("a,b%.yaml", "--github", code=2).splitlines()
    assert line.startswith("::error file=a%2Cb%25.yaml,title=form,")
    assert "50%25" in line


def test_findings_have_one_form() -> None:
    done = CliRunner().invoke(cli.app, ["policy", "check", "base", "--sarif", "--json"])
    assert done.exit_code == 2
    assert "--json --sarif" in done.output
    done = CliRunner().invoke(cli.app, ["policy", "check", "base", "--expires-within", "soon"])
    assert done.exit_code == 2
    assert "30d" in done.stderr


def test_every_rule_of_a_finding_is_listed_and_documented() -> None:
    page = (ROOT / "docs/policy.md").read_text("utf-8")
    assert [name for name in POLICY_RULES if f"`{name}`" not in page] == []
    source = {path: path.read_text("utf-8") for path in (ROOT / "orchestrator/policy").glob("*.py")}
    used = {
        node.value
        for path, text in source.items()
        if path.name != "rules.py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    core = {"syntax", "form"}  # rules of every file
    assert set(POLICY_RULES) - used - core == set()
