"""What is removed is a run of ours below the folder of results, and nothing that a link leads to."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.api import reproduce
from orchestrator.api.bundle import pack_evidence
from orchestrator.api.disk_use import kind_of_file, size_of_run, sizes_of_caches, sizes_of_runs
from orchestrator.api.find_run import run_folders
from orchestrator.api.removing import (
    REMOVED,
    plan_prune,
    prune_run,
    remove_remains,
    remove_run,
    runs_to_remove,
)
from orchestrator.api.security_events import events_of_run
from orchestrator.audit.audit import AuditVerdict
from orchestrator.core.errors import UserError
from orchestrator.record.chain import head_of
from orchestrator.record.journal import Mode
from orchestrator.record.signing import read_signer
from orchestrator.sandbox.engine.client import APIError, connect
from orchestrator.sandbox.images.dangling import dangling_images, remove_dangling
from tests.support import audit_rig, standing_rig
from tests.support.signing_key import key
from tests.support.standing_rig import FAILED, FINISHED, HOSTILE, STOPPED, UNFINISHED, UNREADABLE

LATER = datetime.now(UTC) + timedelta(days=100)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("removing") / "results"
    standing_rig.results_of_each_state(results)
    return results


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "results"))


def test_a_run_is_removed_with_its_log_and_the_others_stay(results: Path) -> None:
    before = {path.name for path in run_folders(results)}
    (results / "quick" / f"{FINISHED}.log").write_text("what it printed")
    (one,) = runs_to_remove([f"quick/{FINISHED}", str(results / "quick" / FINISHED)], results)
    remove_run(one.folder, results)
    assert {path.name for path in run_folders(results)} == before - {FINISHED}
    assert not (results / "quick" / f"{FINISHED}.log").exists()
    assert not list(results.glob(f"{REMOVED}*"))


def test_a_run_at_work_is_refused(results: Path) -> None:
    folder = results / "quick" / FINISHED
    with standing_rig.held(folder):
        with pytest.raises(UserError, match="working on this run"):
            runs_to_remove([FINISHED], results)
        with pytest.raises(UserError, match="working on this run"):
            remove_run(folder, results)
    assert (folder / "journal.jsonl").is_file()


def test_what_is_elsewhere_or_no_run_or_behind_a_link_is_refused(
    results: Path, tmp_path: Path
) -> None:
    outside = Path(
        shutil.copytree(results / "quick" / FINISHED, tmp_path / "mine" / "deep" / "run")
    )
    (results / "linked").symlink_to(outside.parent)
    (results / "quick" / "20250101_000000").symlink_to(outside)
    for name in (
        str(outside),
        str(results / "linked" / "run"),
        str(results / "quick" / "20250101_000000"),
        str(results / "quick" / FINISHED / ".." / ".." / "linked" / "run"),
    ):
        with pytest.raises(UserError, match="no run below"):
            runs_to_remove([name], results)
    survey = results / "elsewhere" / "one"
    survey.mkdir(parents=True)
    shutil.copy(next((results / "quick" / FINISHED).glob("*/journal.jsonl")), survey)
    with pytest.raises(UserError, match="no record that `aisci` made"):
        runs_to_remove([str(survey)], results)
    assert (outside / "journal.jsonl").is_file()
    assert (survey / "journal.jsonl").is_file()


def test_a_link_within_a_run_is_removed_and_what_it_leads_to_stays(
    results: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("years")
    (results / "quick" / FINISHED / "more").symlink_to(tmp_path / "mine")
    remove_run(results / "quick" / FINISHED, results)
    assert (tmp_path / "mine" / "thesis").read_text() == "years"


def test_what_an_interrupted_removal_left_is_no_run_and_goes_with_the_next_prune(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            remove_run(results / "quick" / FINISHED, results)
    assert FINISHED not in {path.name for path in run_folders(results)}
    assert len(list(results.glob(f"{REMOVED}*"))) == 1
    remove_remains(results)
    assert not list(results.glob(f"{REMOVED}*"))


def test_a_prune_takes_runs_that_ended_long_ago_and_says_why_the_others_stay(results: Path) -> None:
    plan = plan_prune(results, 90 * 86400.0, LATER, keep_record=False)
    assert {one.folder.name for one in plan.runs} == {FINISHED, FAILED}
    stay = {run.rpartition("/")[2]: why for run, why in plan.stay}
    assert stay[STOPPED] == "it is stopped"
    assert stay[UNFINISHED] == "it is unfinished"
    assert {HOSTILE, UNREADABLE} <= stay.keys()
    young = plan_prune(results, 101 * 86400.0, LATER, keep_record=False)
    assert not young.runs
    assert dict(young.stay)[f"quick/{FINISHED}"] == "it is younger"


@pytest.mark.program
def test_a_record_that_stands_alone_holds_is_never_called_intact_and_makes_its_files_again(
    tmp_path: Path,
) -> None:
    results = tmp_path / "results"
    folder = results / "quick" / FINISHED
    audit_rig.record(folder)
    head, before = head_of(folder / "journal.jsonl"), size_of_run(folder)
    papers = {path.name: path.read_bytes() for path in folder.glob("*/*.pdf")}
    assert papers
    (folder / "audit.html").write_text("a page")
    prune_run(folder, results, keep_record=True)
    after = size_of_run(folder)
    assert after.total == after.kinds["record"] == before.kinds["record"]
    assert not list(folder.glob("*/run_*"))
    done = audit_rig.whole(folder, head=head)
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    assert [one.what.partition(":")[0] for one in done.findings] == ["the record stands alone"]
    assert plan_prune(results, 0.0, LATER, keep_record=True).runs == ()
    replayed = reproduce.replay(str(folder), into=tmp_path / "again")
    assert replayed.ideas == 1
    audit_rig.record(folder, Mode.RESUME)
    assert {path.name: path.read_bytes() for path in folder.glob("*/*.pdf")} == papers
    assert audit_rig.whole(folder, head=head).outcome is AuditVerdict.INTACT
    (folder / "report.html").unlink()
    assert audit_rig.whole(folder, head=head).outcome is AuditVerdict.BROKEN


# --- sizes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("journal.jsonl", "record"), ("idea/blobs/ab", "record"), ("evidence/1.json", "record"),
        ("signature.json", "record"), ("idea/run_1/final_info.json", "results"),
        ("idea/latex/template.tex", "paper"), ("idea/x.pdf", "paper"), ("audit.html", "pages"),
        ("idea/report.html", "pages"), ("idea/history.git/objects/a", "history"),
        ("ideas.json", "other"), ("idea/notes.txt", "other"),
    ],
)  # fmt: skip
def test_each_file_of_a_run_is_of_one_kind(name: str, kind: str) -> None:
    assert kind_of_file(name) == kind


def test_sizes_are_of_what_lies_there_and_follow_no_link(results: Path, tmp_path: Path) -> None:
    folder = results / "quick" / FINISHED
    before = size_of_run(folder)
    (tmp_path / "large").write_bytes(b"x" * 10_000_000)
    (folder / "link").symlink_to(tmp_path / "large")
    (folder / "blobs" / "more").write_bytes(b"x" * 1_000_000)
    after = size_of_run(folder)
    assert 1_000_000 <= after.kinds["record"] - before.kinds["record"] < 1_100_000
    assert after.total - before.total < 1_100_000
    assert sizes_of_runs(results)[0].folder == folder


def test_caches_that_are_made_again_are_told_from_what_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for folder, size in (("cache/aisci/wheels", 9000), ("data/aisci/baselines", 5000)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_bytes(b"x" * size)
    first, second = sizes_of_caches()
    assert (first.what, first.made_again) == ("packages of templates", True)
    assert (second.what, second.made_again) == ("kept baselines", False)
    assert first.size >= 9000


# --- images -----------------------------------------------------------------------------------


class Images:
    """An engine's images; one of ours that no name points to is in use."""

    def __init__(self) -> None:
        ours = {"aisci.image": "aisci-latex"}
        self.all = {
            "sha256:old": SimpleNamespace(id="sha256:old", tags=[], labels=ours, attrs={"Size": 7}),
            "sha256:used": SimpleNamespace(id="sha256:used", tags=[], labels=ours, attrs={}),
            "sha256:now": SimpleNamespace(id="sha256:now", tags=["a:b"], labels=ours, attrs={}),
            "sha256:not": SimpleNamespace(id="sha256:not", tags=[], labels={}, attrs={}),
        }
        self.asked: dict[str, Any] = {}

    def list(self, filters: dict[str, Any]) -> list[Any]:
        self.asked = filters
        return [*self.all.values()]

    def remove(self, name: str) -> None:
        if name == "sha256:used":
            conflict: Any = SimpleNamespace(status_code=409, reason="")
            raise APIError("conflict", response=conflict)
        del self.all[name]


def test_only_images_of_ours_without_a_name_are_removed_and_none_in_use() -> None:
    images = Images()
    engine: Any = SimpleNamespace(images=images)
    found = dangling_images(engine)
    assert [one.id for one in found] == ["sha256:old", "sha256:used"]
    assert images.asked == {"dangling": True, "label": "aisci.image"}
    assert [one.id for one in remove_dangling(engine, found)] == ["sha256:old"]
    assert set(images.all) == {"sha256:used", "sha256:now", "sha256:not"}


@pytest.mark.engine
def test_an_engine_lists_its_images_without_a_name() -> None:
    engine = connect()
    try:
        assert all(one.id.startswith("sha256:") for one in dangling_images(engine))
    finally:
        engine.close()


def test_a_run_down_to_its_record_is_still_told_and_signed(results: Path, tmp_path: Path) -> None:
    folder = results / "quick" / FINISHED
    before = list(events_of_run(str(folder), results))
    prune_run(folder, results, keep_record=True)
    assert list(events_of_run(str(folder), results)) == before
    bundle = pack_evidence(str(folder), results, read_signer(key(tmp_path)), tmp_path / "x")
    assert bundle.statements > 1
