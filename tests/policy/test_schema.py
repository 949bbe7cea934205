"""The published JSON Schema: editors underline with it what ``check`` would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from orchestrator.core.errors import BadPolicy
from orchestrator.core.strict_yaml import read
from orchestrator.policy.document import json_schema
from orchestrator.policy.policy import load_policy
from orchestrator.policy.schema import BLOCKS, SETTINGS
from tests.policy.test_policy import ON_HOST, ROOT, SHIPPED, written

FIRST = "# yaml-language-server: $schema=schema.json"
VALID = Draft202012Validator(json_schema())


def complaints(data: Any) -> list[str]:
    return [error.message for error in VALID.iter_errors(data)]


def test_the_schema_is_itself_valid_and_is_the_committed_file() -> None:
    Draft202012Validator.check_schema(json_schema())
    committed = json.loads((ROOT / "schema.json").read_text("utf-8"))
    assert committed == json_schema(), "aisci policy schema > policies/schema.json"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_names_the_schema_and_keeps_it(name: str) -> None:
    path = ROOT / f"{name}.yaml"
    assert path.read_text("utf-8").splitlines()[0] == FIRST
    assert complaints(read(path).data) == []


def test_an_effective_policy_keeps_the_schema_too() -> None:
    assert complaints(load_policy("allowlist-example", ROOT).settings) == []


# What a schema can see of the bad input that loading refuses.
BAD = [
    "expriment: {}",
    "experiment:\n  resources: {memry: 3GiB}",
    "experiment: {resources: {memory: 3}}",
    "experiment: {resources: {memory: 3GB}}",
    "experiment: {resources: {memory: -3GiB}}",
    "experiment: {resources: {cpus: '2'}}",
    "experiment: {resources: {cpus: 0}}",
    "experiment: {resources: {pids: 0}}",
    "experiment: {resources: {pids: 2.5}}",
    "experiment: {time: {wall: 120}}",
    "experiment: {time: {wall: 2GiB}}",
    "experiment: {user: root}",
    "experiment: {user: '65534:0'}",
    "experiment: {user: '00:65534'}",
    "experiment: {runtime: kata}",
    "experiment: {image: 'a b'}",
    "experiment: {env: {'1A': x}}",
    "experiment: {env: {A: 1}}",
    "experiment: {network: all}",
    "experiment: {network: {allow: ['*.org:443']}}",
    "experiment: {network: {allow: ['10.0.0.1:443']}}",
    "experiment: {network: {allow: ['0x7f.0x1:443']}}",
    "experiment: {network: {allow: ['a.org:22']}}",
    "experiment: {network: {allow: [a.org:443], deny: []}}",
    "experiment: {gpus: {enforce: hoped}}",
    "experiment: {data: read-write}",
    "editor: host",
    "latex:",
    "extends: [base]",
    "exceeds: {experiment.time.wal: x}",
    "exceeds: {experiment.time.wall: ''}",
    "version: 2",
    "description: ''",
]


@pytest.mark.parametrize("body", BAD)
def test_what_the_schema_complains_of_is_refused_when_loaded(tmp_path: Path, body: str) -> None:
    head = {"version": "1", "name": "mine", "description": "A test."}
    head.pop(body.partition(":")[0], None)
    text = "".join(f"{key}: {value}\n" for key, value in head.items()) + "extends: base\n"
    path = tmp_path / "mine.yaml"
    path.write_text(
        text.replace("extends: base\n", "") + body if "extends" in body else text + body
    )
    assert complaints(read(path).data)
    with pytest.raises(BadPolicy):
        load_policy(str(path), ROOT)


def test_the_short_form_of_an_editor_on_the_host_is_no_complaint(tmp_path: Path) -> None:
    path = Path(written(tmp_path, f"extends: ci-cpu\n{ON_HOST}"))
    assert complaints(read(path).data) == []


def leaves(schema: dict[str, Any], node: dict[str, Any], at: str = "") -> dict[str, Any]:
    """Each key of the schema with its node, through references and choices."""
    node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]] | node if "$ref" in node else node
    for branch in node.get("anyOf", ()):
        if "$ref" in branch:
            return leaves(schema, branch, at) | {at.rstrip("."): node}
    found: dict[str, Any] = {at.rstrip("."): node} if at else {}
    for key, below in node.get("properties", {}).items():
        found |= leaves(schema, below, f"{at}{key}.")
    return found


def test_every_setting_stands_in_the_schema_with_a_line_for_its_reader() -> None:
    schema = json_schema()
    found = leaves(schema, schema)
    assert set(SETTINGS) <= set(found)
    assert [key for key, node in found.items() if not node.get("description")] == []


def test_no_object_of_the_schema_takes_an_unknown_key() -> None:
    schema = json_schema()
    objects = [schema, *schema["$defs"].values()]
    assert all(one["additionalProperties"] is False for one in objects)
    assert {"experiment", "latex", "editor"} == set(BLOCKS) <= set(schema["properties"])


def test_sizes_and_times_come_with_a_pattern_and_examples() -> None:
    schema = json_schema()
    found = leaves(schema, schema)
    for key in ("experiment.resources.memory", "latex.time.wall", "run.keep_free.disk"):
        assert found[key]["pattern"]
        assert all(complaints_of(found[key], example) == [] for example in found[key]["examples"])
        assert complaints_of(found[key], "12")


def complaints_of(node: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(node).iter_errors(value)]
