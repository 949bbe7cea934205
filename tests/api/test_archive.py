"""One file of a run: the same bytes for the same run, and whole wherever it is unpacked."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from orchestrator.api import reproduce
from orchestrator.api.archive import pack_run
from orchestrator.api.find_run import find_run
from orchestrator.api.metric_table import csv_text, metric_rows
from orchestrator.audit.audit import AuditVerdict
from orchestrator.core.errors import UnsafeFolder, UserError
from tests.support import audit_rig as rig
from tests.support.audit_rig import idea_of
from tests.support.standing_rig import held

pytestmark = pytest.mark.program  # plays a whole run again


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive") / "results" / "quick" / "20260101_000000"
    assert [one.status for one in rig.record(folder)] == ["finished"]
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "results" / "quick" / recorded.name))


def test_unpacked_elsewhere_a_run_is_intact_and_its_replay_the_same(
    run: Path, tmp_path: Path
) -> None:
    done = pack_run("latest", run.parent.parent, tmp_path)
    assert done.file.name == f"quick_{run.name}_{done.head[:12]}.tar.gz"
    there = tmp_path / "there"
    with tarfile.open(done.file) as tar:
        tar.extractall(there, filter="data")
    shutil.rmtree(run)
    paths = find_run("latest", there)
    assert rig.whole(paths.folder, head=done.head).outcome is AuditVerdict.INTACT
    replayed = reproduce.replay("latest", there)
    assert (replayed.ideas, replayed.different) == (1, ())
    assert next(paths.folder.glob("*/*.pdf")).is_file()


def test_the_bytes_depend_on_the_run_alone(run: Path, tmp_path: Path) -> None:
    first = pack_run(str(run), tmp_path, tmp_path / "first")
    other = tmp_path / "other" / "quick" / run.name
    shutil.copytree(run, other, copy_function=shutil.copyfile)
    (other / "audit.html").write_text("somebody's verdict")
    (other / "blobs" / ".new-abc").write_text("of a killed process")
    other.chmod(0o700)
    second = pack_run(str(other), tmp_path, tmp_path / "second")
    assert first.file.read_bytes() == second.file.read_bytes()
    with tarfile.open(first.file) as tar:
        entries = tar.getmembers()
    assert {(one.mode, one.uid, one.uname, one.mtime) for one in entries} == {(0o644, 0, "", 0)}
    assert all(one.isreg() for one in entries)
    assert len(entries) == first.files


def test_a_run_at_work_a_link_and_a_file_that_is_there_are_refused(
    run: Path, tmp_path: Path
) -> None:
    with held(run), pytest.raises(UserError, match="working on this run"):
        pack_run(str(run), tmp_path, tmp_path)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(UserError, match="already"):
        pack_run(str(run), tmp_path, tmp_path / "there")
    (run / "secret").symlink_to("/etc/shadow")
    with pytest.raises(UnsafeFolder):
        pack_run(str(run), tmp_path, tmp_path / "new")
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_the_table_has_every_number_of_every_run(run: Path) -> None:
    rows = metric_rows([str(run), "latest"], run.parent.parent)
    assert len(rows) % 2 == 0, "both names mean one run"
    rows = rows[: len(rows) // 2]
    folder = idea_of(run).parent
    found = {(f"run_{one.number}", one.dataset, one.metric): (one.mean, one.stderr) for one in rows}
    wanted = {
        (path.parent.name, dataset, metric): (
            mean,
            data["stderrs"][metric.replace("mean", "stderr")],
        )
        for path in folder.glob("run_*/final_info.json")
        for dataset, data in json.loads(path.read_text()).items()
        for metric, mean in data["means"].items()
    }
    assert found == wanted
    assert {(one.run, one.idea_folder) for one in rows} == {(f"quick/{run.name}", folder.name)}
    assert rows[0].name == "baseline"
    assert rows[0].direction in {"lower", "higher", "none"}
    read = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [float(one["mean"]) for one in read] == [one.mean for one in rows]


def test_no_cell_is_a_formula(recorded: Path) -> None:
    (row, *_) = metric_rows([str(recorded)], recorded)
    evil = type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"idea": "=1+\n2"})
    assert next(csv.DictReader(io.StringIO(csv_text([evil]))))["idea"] == "'=1+ 2"


def test_a_file_of_holes_is_refused_and_nothing_is_half_written(run: Path, tmp_path: Path) -> None:
    holes = run / "evidence" / "holes"
    holes.touch()
    os.truncate(holes, 1 << 40)
    with pytest.raises(UnsafeFolder, match="cannot be packed") as caught:
        pack_run(str(run), tmp_path, tmp_path / "packed")
    assert caught.value.where == str(holes)
    assert not (tmp_path / "packed").exists()
