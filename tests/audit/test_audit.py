"""Audits: what holds is told in numbers, and every kind of tampering is found where it was done."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.api.export import write_reports
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.calls import read_calls
from orchestrator.audit.finding import CHECKS, AuditFinding, group_findings
from orchestrator.audit.page import no_result_reason
from orchestrator.audit.pins import limit_findings, read_held_pins
from orchestrator.audit.record import read_record
from orchestrator.core.errors import AisciError, EngineFailed
from orchestrator.core.tree import canonical, digest
from orchestrator.policy.policy import Policy, lowered
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.events import Asked
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import DataPin
from orchestrator.record.signing import Verifier, read_signer
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.record.test_signing import pem
from tests.support import audit_rig as rig
from tests.support import run_rig
from tests.support.audit_rig import Forger, Line, audited, idea_of
from tests.support.sample import examples, some


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests work on copies."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    outcomes = rig.record(folder)
    assert [outcome.status for outcome in outcomes] == ["finished"], outcomes[0].failure
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


@pytest.fixture
def forger(run: Path) -> Forger:
    return Forger(run)


def found(done: Audit, check: str) -> list[AuditFinding]:
    """What that check says is wrong; there has to be something."""
    assert done.outcome is AuditVerdict.BROKEN, "nothing was found"
    those = [one for one in done.findings if one.check == check and one.level == "wrong"]
    assert those, [(one.check, one.where, one.what) for one in done.findings]
    assert all(one.where and one.what and one.todo for one in those)
    return those


def only(done: Audit, check: str) -> AuditFinding:
    """The one thing that is wrong with a record; files made from another record differ with it."""
    findings = [one for one in done.findings if one.check != "files"]
    assert {one.check for one in findings} == {check}, findings
    (one,) = group_findings(findings)
    return one.first


# --- what holds -------------------------------------------------------------------------------


def test_a_run_that_nobody_touched_is_consistent_and_every_check_looked_at_something(
    recorded: Path,
) -> None:
    done = rig.whole(recorded)
    assert done.findings == ()
    assert done.outcome is AuditVerdict.CONSISTENT
    assert [one.check for one in done.checks] == list(CHECKS)
    assert {one.check for one in done.checks if not one.count} == {"anchor"}


def test_it_is_intact_with_its_own_head_and_broken_with_any_other(recorded: Path) -> None:
    last = (recorded / "journal.jsonl").read_bytes().splitlines()[-1]
    head = hashlib.sha256(last).hexdigest()
    assert audited(recorded).head == head
    assert rig.whole(recorded, head=head).outcome is AuditVerdict.INTACT
    other = audited(recorded, head="0" * 64)
    assert "another run" in only(other, "anchor").why


def test_an_earlier_head_says_that_the_run_went_on_since(recorded: Path) -> None:
    lines = Forger.lines(recorded / "journal.jsonl")
    done = audited(recorded, head=lines[-1]["prev"])
    assert f"journal.jsonl:{len(lines) - 1}" in only(done, "anchor").why
    assert "continued since" in only(done, "anchor").why


def sign(folder: Path, keys: Path) -> Verifier:
    signer = read_signer(pem(keys))
    paths = RunPaths(folder)
    paths.signature.write_bytes(
        signed_envelope(run_statement(paths), signer.public.fingerprint, signer.sign)
    )
    return signer.public


@pytest.mark.program
def test_a_signature_makes_it_intact_for_who_brings_the_key_and_consistent_for_others(
    run: Path, tmp_path: Path
) -> None:
    key = sign(run, tmp_path)
    assert rig.whole(run, key=key).outcome is AuditVerdict.INTACT
    without = audited(run)
    assert without.outcome is AuditVerdict.CONSISTENT
    assert without.signature == f"claims to be by {key.fingerprint}; give --key to check it"


@pytest.mark.program
def test_a_signature_by_somebody_else_or_none_at_all_is_broken(run: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = read_signer(pem(tmp_path / "other")).public
    assert "there is no signature" in only(audited(run, key=other), "anchor").what
    key = sign(run, tmp_path)
    assert key.fingerprint in only(audited(run, key=other), "anchor").why
    RunPaths(run).signature.write_text("{}")
    assert only(audited(run), "anchor").where == "signature.json"


def test_evidence_is_journalled_for_the_run_and_its_idea_and_lies_in_files(recorded: Path) -> None:
    for journal in (recorded / "journal.jsonl", idea_of(recorded)):
        told = [line["evidence"] for line in Forger.lines(journal) if line.get("evidence")]
        assert told
        assert len(told) == len(list((journal.parent / "evidence").glob("*.json")))


def in_body(raw: bytes, value: bytes) -> bytes:
    """The line with ``value`` as its body, whatever its kind."""
    line = json.loads(raw) | {"body": "here"}
    return canonical(line).replace(b'"here"', b'{"blob":null,"inline":%s}' % value)


# --- lines that were touched, the chain left as it is -----------------------------------------

TOUCHED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "removed": lambda raws: raws[:4] + raws[5:],
    "doubled": lambda raws: [*raws[:5], *raws[4:]],
    "reordered": lambda raws: [*raws[:4], raws[5], raws[4], *raws[6:]],
    "changed": lambda raws: [*raws[:4], raws[4].replace(b'"at":"2', b'"at":"3'), *raws[5:]],
    "no JSON": lambda raws: [*raws[:4], raws[4][:-1], *raws[5:]],
    "no object": lambda raws: [*raws[:4], b"[]", *raws[5:]],
    "nested": lambda raws: [*raws[:4], b"[" * 90_000, *raws[5:]],
    "nested in a field": lambda raws: [
        *raws[:4],
        in_body(raws[4], b"[" * 900 + b"]" * 900),
        *raws[5:],
    ],
    "no number": lambda raws: [*raws[:4], in_body(raws[4], b"NaN"), *raws[5:]],
    "respaced": lambda raws: [*raws[:-1], raws[-1].replace(b",", b", ", 1)],
    "first gone": lambda raws: raws[1:],
    "torn": lambda raws: [*raws[:-2], raws[-2][:40]],
    "emptied": lambda _: [],
}


@pytest.mark.parametrize("where", ["run", "idea"])
@pytest.mark.parametrize("how", TOUCHED)
def test_a_line_that_was_touched_breaks_the_chain_there(how: str, where: str, run: Path) -> None:
    path = run / "journal.jsonl" if where == "run" else idea_of(run)
    end = b"" if how == "torn" else b"\n"
    lines = TOUCHED[how](path.read_bytes().splitlines())
    path.write_bytes(b"\n".join(lines) + end if lines else b"")
    name, done = str(path.relative_to(run)), audited(run)
    # A run that ends within a line was stopped there, as far as anybody can tell.
    stopped = (how, where) == ("torn", "run")
    assert done.outcome is (AuditVerdict.UNFINISHED if stopped else AuditVerdict.BROKEN)
    assert any(one.check == "chain" and one.where.startswith(f"{name}:") for one in done.findings)


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_run_that_was_cut_at_its_end_is_told_like_one_that_is_not_finished(
    cut: int, run: Path
) -> None:
    path = run / "journal.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in path.read_bytes().splitlines()[:-cut]))
    done = audited(run)
    assert done.outcome is AuditVerdict.UNFINISHED
    assert any("unfinished or truncated" in one.what for one in done.findings)


def test_an_idea_that_was_cut_is_found_by_the_runs_seal(run: Path) -> None:
    path = idea_of(run)
    path.write_bytes(b"".join(line + b"\n" for line in path.read_bytes().splitlines()[:-1]))
    (one, *_) = found(audited(run), "seal")
    assert one.where.startswith(path.parent.name)


def test_an_idea_that_is_cut_and_sealed_anew_is_found_by_the_runs_seal(run: Path) -> None:
    path = idea_of(run)
    forger = Forger(run)
    lines = forger.lines(path)
    forger.write(path, [*lines[:-3], lines[-1]])
    assert any(
        "changed, truncated, or from another run" in x.what for x in found(audited(run), "seal")
    )


def test_an_idea_that_is_missing_or_that_nobody_knows_is_found(run: Path) -> None:
    folder = idea_of(run).parent
    shutil.copytree(folder, run / "another_abcdef")
    assert "does not name" in found(audited(run), "seal")[0].what
    shutil.rmtree(run / "another_abcdef")
    shutil.rmtree(folder)
    assert "an idea's journal is missing" in only(audited(run), "seal").what


def test_an_ideas_folder_from_another_run_is_found(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    rig.record(other)
    shutil.rmtree(idea_of(run).parent)
    shutil.copytree(idea_of(other).parent, run / idea_of(other).parent.name)
    assert "from another run" in found(audited(run), "seal")[0].what


# --- a whole new record -----------------------------------------------------------------------


@pytest.mark.program
def test_a_record_that_is_made_anew_as_a_whole_is_found_by_head_and_signature_alone(
    forger: Forger, run: Path, tmp_path: Path
) -> None:
    """The sentence that the three words rest on."""
    head, key = audited(run).head, sign(run, tmp_path)

    def later(lines: list[Line]) -> None:
        for line in lines:
            line["at"] = line["at"].replace("2026", "2031")

    forger.change(forger.idea, later)
    forger.change(forger.run, later)
    write_reports(str(run), run.parent)  # a forger who is thorough makes the pages anew, too
    assert {one.check for one in audited(run, key=key).findings} == {"anchor"}
    RunPaths(run).signature.unlink()
    assert "its chain rewritten" in only(audited(run, head=head), "anchor").why
    assert audited(run).outcome is AuditVerdict.CONSISTENT


def forger_name(forger: Forger) -> str:
    return str(forger.idea.relative_to(forger.folder))


@pytest.mark.program
def test_a_signature_over_another_state_is_told_without_the_key_too(
    forger: Forger, run: Path, tmp_path: Path
) -> None:
    key = sign(run, tmp_path)
    forger.change(forger.idea, lambda lines: lines[3].update(at="2031"))
    for kept in ({}, {"key": key}):
        done = audited(run, **kept)
        assert "another state" in only(done, "anchor").what
        where = {one.where for one in done.findings if one.check == "anchor"}
        assert where == {"journal.jsonl", forger_name(forger)}


# --- what a forger says who makes every hash anew ---------------------------------------------


def test_a_forger_who_changes_nothing_leaves_the_record_as_it_was(
    forger: Forger, run: Path
) -> None:
    forger.box(lambda *_: None)
    assert audited(run).outcome is AuditVerdict.CONSISTENT


def put(pairs: list[list[str]], name: str, value: str) -> None:
    next(pair for pair in pairs if pair[0] == name)[1] = value


def raised(request: Line, _answer: Line, told: Line) -> None:
    put(told["asked"], "HostConfig.Memory", str(request["limits"]["memory"] * 2))
    put(told["inspected"], "HostConfig.Memory", str(request["limits"]["memory"] * 2))


def engines(_request: Line, _answer: Line, told: Line) -> None:
    put(told["inspected"], "HostConfig.NetworkMode", "host")


def further(_request: Line, _answer: Line, told: Line) -> None:
    for pairs in (told["asked"], told["inspected"]):
        pairs.append(["HostConfig.Binds", "/:/host"])


def preloaded(_request: Line, _answer: Line, told: Line) -> None:
    told["inspected"].append(["Env.LD_PRELOAD", "/evil.so"])


def keyed(_request: Line, _answer: Line, told: Line) -> None:
    put(told["inspected"], "Env.HOME", "/root")


def rooted(_request: Line, _answer: Line, told: Line) -> None:
    put(told["seen"], "Uid", "0 0 0 0")


def shared(_request: Line, _answer: Line, told: Line) -> None:
    put(told["seen"], "own net namespace", "no")


def naming(_request: Line, _answer: Line, told: Line) -> None:
    put(told["seen"], "resolv.conf", "nameserver 10.9.8.7; search corp.example")


def unlimited(_request: Line, _answer: Line, told: Line) -> None:
    put(told["seen"], "limit pids", "no limit")


def runnable(_request: Line, _answer: Line, told: Line) -> None:
    put(told["seen"], "mount of the workspace", "ext4 rw,nosuid,nodev")


def hungry(request: Line, _answer: Line, told: Line) -> None:
    told["peaks"]["memory"] = request["limits"]["memory"] * 2


def lasting(request: Line, _answer: Line, told: Line) -> None:
    told["peaks"]["wall"] = request["limits"]["wall"] + 60


def talking(_request: Line, _answer: Line, told: Line) -> None:
    told["egress"].append({"at": 0.1, "host": "evil.example:443", "allowed": True})


def another_image(_request: Line, _answer: Line, told: Line) -> None:
    told["image"] = f"sha256:{digest('mine')}"
    for pairs in (told["asked"], told["inspected"]):
        put(pairs, "Image", told["image"])


def wider(request: Line, _answer: Line, _told: Line) -> None:
    request["limits"]["wall"] *= 10


def longer(request: Line, answer: Line, told: Line) -> None:
    """An hour on a GPU that the policy does not give."""
    request["limits"]["gpus"] = 1
    answer["seconds"] = told["peaks"]["wall"] = 3600.0


def mounted(request: Line, _answer: Line, told: Line) -> None:
    """A folder of the host beside what the policy lends, asked for and made alike."""
    request["data"] = [["x", "/etc"]]
    for pairs in (told["asked"], told["inspected"]):
        bind = "BindOptions=NonRecursive=True ReadOnly=True Source=/etc Target={}/x Type=bind"
        more = ", ".join(bind.format(place) for place in ("/data", "/workspace/data"))
        put(pairs, "HostConfig.Mounts", f"{dict(pairs)['HostConfig.Mounts']}, {more}")


def another_policy(_request: Line, _answer: Line, told: Line) -> None:
    told["policy"] = digest("mine")


def well(_request: Line, _answer: Line, told: Line) -> None:
    told["exit_code"] = 1


def suspected(_request: Line, _answer: Line, told: Line) -> None:
    told["suspected"] = ["memory"]


def killed(_request: Line, _answer: Line, told: Line) -> None:
    told["killed"] = "timed out"


def nowhere(_request: Line, _answer: Line, told: Line) -> None:
    told["container"] = ""


FORGED: dict[str, list[Callable[[Line, Line, Line], None]]] = {
    "settings": [raised, engines, further, preloaded, keyed],
    "kernel": [rooted, shared, unlimited, runnable, naming],
    "use": [hungry, lasting, talking],
    "image": [another_image],
    "limits": [wider, another_policy, mounted],
    "verdict": [well, suspected, killed],
    "evidence": [nowhere],
}


@pytest.mark.parametrize(
    ("check", "change"),
    [(check, change) for check, changes in FORGED.items() for change in changes],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_a_container_that_is_told_otherwise_is_found_though_every_hash_fits(
    check: str, change: Callable[[Line, Line, Line], None], forger: Forger, run: Path
) -> None:
    forger.box(change)
    done = audited(run)
    assert found(done, check)[0].where.startswith(forger_name(forger))
    assert not {"chain", "seal", "blobs", "calls"} & {one.check for one in done.findings}


def test_an_experiment_has_of_the_hosts_folders_the_pinned_data_sets_alone(run: Path) -> None:
    record = read_record(RunPaths(run))
    held = read_held_pins(record)[-1]
    box = next(one for one in read_calls(record).containers if one.kind == "experiment")
    assert box.job
    staged = DataPin(name="set", hash="a" * 64, folder="/srv/set")
    event = replace(held.line.event, pins=replace(held.pins, data=(staged,)))
    lending = replace(held, line=replace(held.line, event=event))
    for data, wrong in (
        (("set", "a" * 64), 0),
        (("other", "a" * 64), 1),
        (("set", "/etc"), 1),
    ):
        asked = replace(box, job=replace(box.job, data=(data,)))
        what = [one.what for one in limit_findings(asked, lending)]
        assert ["no pinned data set" in one for one in what] == [True] * wrong, data


def test_more_gpu_time_than_the_policy_allows_is_found(forger: Forger, run: Path) -> None:
    def on_gpu(lines: list[Line]) -> None:
        line = [x for x in lines if x["kind"] == "answered" and x["port"] == "sandbox"][-1]
        line["seconds"] = 3600.0

    forger.box(longer)
    forger.change(forger.idea, on_gpu)
    named = [one.what for one in found(audited(run), "budget")]
    assert any("idea.gpu_time allows: 3,600 of 0" in what for what in named), named


def test_an_edit_that_is_told_otherwise_is_found_like_a_job(forger: Forger, run: Path) -> None:
    forger.box(raised, place="editor")
    assert "HostConfig.Memory" in only(audited(run), "settings").what


def test_an_edit_whose_container_failed_could_not_have_been_used(forger: Forger, run: Path) -> None:
    forger.box(lambda _request, _answer, told: told.update(verdict="failed", exit_code=1), "editor")
    assert "the verdict of an edit that was used" in found(audited(run), "verdict")[0].what


def test_an_edit_with_no_container_is_found_unless_the_policy_has_it_on_the_host(
    forger: Forger, run: Path
) -> None:
    def bare(lines: list[Line]) -> None:
        line = [x for x in lines if x["kind"] == "answered" and x["port"] == "editor"][-1]
        line["body"]["inline"]["attestation"] = None
        line["evidence"] = None

    forger.change(forger.idea, bare)
    renew(forger)
    assert "an edit without a container" in only(audited(run), "evidence").what


def renew(forger: Forger) -> None:
    """The idea's files of evidence as its journal has them, under their names."""
    shutil.rmtree(forger.idea.parent / "evidence")
    rig.write_evidence_of(forger.idea)


def test_a_container_with_no_evidence_is_found(forger: Forger, run: Path) -> None:
    def bare(lines: list[Line]) -> None:
        [x for x in lines if x.get("evidence")][-1]["evidence"] = None

    forger.change(forger.idea, bare)
    assert any("a container without evidence" in x.what for x in found(audited(run), "evidence"))


def test_evidence_with_no_container_is_found_in_the_journal(forger: Forger, run: Path) -> None:
    def moved(lines: list[Line]) -> None:
        told = next(x["evidence"] for x in lines if x.get("evidence"))
        answers = (x for x in lines if x["kind"] == "answered")
        next(x for x in answers if x["port"] == "model")["evidence"] = told

    forger.change(forger.idea, moved)
    assert any("evidence without a container" in x.what for x in found(audited(run), "evidence"))


def test_evidence_that_says_otherwise_than_its_call_is_found_with_both(
    forger: Forger, run: Path
) -> None:
    def changed(lines: list[Line]) -> None:
        told = next(x["evidence"]["inline"] for x in lines if x.get("evidence"))
        told["predicate"]["peaks"]["memory"] = 1

    forger.change(forger.idea, changed)
    renew(forger)
    one = only(audited(run), "evidence")
    assert "predicate.peaks.memory" in one.why


def test_a_file_of_evidence_that_was_changed_removed_or_added_is_found(run: Path) -> None:
    folder = idea_of(run).parent / "evidence"
    first, second = sorted(folder.glob("*.json"))[:2]
    first.write_bytes(first.read_bytes().replace(b"finished", b"failed"))
    second.unlink()
    (folder / "999_extra.json").write_text("{}")
    said = {one.where.rpartition("/")[2]: one.what for one in audited(run).findings}
    assert said[first.name] == "a file of evidence was changed"
    assert said[second.name] == "a file of evidence is missing"
    assert "evidence without a container" in said["999_extra.json"]


def test_one_container_for_two_calls_is_found(forger: Forger, run: Path) -> None:
    names: list[str] = []
    forger.box(lambda _request, _answer, told: names.append(told["container"]), "editor")
    forger.box(lambda _request, _answer, told: told.update(container=names[0]))
    assert "2 calls name the container" in only(audited(run), "evidence").what


def test_a_policy_that_was_changed_is_found_by_its_hash_and_else_by_the_containers(
    forger: Forger, run: Path
) -> None:
    def wide(lines: list[Line]) -> None:
        settings = lines[0]["pins"]["policy"]["settings"]
        settings["experiment"]["resources"]["memory"] = "2GiB"

    def hashed(lines: list[Line]) -> None:
        known = lines[0]["pins"]["policy"]
        known["hash"] = digest(known["settings"])

    forger.change(forger.run, wide)
    assert "not match its hash" in found(audited(run), "policy")[0].what
    forger.change(forger.run, hashed)
    said = {one.what for one in found(audited(run), "limits")}
    assert any("the limit memory was" in what for what in said)
    assert any("names another policy" in what for what in said)


def test_a_policy_under_a_shipped_name_that_allows_more_is_noted(forger: Forger, run: Path) -> None:
    def named(lines: list[Line]) -> None:
        pin = lines[0]["pins"]["policy"]
        pin["settings"]["run"]["budget"]["usd"] = 10_000_000
        pin["settings"]["name"] = pin["name"] = "strict"
        pin["hash"] = digest(pin["settings"])

    forger.change(forger.run, named)
    (note,) = (one for one in audited(run).findings if "the name 'strict'" in one.what)
    assert (note.check, note.level) == ("policy", "noted")
    assert "settings, such as experiment.runtime: runc" in note.why


def test_the_filter_that_default_stood_for_is_pinned_and_noted_where_it_is_another_here(
    forger: Forger, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later aisci ships says nothing about what a run was held to."""
    fewer = shipped_profile().model_copy(update={"syscalls": shipped_profile().syscalls[:-1]})
    with monkeypatch.context() as later:
        later.setattr("orchestrator.audit.pins.shipped_profile", lambda: fewer)
        done = audited(run)
        assert done.outcome is AuditVerdict.CONSISTENT
        assert [(one.check, one.level) for one in done.findings] == [("policy", "noted")]
    forger.change(forger.run, lambda lines: lines[0]["pins"].update(seccomp=fewer.normal()))
    assert "HostConfig.SecurityOpt" in found(audited(run), "settings")[0].what


@pytest.mark.parametrize("key", ["policy", "template", "images"])
def test_pins_that_are_none_are_told_and_nothing_breaks_off(
    key: str, forger: Forger, run: Path
) -> None:
    forger.change(forger.run, lambda lines: lines[0]["pins"].pop(key))
    assert audited(run).outcome is AuditVerdict.BROKEN


def test_a_template_whose_files_are_others_is_found(forger: Forger, run: Path) -> None:
    def fewer(lines: list[Line]) -> None:
        files = lines[0]["pins"]["template"]["files"]["files"]
        files[:] = [pair for pair in files if pair[0] != "seed_ideas.json"]

    forger.change(forger.run, fewer)
    assert found(audited(run), "policy")


def test_a_call_that_was_taken_out_is_found_though_every_hash_fits(
    forger: Forger, run: Path
) -> None:
    def without(lines: list[Line]) -> None:
        first = next(x for x in lines if x["kind"] == "asked" and x["ord"] == 1)
        key = (first["port"], first["scope"], 0)
        lines[:] = [x for x in lines if (x.get("port"), x.get("scope"), x.get("ord")) != key]

    forger.change(forger.idea, without)
    assert any("calls are missing before" in one.what for one in found(audited(run), "calls"))


def test_an_answer_to_nothing_or_to_another_question_is_found(forger: Forger, run: Path) -> None:
    def unasked(lines: list[Line]) -> None:
        lines.remove(next(x for x in lines if x["kind"] == "asked"))
        next(x for x in lines if x["kind"] == "answered" and x["ord"] == 1)["request"] = "0" * 64

    forger.change(forger.idea, unasked)
    said = " ".join(one.what for one in found(audited(run), "calls"))
    assert "that was never requested" in said
    assert "is to another request" in said


def test_a_question_that_was_changed_is_not_what_its_hash_says(forger: Forger, run: Path) -> None:
    def other(lines: list[Line]) -> None:
        line = next(x for x in lines if x["kind"] == "asked" and x["port"] == "model")
        line["body"]["inline"]["ask"]["temperature"] = 2.0

    forger.change(forger.run, other)
    assert "does not match its hash" in only(audited(run), "calls").what


def test_bodies_that_are_none_are_told_and_nothing_breaks_off(forger: Forger, run: Path) -> None:
    forger.change(
        forger.idea,
        lambda lines: [
            x.update(body=rig.inline(7))
            for x in lines
            if "body" in x and x.get("port") in {"sandbox", "editor"}
        ],
    )
    assert any("cannot be read" in one.what for one in found(audited(run), "calls"))


def test_a_finished_run_may_claim_only_what_a_container_left(forger: Forger, run: Path) -> None:
    def better(lines: list[Line]) -> None:
        note = next(x for x in lines if x.get("name") == "run_finished")
        note["body"]["inline"]["run"]["files"]["files"][0][1] = digest("better")

    forger.change(forger.idea, better)
    assert "which no finished job wrote" in found(audited(run), "results")[0].what


# --- bodies and files -------------------------------------------------------------------------


def test_a_kept_file_that_is_missing_or_changed_is_found(run: Path) -> None:
    for store in (run / "blobs", idea_of(run).parent / "blobs"):
        gone, changed = sorted(store.iterdir())[:2]
        gone.unlink()
        changed.write_bytes(changed.read_bytes() + b" ")
        said = [(one.where, one.what, one.why) for one in found(audited(run), "blobs")]
        assert any(gone.name[:12] in why for _, _, why in said)
        assert any(changed.name in where and "was changed" in what for where, what, _ in said)


@settings(max_examples=examples(20))
@given(data=st.data())
def test_any_byte_of_a_journal_or_a_kept_file_that_is_changed_or_gone_is_found(
    recorded: Path, data: st.DataObject
) -> None:
    files = sorted([*recorded.rglob("journal.jsonl"), *recorded.glob("**/blobs/*")])
    path = data.draw(st.sampled_from(files), label="file")
    kept = path.read_bytes()
    place = data.draw(st.integers(0, len(kept) - 1), label="place")
    byte = data.draw(st.sampled_from([b"", *(bytes([n]) for n in range(256))]), label="byte")
    changed = kept[:place] + byte + kept[place + 1 :]
    try:
        path.write_bytes(changed)
        assert (audited(recorded).outcome is AuditVerdict.BROKEN) == (changed != kept)
    finally:
        path.write_bytes(kept)


@pytest.mark.sampled
def test_every_byte_of_the_last_line_counts_though_no_line_follows_it(run: Path) -> None:
    path = run / "journal.jsonl"
    kept = path.read_bytes()
    start = kept.rstrip(b"\n").rfind(b"\n") + 1
    for place in some(range(start, len(kept)), 3):
        for byte in (b"", b"0", b" ", bytes([kept[place] ^ 1])):
            changed = kept[:place] + byte + kept[place + 1 :]
            path.write_bytes(changed)
            fits = audited(run).outcome is AuditVerdict.CONSISTENT
            assert fits == (changed == kept), (place, byte)


def test_any_kept_file_that_is_gone_is_found(run: Path, sample: random.Random) -> None:
    for path in sample.sample(sorted(run.glob("**/blobs/*")), 5):
        kept = path.read_bytes()
        path.unlink()
        assert found(audited(run), "blobs")
        path.write_bytes(kept)


# --- runs that went another way ---------------------------------------------------------------


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the program sees it."""


def test_a_killed_run_is_unfinished_and_once_resumed_its_lost_call_is_told_and_no_fault(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"

    def die(event: Heard) -> None:
        if isinstance(event, Asked) and event.port == "sandbox" and event.scope != "run/baseline":
            raise Killed

    with pytest.raises(Killed):
        rig.record(folder, listener=die)
    stopped = audited(folder)
    assert stopped.outcome is AuditVerdict.UNFINISHED
    assert {one.check for one in stopped.findings} == {"seal", "evidence", "files"}
    assert stopped.end.why.startswith("it was interrupted or killed during idea/")
    rig.record(folder, Mode.RESUME)
    done = audited(folder)
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    (lost,) = done.without_result
    assert "no answer was recorded" in no_result_reason(lost)


def test_a_job_that_ended_in_an_error_is_told_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, known = tmp_path / "run", ScriptedSandbox.run
    failing: list[AisciError] = [EngineFailed("the engine broke off")]

    def broken(self: ScriptedSandbox, *words: Any) -> Any:
        if words[0].scope != "run/baseline" and failing:
            raise failing.pop()
        return known(self, *words)

    monkeypatch.setattr(ScriptedSandbox, "run", broken)
    rig.record(folder)
    rig.record(folder, Mode.RESUME)
    done = audited(folder)
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    (lost,) = done.without_result
    assert no_result_reason(lost) == "EngineFailed: the engine broke off"


def test_after_a_fork_each_container_is_held_to_the_policy_that_held_when_it_was_asked(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    rig.record(folder)
    policy = smaller(run_rig.setup(tmp_path).policy)
    rig.record(folder, Mode.FORK, policy=policy)
    done = audited(folder)
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    assert {box.limits.wall for box in done.containers if box.kind == "experiment"} == {60.0, 50.0}
    forger = Forger(folder)
    forger.box(lambda request, _answer, _told: request["limits"].update(wall=60.0))
    assert "the limit wall was 60" in found(audited(folder), "limits")[0].what


def smaller(policy: Policy) -> Policy:
    return lowered(policy, {"experiment.time.wall": "50s"})


def test_a_run_whose_edits_are_made_on_the_host_is_consistent_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_rig.setup(tmp_path).policy
    editor = made.whole.editor.model_copy(update={"process": True})
    policy = replace(made, whole=made.whole.model_copy(update={"editor": editor}))
    monkeypatch.setattr(rig.AttestingEditor, "edit", lambda self, *words: self._inner.edit(*words))
    rig.record(tmp_path / "run", policy=policy)
    done = audited(tmp_path / "run")
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    assert any(box.attestation is None for box in done.containers)


def test_results_of_a_sandbox_that_runs_nothing_are_results_of_no_container(tmp_path: Path) -> None:
    """What ships for tests cannot be taken for research."""
    run_rig.run_scripted(tmp_path / "run", SweepModel(), Mode.RECORD)
    said = " ".join(one.what for one in found(audited(tmp_path / "run"), "evidence"))
    assert "a result without a container: scripted: nothing ran" in said
