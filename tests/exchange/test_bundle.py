"""Evidence, envelopes and bundles, read and verified by libraries of others, and by the published schemas."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]  # no types
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey
from typer.testing import CliRunner

import cli
from orchestrator.api.bundle import pack_evidence
from orchestrator.core.errors import BadJournal, UserError
from orchestrator.core.job import JobResult
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.events import Answered, RunStarted
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Origin
from orchestrator.record.signing import read_signer
from tests.support import report_rig, standing_rig
from tests.support.journal_rig import run_started
from tests.support.places import ROOT
from tests.support.signing_key import key

BY = Origin(host="box7", user="anna", commit="c" * 40, code="d" * 64)


def schema(name: str) -> Draft202012Validator:
    read = json.loads((ROOT / "docs" / f"{name}-statement.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(read)
    return Draft202012Validator(read)


def faults(name: str, statement: Any) -> list[str]:
    return [f"{one.json_path}: {one.message}" for one in schema(name).iter_errors(statement)]


def public(path: Path) -> SSlibKey:
    """The public half, as an auditor's library takes it: under the name that the envelope gives it."""
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    name = read_signer(path).public.fingerprint
    return SSlibKey.from_crypto(private.public_key(), keyid=name)


def validated(statement: Any) -> None:
    """Raise for what in-toto's own library refuses."""
    made: Any = ParseDict(statement, statement_pb2.Statement())
    Statement.copy_from_pb(made).validate()


def test_each_file_of_evidence_is_a_statement_by_in_totos_library_and_our_schema(
    quick_run: Path,
) -> None:
    files = sorted(quick_run.glob("**/evidence/*.json"))
    assert len(files) == 9
    for path in files:
        statement = json.loads(path.read_text("utf-8"))
        validated(statement)
        assert faults("container", statement) == [], path.name


def test_the_bundle_has_every_statement_and_securesystemslib_verifies_each(
    quick_run: Path, tmp_path: Path
) -> None:
    mine, other = key(tmp_path), key(tmp_path, "other")
    done = pack_evidence(str(quick_run), tmp_path, read_signer(mine), tmp_path)
    lines = done.file.read_bytes().splitlines()
    assert len(lines) == done.statements == 10
    kinds = []
    for line in lines:
        envelope = Envelope.from_dict(json.loads(line))
        assert envelope.verify([public(mine)], 1)
        with pytest.raises(VerificationError):
            envelope.verify([public(other)], 1)
        statement = json.loads(envelope.payload)
        validated(statement)
        kinds.append(statement["predicateType"].split("/")[-2])
        assert faults(kinds[-1], statement) == []
    assert kinds == ["run", *["container"] * 9]


def test_a_changed_payload_is_refused_by_the_library(quick_run: Path, tmp_path: Path) -> None:
    mine = key(tmp_path)
    done = pack_evidence(str(quick_run), tmp_path, read_signer(mine), tmp_path / "x.intoto.jsonl")
    line = json.loads(done.file.read_bytes().splitlines()[1])
    payload = base64.b64decode(line["payload"]).replace(b'"finished"', b'"timed out"')
    line["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(line).verify([public(mine)], 1)


def test_the_bundle_takes_evidence_from_the_chain_and_not_from_the_files_beside_it(
    quick_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(quick_run, tmp_path / "run"))
    (run / "evidence" / "001_baseline.json").write_text("{}")
    before = pack_evidence(str(quick_run), tmp_path, read_signer(key(tmp_path)), tmp_path / "a")
    after = pack_evidence(str(run), tmp_path, read_signer(tmp_path / "key.pem"), tmp_path / "b")
    assert before.file.read_bytes().splitlines()[1:] == after.file.read_bytes().splitlines()[1:]
    journal = run / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"run/baseline", b"run/basemine"))
    with pytest.raises(BadJournal):
        pack_evidence(str(run), tmp_path, read_signer(tmp_path / "key.pem"), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_run_at_work_or_unfinished_and_a_file_that_is_there_are_refused(tmp_path: Path) -> None:
    runs = standing_rig.results_of_each_state(tmp_path / "results")
    mine = key(tmp_path)
    finished = runs / standing_rig.FINISHED
    with standing_rig.held(finished), pytest.raises(UserError, match="working on this run"):
        pack_evidence(str(finished), tmp_path, read_signer(mine), tmp_path / "x")
    with pytest.raises(BadJournal, match="finished run"):
        pack_evidence(
            str(runs / standing_rig.UNFINISHED), tmp_path, read_signer(mine), tmp_path / "x"
        )
    with pytest.raises(UserError, match="at this place"):
        pack_evidence(str(finished), tmp_path, read_signer(mine), mine)


def test_a_statement_says_who_began_the_run_and_when_where_the_record_knows(
    tmp_path: Path,
) -> None:
    older = report_rig.Recorded(tmp_path / "older")
    older.run.append(run_started())
    older.run.seal(ideas={})
    assert "by" not in json.loads(run_statement(RunPaths(older.folder)))["predicate"]
    rig = report_rig.Recorded(tmp_path / "toy")
    rig.run.append(replace(RunStarted(pins=run_started().pins), by=BY))
    rig.run.seal(ideas={})
    statement = json.loads(run_statement(RunPaths(rig.folder)))
    assert faults("run", statement) == []
    said = statement["predicate"]
    assert said["by"] == {"host": "box7", "user": "anna", "commit": "c" * 40, "code": "d" * 64}
    assert said["began"] <= said["sealed"]


def test_a_container_says_when_its_program_began_and_ended(tmp_path: Path) -> None:
    rig = report_rig.Recorded(tmp_path / "toy")
    times: dict[str, Any] = {
        "began": "2026-11-29T12:00:00.000+00:00",
        "ended": "2026-11-29T12:00:04.000+00:00",
    }
    box = report_rig.box(**times)
    rig.job(rig.run, "run/x", JobResult(**rig.ended() | {"attestation": box}, files=rig.code))
    answered = [line for line in rig.run.events if isinstance(line, Answered)]
    evidence = [line.evidence.inline for line in answered if line.evidence is not None]
    assert "began" not in evidence[0]["predicate"]
    assert {name: evidence[1]["predicate"][name] for name in times} == times
    assert faults("container", evidence[1]) == []


def test_the_schemas_refuse_what_is_missing_or_unknown(quick_run: Path) -> None:
    statement = json.loads((quick_run / "evidence" / "001_baseline.json").read_text("utf-8"))
    del statement["predicate"]["verdict"]
    statement["predicate"]["more"] = 1
    assert len(faults("container", statement)) == 2


def test_the_command_says_how_many_statements_who_signed_and_the_head(
    quick_run: Path, tmp_path: Path
) -> None:
    words = ["export", str(quick_run), "--bundle", str(key(tmp_path)), "--into", str(tmp_path)]
    said = CliRunner().invoke(cli.app, words)
    assert said.exit_code == 0, said.output
    assert "10 statements" in said.output
    assert "SHA256:" in said.output
    both = CliRunner().invoke(cli.app, [*words, "--csv"])
    assert both.exit_code == 2


def test_an_envelope_of_a_run_is_one_of_the_bundle(quick_run: Path, tmp_path: Path) -> None:
    """`signature.json` and the bundle's first line are the same form."""
    signer = read_signer(key(tmp_path))
    one = signed_envelope(
        run_statement(RunPaths(quick_run)), signer.public.fingerprint, signer.sign
    )
    assert Envelope.from_dict(json.loads(one)).verify([public(tmp_path / "key.pem")], 1)
