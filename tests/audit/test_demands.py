"""What an auditor asks besides the record: the policy, the ceiling, the models, the age of the proof."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from orchestrator.api.audit_demands import demands_of, read_demands
from orchestrator.audit.finding import AuditFinding
from orchestrator.policy.policy import load_policy
from orchestrator.record.journal import Mode
from orchestrator.record.pins import CeilingPin, ModelPin, ProofPin, ProofSummary, SignaturePin
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.sweep import SweepModel
from tests.policy.test_policy import ROOT, written
from tests.support import audit_rig, run_rig
from tests.support.audit_rig import audited
from tests.support.ceiling_rig import ceiling_at

DAY = 86400.0


def recorded(folder: Path, **changes: Any) -> Path:
    spec: RunSpec = replace(run_rig.setup(folder), **changes)
    run_rig.run_scripted(folder / "run", SweepModel(), Mode.RECORD, spec=spec)
    return folder / "run"


def proof(at: str, outcome: str = "held") -> ProofPin:
    newest = ProofSummary(at=at, outcome=outcome, sha256="0" * 64, images=())
    return ProofPin(of="0" * 64, newest=newest)


def asked(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(cli.app, ["audit", str(folder), *words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def wrong_of(folder: Path) -> list[AuditFinding]:
    done = audited(folder)
    return [one for one in done.findings if one.check == "policy" and one.level == "wrong"]


def test_a_run_below_a_policy_meets_it_and_one_above_is_told_each_setting(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    done = audited(run)
    (met,) = demands_of(done, read_demands("ci-cpu", None))
    assert met.met
    low = written(tmp_path, "extends: ci-cpu\nidea: {budget: {usd: 1}}")
    (unmet,) = demands_of(done, read_demands(low, None))
    assert not unmet.met
    assert [one for one in unmet.unmet if "idea.budget.usd: there 1; here 5" in one]
    assert all("journal.jsonl:1" in one for one in unmet.unmet)


def test_a_policy_that_allows_more_ends_the_audit_with_five_and_leaves_its_verdict(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    audit_rig.record(run)
    low = written(tmp_path, "extends: ci-cpu\nidea: {budget: {usd: 1}}")
    done = CliRunner().invoke(cli.app, ["audit", str(run), "--no-weaker-than", low])
    assert "asked:      no weaker than" in done.stdout
    assert "idea.budget.usd: there 1; here 5" in done.stdout
    assert done.stdout.splitlines()[0].endswith(": consistent")
    assert done.exit_code == 5
    assert asked(run, "--no-weaker-than", "ci-cpu")[0] == 0
    assert asked(run, "--max-proof-age", "30d")[0] == 5


def test_a_default_profile_that_allowed_more_than_this_one_is_told_though_its_name_is_the_same(
    tmp_path: Path,
) -> None:
    audit_rig.record(tmp_path / "run")
    forger = audit_rig.Forger(tmp_path / "run")
    assert demands_of(audited(forger.folder), read_demands("ci-cpu", None))[0].met

    def wide(lines: list[audit_rig.Line]) -> None:
        more = {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"}
        lines[0]["pins"]["seccomp"]["syscalls"].append(more)

    forger.change(forger.run, wide)
    (demand,) = demands_of(audited(forger.folder), read_demands("ci-cpu", None))
    keys = [one.split(": ")[1] for one in demand.unmet]
    assert keys == ["experiment.seccomp", "latex.seccomp", "editor.seccomp"]


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        (None, "had no proof"),
        (proof("2020-01-01T00:00:00+00:00"), "is of 2020-01-01"),
        (proof("2199-01-01T00:00:00+00:00"), "is of 2199-01-01"),
        (proof("2020-01-01T00:00:00+00:00", "did not hold"), "did not hold"),
        (proof("soon"), "cannot be read"),
    ],
)
def test_a_proof_that_is_missing_old_or_bad_is_told(
    tmp_path: Path, pin: ProofPin | None, why: str
) -> None:
    (demand,) = demands_of(audited(recorded(tmp_path, proof=pin)), read_demands(None, 30 * DAY))
    (unmet,) = demand.unmet
    assert why in unmet


def test_a_fresh_proof_is_enough(tmp_path: Path) -> None:
    began = audited(recorded(tmp_path)).pinned[0].line.event.at
    again = tmp_path / "again"
    again.mkdir()
    run = recorded(again, proof=proof(began))
    (demand,) = demands_of(audited(run), read_demands(None, 30 * DAY))
    assert demand.met


def test_the_ceiling_of_the_auditing_machine_is_reported_and_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    audit_rig.record(run)
    text = (ROOT / "ci-cpu.yaml").read_text().replace("name: ci-cpu", "name: corp")
    ceiling_at(tmp_path, monkeypatch, text.replace("usd: 5,", "usd: 1,", 1))
    code, answer = asked(run)
    (demand,) = answer["demands"]
    assert not demand["required"]
    assert not demand["met"]
    assert "idea.budget.usd" in str(demand["unmet"])
    assert (code, answer["outcome"]) == (0, "consistent")


def test_a_record_whose_policy_is_above_its_pinned_ceiling_is_broken(tmp_path: Path) -> None:
    low = load_policy(written(tmp_path, "extends: ci-cpu\nidea: {budget: {usd: 1}}"), ROOT)
    pin = CeilingPin(
        file="/etc/aisci/ceiling.yaml", name="corp", hash=low.hash, settings=low.settings
    )
    found = wrong_of(recorded(tmp_path, ceilings=(pin,)))
    assert [
        one for one in found if "pinned ceiling 'corp'" in one.what and "idea.budget.usd" in one.why
    ]
    base = load_policy("base", ROOT)
    other = tmp_path / "other"
    other.mkdir()
    sound = CeilingPin(file="x", name="base", hash=base.hash, settings=base.settings)
    assert wrong_of(recorded(other, ceilings=(sound,))) == []
    third = tmp_path / "third"
    third.mkdir()
    found = wrong_of(recorded(third, ceilings=(replace(sound, hash="0" * 64),)))
    assert "do not match its hash" in found[0].what


def test_a_record_with_the_signature_of_another_policy_or_image_is_broken(tmp_path: Path) -> None:
    pins = audited(recorded(tmp_path)).pins
    assert pins is not None
    own = {"policy": pins.policy.hash, **dict(pins.images)}
    for of, hash_ in own.items():
        folder = tmp_path / of.replace(":", "_").replace("/", "_")
        for text, wrong in ((hash_, 0), ("0" * 64, 1)):
            place = folder / str(wrong)
            place.mkdir(parents=True)
            pin = SignaturePin(of=of, hash=text, signer="security team", key="SHA256:x")
            found = [one.what for one in wrong_of(recorded(place, signatures=(pin,)))]
            assert found == [f"the pinned signature of {of!r} is of something else"] * wrong


def test_a_record_whose_model_its_policy_forbids_is_broken(tmp_path: Path) -> None:
    body = 'extends: ci-cpu\nmodel: {allow: ["openai/own@https://llm.corp.example"]}'
    policy = load_policy(written(tmp_path, body), ROOT)
    role = ModelPin(name="openai/own", author="openai/own", role="reviewing")
    found = wrong_of(recorded(tmp_path, policy=policy, roles=(role,)))
    assert [one for one in found if "openai/own at its vendor" in one.why]
    other = tmp_path / "other"
    other.mkdir()
    at_home = replace(role, server="https://llm.corp.example")
    assert wrong_of(recorded(other, policy=policy, roles=(at_home,))) == []


def test_the_audits_page_says_what_was_demanded_and_where_it_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    audit_rig.record(run)
    text = (ROOT / "ci-cpu.yaml").read_text().replace("name: ci-cpu", "name: corp")
    ceiling_at(tmp_path, monkeypatch, text)
    low = written(tmp_path, "extends: ci-cpu\nidea: {budget: {usd: 1}}", "<b>.yaml")
    asked(run, "--no-weaker-than", low, "--max-proof-age", "30d")
    page = (run / "audit.html").read_text("utf-8")
    assert "Asked besides" in page
    assert "2 of 2 not met" in page
    assert "idea.budget.usd: there 1; here 5" in page
    assert "the policy had no proof on that machine" in page
    assert page.count(">demanded<") == 2
    assert page.count(">reported<") == 1, "the ceiling of the auditing machine, which is met"
    assert "<b>.yaml" not in page
    asked(run, "--no-weaker-than", "ci-cpu")
    assert "all met" in (run / "audit.html").read_text("utf-8")


def test_without_a_demand_the_page_has_no_such_part(tmp_path: Path) -> None:
    run = tmp_path / "run"
    audit_rig.record(run)
    asked(run)
    assert "Asked besides" not in (run / "audit.html").read_text("utf-8")


def test_pages_say_under_which_ceiling_a_run_was_and_nothing_where_there_was_none(
    tmp_path: Path,
) -> None:
    base = load_policy("base", ROOT)
    pin = CeilingPin(
        file="/etc/aisci/ceiling.d/<team>.yaml",
        name="corp",
        hash=base.hash,
        settings=base.settings,
    )
    run = recorded(tmp_path, ceilings=(pin,))
    asked(run)
    (idea,) = run.glob("*/report.html")
    for page in (run / "report.html", idea, run / "audit.html"):
        text = page.read_text("utf-8")
        assert base.hash in text
        assert "/etc/aisci/ceiling.d/&lt;team&gt;.yaml" in text
    assert "· ceiling corp" in (run / "report.html").read_text("utf-8")
    (tmp_path / "none").mkdir()
    bare = recorded(tmp_path / "none")
    for page in bare.rglob("report.html"):
        text = page.read_text("utf-8")
        assert ">ceiling<" not in text
        assert "· ceiling" not in text
