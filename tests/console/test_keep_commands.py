"""``aisci export``, ``rm``, ``du`` and ``prune``, as a person and a program see them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from orchestrator.console import output as out
from orchestrator.console import removing
from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.research import Idea
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal
from tests.support import standing_rig
from tests.support.journal_rig import idea_started
from tests.support.standing_rig import FAILED, FINISHED, WORKING


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("keep") / "results"
    standing_rig.results_of_each_state(results)
    return results


@pytest.fixture
def results(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def nowhere() -> None:
        raise EngineUnavailable("none", where="here", todo="nothing")

    monkeypatch.setattr(removing, "connect", nowhere)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return Path(shutil.copytree(made, tmp_path / "results"))


def aisci(results: Path, *words: str) -> Result:
    return CliRunner().invoke(cli.app, [*words, "--results", str(results)])


def test_without_a_terminal_nothing_is_removed_but_with_yes(results: Path) -> None:
    refused = aisci(results, "rm", FINISHED)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert (results / "quick" / FINISHED / "journal.jsonl").is_file()
    done = aisci(results, "rm", FINISHED, FAILED, "--yes")
    assert done.exit_code == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["removed:", f"quick/{FINISHED}"],
        ["removed:", f"quick/{FAILED}"],
    ]
    assert not (results / "quick" / FINISHED).exists()


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_at_a_terminal_a_person_is_asked(
    results: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(removing, "_nobody_there", lambda: False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert aisci(results, "rm", FINISHED).exit_code == code
    assert (results / "quick" / FINISHED).exists() == bool(code)


def test_one_run_that_cannot_be_removed_keeps_all(results: Path) -> None:
    with standing_rig.held(results / "quick" / WORKING):
        done = aisci(results, "rm", FINISHED, WORKING, "--yes")
    assert done.exit_code == 2
    assert "aisci cancel" in done.stderr
    assert (results / "quick" / FINISHED).exists()


def test_a_dry_prune_shows_what_a_prune_does(results: Path) -> None:
    words = ("prune", "--older-than", "0s", "--keep", "record")
    before = sorted(results.rglob("*"))
    dry = aisci(results, *words, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert sorted(results.rglob("*")) == before
    assert f"quick/{FINISHED}, its record stays" in dry.stdout
    assert "stays: quick/20260103_000000: it is unfinished" in dry.stdout
    assert "no Docker engine answers" in dry.stdout
    assert aisci(results, *words).exit_code == 2
    told = aisci(results, *words, "--yes", "--json")
    assert told.exit_code == 0, told.stderr
    freed = {one["run"]: one for one in map(json.loads, told.stdout.splitlines())}
    assert freed[f"quick/{FINISHED}"]["record_kept"] is True
    assert (results / "quick" / FINISHED / "journal.jsonl").is_file()
    assert not list((results / "quick" / FINISHED).glob("*/*.pdf"))
    wrong = aisci(results, "prune", "--older-than", "ninety days")
    assert wrong.exit_code == 2
    assert "such as 30d" in wrong.stderr


def test_without_an_age_a_prune_removes_no_run(results: Path) -> None:
    done = aisci(results, "prune", "--yes")
    assert done.exit_code == 0, done.stderr
    assert "nothing to remove" in done.stdout
    assert (results / "quick" / FINISHED).exists()


def test_sizes_are_told_by_run_and_by_kind(results: Path) -> None:
    lines = aisci(results, "du").stdout.splitlines()
    assert lines[0].split() == [
        "run",
        "all",
        "record",
        "results",
        "paper",
        "history",
        "pages",
        "other",
    ]
    assert any(line.startswith(f"quick/{FINISHED} ") for line in lines)
    assert any(line.startswith("all runs ") for line in lines)
    told = [json.loads(line) for line in aisci(results, "du", "--json").stdout.splitlines()]
    of_run = next(one for one in told if one.get("run") == f"quick/{FINISHED}")
    assert of_run["bytes"] == sum(of_run["kinds"].values())


def test_numbers_go_to_stdout_or_into_a_file(results: Path, tmp_path: Path) -> None:
    printed = aisci(results, "export", FINISHED, "--csv")
    assert printed.exit_code == 0, printed.stderr
    rows = list(csv.DictReader(io.StringIO(printed.stdout)))
    assert {row["metric"] for row in rows} == {"final_loss_mean", "initial_loss_mean"}
    told = [
        json.loads(line)
        for line in aisci(results, "export", FINISHED, "--json").stdout.splitlines()
    ]
    assert [one["mean"] for one in told] == [float(row["mean"]) for row in rows]
    into = tmp_path / "numbers.csv"
    assert aisci(results, "export", FINISHED, "--csv", "--into", str(into)).exit_code == 0
    assert into.read_text() == printed.stdout
    for words in (("--csv", "--json"), (FAILED,)):
        assert aisci(results, "export", FINISHED, *words).exit_code == 2


def test_one_file_is_told_with_its_head_and_what_to_do_with_it(
    results: Path, tmp_path: Path
) -> None:
    done = aisci(results, "export", FINISHED, "--into", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    (file,) = tmp_path.glob("*.tar.gz")
    assert done.stdout.splitlines()[0].startswith(f"exported: {file} (")
    head = done.stdout.splitlines()[1].split()[1]
    assert file.name == f"quick_{FINISHED}_{head[:12]}.tar.gz"


@pytest.fixture
def exported(results: Path, tmp_path: Path) -> tuple[Path, str]:
    """(the file, its head) of a run that is exported."""
    done = aisci(results, "export", FINISHED, "--into", str(tmp_path))
    (file,) = tmp_path.glob("*.tar.gz")
    return file, done.stdout.splitlines()[1].split()[1]


def test_the_printed_recipe_holds_the_real_head(results: Path, tmp_path: Path) -> None:
    said = aisci(results, "export", FINISHED, "--into", str(tmp_path)).stdout
    head = said.splitlines()[1].split()[1]
    assert said.endswith(f"aisci audit quick/{FINISHED} --head {head}\n")


@pytest.mark.parametrize("words", [("audit",), ("replay",), ("export", "--csv"), ("status",)])
def test_an_exported_file_in_place_of_a_run_is_told_as_one(
    results: Path, exported: tuple[Path, str], words: tuple[str, ...]
) -> None:
    file, head = exported
    done = aisci(results, *words, str(file))
    assert done.exit_code == 2
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert "this is an exported run" in done.stderr
    assert f"mkdir -p results && tar -xzf {file} -C results" in lines
    assert f"aisci audit quick/{FINISHED} --head {head}" in lines


def test_an_exported_file_is_no_folder_to_import(exported: tuple[Path, str]) -> None:
    done = CliRunner().invoke(cli.app, ["import", str(exported[0])])
    assert done.exit_code == 2
    assert f"--head {exported[1]}" in done.stderr


def test_another_archive_is_not_taken_for_an_exported_run(results: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tar.gz").write_bytes(b"\x1f\x8b\x08 not one")
    done = aisci(results, "audit", str(tmp_path / "other.tar.gz"))
    assert done.exit_code == 2
    assert "it is no archive that `aisci export` made" in done.stderr


def test_a_dash_is_standard_output_for_a_table_and_refused_for_an_archive(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for form in ("--csv", "--json"):
        plain = aisci(results, "export", FINISHED, form).stdout
        assert aisci(results, "export", FINISHED, form, "--into", "-").stdout == plain
    refused = aisci(results, "export", FINISHED, "--into", "-")
    assert refused.exit_code == 2
    assert not (tmp_path / "-").exists()


def a_record(results: Path, kind: str) -> Path:
    """A record as `aisci review PAPER.pdf` and its like leave it: no run's."""
    folder = results / kind / "a_long_name_of_a_paper_about_optimizers-0d32ee405cdc"
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"))
    journal.append(idea_started(Idea(name="a", title="A", experiment="x")))
    return folder


@pytest.mark.parametrize("kind", ["ideas", "reviews", "surveys", "slides"])
def test_other_records_are_counted_and_removed_by_their_id(results: Path, kind: str) -> None:
    folder = a_record(results, kind)
    name = f"{kind}/{folder.name}"
    said = aisci(results, "du").stdout
    assert any(line.startswith(f"{name} ") for line in said.splitlines())
    assert said.splitlines()[-1].startswith("in all: ")
    told = [json.loads(line) for line in aisci(results, "du", "--json").stdout.splitlines()]
    assert [one["record"] for one in told if "record" in one] == [name]
    done = aisci(results, "rm", name, "--yes")
    assert done.exit_code == 0, done.stderr
    assert not folder.exists()
    assert (results / "quick" / FINISHED).exists()


def test_ids_are_whole_on_80_columns(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_record(results, "reviews")
    monkeypatch.setattr(out, "width", lambda: 80)
    monkeypatch.setattr(out, "_WIDE", 80)
    lines = aisci(results, "du").stdout.splitlines()
    assert any(line.startswith(f"reviews/{folder.name} ") for line in lines)
    assert any(line.startswith(f"quick/{FINISHED} ") for line in lines)
    assert max(len(line) for line in lines if "quick/" in line) <= 80
