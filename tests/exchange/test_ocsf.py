"""Security events are OCSF 1.8.0 by the public schema, the same each time, and repeat nothing that was said."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from typer.testing import CliRunner

import cli
from orchestrator.api.security_events import events_as_they_happen, events_of_run
from orchestrator.core.errors import SandboxFailed
from orchestrator.core.job import JobResult, Verdict
from orchestrator.core.tree import Tree
from orchestrator.exchange.ocsf_rules import EVENT_RULES
from orchestrator.record.notes import FilesRestored
from orchestrator.record.pins import Origin
from tests.support import report_rig, standing_rig
from tests.support.journal_rig import run_started
from tests.support.places import ROOT
from tests.support.recorded import QUICK, unpack

SECRET = "sk-ant-SECRET"
CLASSES = {1007, 2003, 2004, 4001, 5019, 6002, 6003}


@cache
def schema() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))


@cache
def validator(uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    name = schema().lookup_class_name_from_uid(uid)
    return Draft202012Validator(schema().get_class_schema(name, list(profiles)))


def faults(event: dict[str, Any]) -> list[str]:
    """What the public schema has against an event."""
    profiles = tuple(event["metadata"]["profiles"])
    found = validator(event["class_uid"], profiles).iter_errors(event)
    return [f"{event['class_uid']}: {one.json_path}: {one.message}" for one in found]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The events of a run in which everything that was said is a secret, and everything goes wrong once."""
    folder = tmp_path_factory.mktemp("ocsf") / "results" / "toy" / "20260101_000000"
    rig = report_rig.finished(folder, SECRET)
    for verdict in Verdict:
        ended = JobResult(**rig.ended(verdict), files=Tree())
        rig.job(rig.journal, f"{rig.scope}/experiments/{verdict}", ended)
    wrong = report_rig.box(inspected=(("Memory", SECRET), ("NetworkMode", "none")))
    ended = JobResult(**rig.ended() | {"attestation": wrong}, files=Tree())
    rig.job(rig.journal, f"{rig.scope}/experiments/other", ended)
    rig.journal.note(f"{rig.scope}/x", FilesRestored(files=("plot.py",)))
    _lost(rig)
    rig.run.seal(ideas={})
    return list(events_of_run(str(folder), folder))


def _lost(rig: report_rig.Recorded) -> None:
    original = rig.journal.call

    def call(port: Any, scope: Any, body: Any, kind: Any, _make: Any) -> Any:
        def make() -> Any:
            raise SandboxFailed(f"more rights {SECRET}", where=SECRET, todo="stop")

        return original(port, scope, body, kind, make)

    rig.journal.call = call  # type: ignore[method-assign, assignment]
    with pytest.raises(SandboxFailed):
        rig.job(
            rig.journal, f"{rig.scope}/experiments/lost", JobResult(**rig.ended(), files=Tree())
        )


def test_every_event_keeps_the_public_schema(hostile: list[dict[str, Any]]) -> None:
    assert [fault for event in hostile for fault in faults(event)] == []
    assert {event["class_uid"] for event in hostile} == CLASSES
    assert {event["metadata"]["version"] for event in hostile} == {"1.8.0"}


def test_the_schema_would_see_a_fault(hostile: list[dict[str, Any]]) -> None:
    event = json.loads(json.dumps(hostile[0]))
    event["class_uid"] = "6002"
    event["prompt"] = "x"
    assert (
        len(list(validator(6002, ("container", "host", "security_control")).iter_errors(event)))
        == 3
    )


def test_an_event_repeats_nothing_that_was_said_or_printed(hostile: list[dict[str, Any]]) -> None:
    """The host that a container asked for is the one text of its own that is told."""
    said = [event for event in hostile if SECRET in json.dumps(event)]
    assert {event["class_uid"] for event in said} == {4001}
    for event in said:
        del event["dst_endpoint"], event["message"], event["status_detail"]
        assert SECRET not in json.dumps(event)


def test_each_rule_is_told_by_its_stable_id_and_its_severity(hostile: list[dict[str, Any]]) -> None:
    told = {event["metadata"]["event_code"] for event in hostile}
    known = {rule.id for rule in EVENT_RULES}
    assert told <= known
    assert known - told == {"aisci.audit", "aisci.run.failed", "aisci.literature.called"}
    (broken,) = [
        event
        for event in hostile
        if event["class_uid"] == 2003 and event["compliance"]["status_id"] == 3
    ]
    assert (broken["severity_id"], broken["compliance"]["control"]) == (
        5,
        "aisci.container.settings",
    )
    assert "Memory" in broken["message"]


def test_a_connection_says_who_decided_what_and_how_much_went(
    hostile: list[dict[str, Any]],
) -> None:
    allowed = [one for one in hostile if one["class_uid"] == 4001 and one["action_id"] == 1]
    refused = [one for one in hostile if one["class_uid"] == 4001 and one["action_id"] == 2]
    assert allowed[0]["dst_endpoint"] == {
        "name": "api.example.org:443",
        "hostname": "api.example.org",
        "port": 443,
        "ip": "93.184.216.34",
    }
    assert allowed[0]["traffic"]["bytes_out"] == 2048
    assert {one["activity_id"] for one in refused} == {5}
    assert any(one["unmapped"]["connections"] == 40 for one in refused)


def test_the_ids_of_events_are_unique_and_the_same_when_read_again(quick_run: Path) -> None:
    first, again = (list(events_of_run(str(quick_run), quick_run)) for _ in range(2))
    ids = [event["metadata"]["uid"] for event in first]
    assert first == again
    assert [one for one, count in Counter(ids).items() if count > 1] == []


def test_who_began_a_run_is_told_where_the_record_knows_it(tmp_path: Path) -> None:
    rig = report_rig.Recorded(tmp_path / "toy" / "one")
    by = Origin(host="box7", user="anna", commit="c" * 40, code="d" * 64)
    rig.run.append(type(run_started())(pins=run_started().pins, by=by))
    events = list(events_of_run(str(rig.folder), tmp_path))
    told = [one for one in events if one["metadata"]["event_code"] == "aisci.run.started"]
    assert [one["device"]["name"] for one in told] == ["not recorded", "box7"]
    assert told[1]["actor"]["user"] == {"name": "anna"}
    assert told[1]["unmapped"]["commit"] == "c" * 40


def test_an_audit_is_one_compliance_finding_a_check(tmp_path: Path) -> None:
    folder = unpack(QUICK, tmp_path / "quick" / "20260101_000000")
    (folder / "run.txt").write_text("foreign")
    found = [
        event
        for event in events_of_run(str(folder), tmp_path, audited=True)
        if event["metadata"]["event_code"].startswith("aisci.audit.")
    ]
    assert [fault for event in found for fault in faults(event)] == []
    states = {one["compliance"]["control"]: one["compliance"]["status_id"] for one in found}
    assert states["aisci.audit.chain"] == 1
    assert states["aisci.audit.files"] == 3


def test_following_all_tells_a_run_that_works_and_none_that_had_ended(tmp_path: Path) -> None:
    runs = standing_rig.results_of_each_state(tmp_path)
    with standing_rig.held(runs / standing_rig.WORKING):
        stream = events_as_they_happen(tmp_path, pause=0.0)
        first = list(iter(lambda: next(stream), None))
        assert {event["metadata"]["correlation_uid"] for event in first} == {
            f"quick/{standing_rig.WORKING}"
        }
        assert list(iter(lambda: next(stream), None)) == []


def test_the_command_prints_one_json_object_a_line_and_wants_a_form(quick_run: Path) -> None:
    said = CliRunner().invoke(cli.app, ["events", str(quick_run), "--ocsf"])
    assert said.exit_code == 0
    assert all(json.loads(line)["class_uid"] in CLASSES for line in said.stdout.splitlines())
    assert said.stdout.isascii()
    refused = CliRunner().invoke(cli.app, ["events", str(quick_run)])
    assert refused.exit_code == 2
    assert "--ocsf" in refused.output


def test_the_page_lists_every_rule_with_its_severity() -> None:
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    for rule in EVENT_RULES:
        assert f"| `{rule.id}" in page, rule.id
        assert rule.title in page, rule.title
