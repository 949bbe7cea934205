"""A proof as a value, a file, a page and a pin in a run's record; no container is needed for it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import BadFile
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.policy.controls import CONTROLS
from orchestrator.policy.policy import load_policy
from orchestrator.policy.runtimes import BIND
from orchestrator.proof.judge import ProbeResult, ProbeState, judge_probe
from orchestrator.proof.observation import Attempt, Observation
from orchestrator.proof.page import empty_page, proof_page
from orchestrator.proof.probe import select_probes, shipped_probes
from orchestrator.proof.proof import FullRun, Proof, by_control, proof_bytes, read_proof
from orchestrator.proof.store import ProofStore
from orchestrator.proof.subject import applicable_probes, for_machine, subject_of
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ProofPin, ProofSummary
from orchestrator.report.page import proof_paragraph
from orchestrator.research.pins import read_pins
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from tests.console.test_policy_commands import aisci
from tests.support import run_rig
from tests.support.journal_rig import PINS
from tests.support.report_rig import box

SHIPPED = shipped_root() / "policies"
SMALL = Machine(cpus=2, memory=8 << 30, disk=64 << 30, gpus=0)
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e"


def result(state: ProbeState = "held", **more: Any) -> ProbeResult:
    known: dict[str, Any] = {
        "probe": "rights/mount", "kind": "experiment", "promise": "Nothing is mounted.",
        "tries": "to mount", "parts": ("container.capabilities",), "families": (9,),
        "saw": "Operation not permitted",
    }  # fmt: skip
    return ProbeResult(state=state, **known | more)


def proof(*results: ProbeResult, **more: Any) -> Proof:
    known: dict[str, Any] = {
        "policy": "ci-cpu", "origin": "shipped", "hash": "a" * 64,
        "at": "2026-11-24T21:00:00+00:00", "seconds": 60.0, "program": "0.1.0",
        "engine": "docker 20.10", "kernel": "6.1", "machine": "x86_64", "cgroup": 1,
        "runtimes": ("runc",), "storage": "loop", "images": (("experiment", "sha256:abc"),),
        "whole": (FullRun(kind="experiment", attestation=box()),),
    }  # fmt: skip
    return Proof(results=results or (result(),), **known | more)


@pytest.mark.parametrize(
    ("states", "outcome", "code"),
    [
        (("held", "held"), "held", 0),
        (("held", "held otherwise"), "held otherwise", 0),
        (("held", "not provable here"), "not provable here", 3),
        (("not provable here", "did not hold"), "did not hold", 1),
    ],
)
def test_a_proof_is_as_good_as_its_worst_result(
    states: tuple[ProbeState, ...], outcome: str, code: int
) -> None:
    made = proof(*(result(state) for state in states))
    assert (made.outcome, made.exit_code) == (outcome, code)


def test_what_the_machine_cannot_show_makes_a_proof_of_held_results_not_provable_here() -> None:
    made = proof(unproved=(("gpus", "there is none"),))
    assert (made.outcome, made.exit_code) == ("not provable here", 3)
    (row,) = [row for row in by_control(made) if row.control.id == "gpus"]
    assert (row.state, row.why) == ("not provable here", "there is none")


def test_on_xfs_a_workspace_without_mount_options_is_told_as_what_it_is_there() -> None:
    """It is a bind with the host's own options (docs/sandbox.md), and no more is promised of it."""
    (probe,) = select_probes(shipped_probes(shipped_root()), ("disk/programs",))
    bare = Observation(attempts=(Attempt("a program", through=True),), done=True)
    assert judge_probe(probe, "runc", bare, bare, "xfs") == (
        "held otherwise",
        "got through: a program",
        BIND,
    )
    assert judge_probe(probe, "runc", bare, bare, "loop")[0] == "did not hold"
    (other,) = select_probes(shipped_probes(shipped_root()), ("disk/workspace",))
    assert judge_probe(other, "runc", bare, bare, "xfs")[0] == "did not hold"


def test_every_control_has_its_row_and_one_that_did_not_hold_is_never_hidden() -> None:
    made = proof(result(), result("did not hold", why="it mounted"), unproved=(("container", "x"),))
    rows = {row.control.id: row for row in by_control(made)}
    assert list(rows) == [control.id for control in CONTROLS if control.in_containers]
    assert (rows["container"].state, rows["container"].why) == ("did not hold", "it mounted")
    assert rows["latex"].state == "nothing is promised"


def test_a_proof_is_read_back_as_it_was_written_and_anything_else_is_refused(
    tmp_path: Path,
) -> None:
    made, path = proof(result(why=HOSTILE)), tmp_path / "proof.json"
    path.write_bytes(proof_bytes(made))
    assert read_proof(path) == made
    assert read_proof(path).sha256 == made.sha256
    for foul in (
        b"",
        b"[]",
        b"{}",
        proof_bytes(made)[:-9],
        proof_bytes(made).replace(b'"kernel"', b'"x"'),
    ):
        path.write_bytes(foul)
        with pytest.raises(BadFile, match="a proof cannot be read"):
            read_proof(path)


def test_the_shelf_gives_the_newest_whole_proof_of_that_very_policy(tmp_path: Path) -> None:
    shelf = ProofStore(tmp_path, "ci-cpu", "a" * 64)
    assert shelf.newest() is None
    assert shelf.pin() == ProofPin(of="a" * 64)
    old, new = proof(), proof(at="2026-11-24T22:00:00+00:00")
    shelf.keep(new)
    shelf.keep(old)
    shelf.keep(proof(at="2026-11-24T23:00:00+00:00", asked=("rights",)))
    (shelf.folder / "20261125_000000.json").write_bytes(b"torn")
    assert shelf.newest() == new
    newest = shelf.pin().newest
    assert newest is not None
    assert newest.sha256 == new.sha256
    assert new.at in shelf.index.read_text()
    assert ProofStore(tmp_path, "ci-cpu", "a" * 32 + "b" * 32).newest() is None, "another policy's"


def test_until_there_is_a_proof_the_page_of_a_policy_says_how_to_make_one(
    tmp_path: Path,
) -> None:
    shelf = ProofStore(tmp_path, "ci-cpu", "a" * 64)
    shelf.write_index()
    assert "aisci policy prove ci-cpu" in shelf.index.read_text()


def test_nothing_that_a_container_said_acts_on_the_page() -> None:
    made = proof(
        result("did not hold", saw=HOSTILE, why=HOSTILE, bare=HOSTILE),
        unproved=(("gpus", HOSTILE),),
        left_out=((HOSTILE, HOSTILE),),
        policy=HOSTILE,
    )
    for page in (proof_page(made), empty_page(HOSTILE, HOSTILE)):
        assert "<script" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "default-src &#x27;none&#x27;" in page


# --- what a machine can show --------------------------------------------------------------------


def test_the_default_policy_on_a_small_machine_lists_its_gpu_and_each_limit_above_it() -> None:
    here = for_machine(subject_of("default", SHIPPED), SMALL)
    reasons = dict(here.unproved)
    assert "GPU" in reasons["gpus"]
    assert "experiment.resources.memory" in reasons["memory"]
    assert "aisci-sandbox:cuda" in reasons["container"]
    assert here.limits["experiment"].gpus == 0, "what is not there is not asked for"
    assert here.limits["experiment"].image == "aisci-sandbox:cpu"
    assert here.hash == load_policy("default", SHIPPED).hash, "it is the same policy that is proved"


def test_a_policy_that_fits_has_nothing_that_cannot_be_shown() -> None:
    assert for_machine(subject_of("ci-cpu", SHIPPED), SMALL).unproved == ()


@pytest.mark.parametrize("name", ["latex", "editor"])
def test_a_file_of_blocks_is_proved_for_the_containers_that_it_has(name: str) -> None:
    subject = subject_of(name, SHIPPED)
    assert set(subject.limits) == {name}
    assert subject.whole is None


def test_an_editor_on_the_host_is_said_to_have_no_container_to_try(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "version: 1\nname: mine\ndescription: Aider on the host.\nextends: ci-cpu\n"
        "editor: process\nexceeds: {editor.process: there is no engine here}\n"
    )
    here = for_machine(subject_of(str(path), SHIPPED), SMALL)
    assert "editor" not in here.limits
    assert "Aider on the host" in dict(here.unproved)["editor"]


def test_probes_of_what_a_policy_does_not_promise_are_left_out_with_the_reason() -> None:
    known = shipped_probes(shipped_root())
    wanted, left = applicable_probes(subject_of("latex", SHIPPED), known)
    assert set(wanted) == {"latex"}
    reasons = dict(left)
    assert reasons["host/idea_time"]
    run = {one.id for mine in wanted.values() for one in mine}
    assert run | set(reasons) == {one.id for one in known}
    assert not run & set(reasons)


# --- in a run's record -----------------------------------------------------------------------------


def recorded(results: Path, shelf: ProofStore) -> RunPaths:
    """A scripted run below ``results``, under what ``shelf`` has."""
    folder = results / "quick" / "20261124_210000"
    folder.mkdir(parents=True)
    made = replace(run_rig.setup(results), proof=shelf.pin())
    edges = run_rig.scripted_edges(SweepModel())
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    research(made, run_rig.place(folder, Mode.RECORD), tools)
    return RunPaths(folder)


def shelf_of(results: Path) -> ProofStore:
    policy = run_rig.setup(results).policy
    return ProofStore(results, policy.name, policy.hash)


def test_a_runs_pages_say_that_there_was_no_proof_and_how_to_make_one(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path)
    paths = recorded(tmp_path, shelf)
    for page in (paths.report, *paths.folder.glob("*/report.html")):
        text = page.read_text()
        assert "no proof" in text
        assert f"aisci policy prove {shelf.policy}" in text


def test_a_runs_pages_name_its_policys_newest_proof_and_lead_nowhere_outside_of_the_run(
    tmp_path: Path,
) -> None:
    shelf = shelf_of(tmp_path)
    shelf.keep(proof(policy=shelf.policy, hash=shelf.hash))
    paths = recorded(tmp_path, shelf)
    pages = [paths.report, *paths.folder.glob("*/report.html")]
    assert len(pages) == 2
    for page in pages:
        text = page.read_text()
        assert "2026-11-24T21:00:00+00:00" in text
        assert f"{shelf.folder.relative_to(shelf.results)}/" in text
        for link in re.findall(r'href="([^"#:]+)"', text):
            there = (page.parent / link.partition("#")[0]).resolve()
            assert there.is_relative_to(paths.folder.resolve()), "a copy of the run has no more"
    assert read_pins(paths).proof == shelf.pin()


def test_a_later_proof_changes_no_byte_of_a_replay(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path)
    paths = recorded(tmp_path, shelf)
    shelf.keep(proof(policy=shelf.policy, hash=shelf.hash))
    done = aisci("replay", str(paths.folder))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_record_that_pins_no_proof_says_so() -> None:
    assert "names no proof" in proof_paragraph(PINS)


def test_a_proof_of_other_images_than_the_runs_is_said_to_be() -> None:
    newest = ProofSummary(
        at="2026", outcome="held", sha256="x", images=(("latex", "sha256:other"),)
    )
    pins = replace(
        PINS, images=(("aisci-latex", "sha256:a"),), proof=ProofPin(of="a" * 64, newest=newest)
    )
    assert "with other images than this run for: latex" in proof_paragraph(pins)


# --- the command's own bad input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("no-such",), "no-such"),
        (("ci-cpu", "--only", "rihgts"), "did you mean"),
        (("./nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_a_wrong_request_is_one_screen_with_exit_code_two(
    words: tuple[str, ...], says: str
) -> None:
    done = aisci("policy", "prove", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) < 24


def test_without_an_engine_the_ways_to_get_one_are_named(tmp_path: Path) -> None:
    done = aisci(
        "policy",
        "prove",
        "ci-cpu",
        "--results",
        str(tmp_path),
        DOCKER_HOST="unix:///nowhere/x.sock",
    )
    assert done.returncode == 1
    assert "No Docker engine answers" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is half-written"
