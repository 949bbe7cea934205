"""``aisci list``, ``status``, ``logs``, ``open`` and ``compare``, as a person and a program see them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import webbrowser
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

import cli
from orchestrator.api.run_status import CallOut, RunStatus, WayStatus
from orchestrator.console.columns import cut_middle
from orchestrator.console.run_compare import show_comparison
from orchestrator.console.run_list import drawn_list
from orchestrator.console.run_status import drawn_status
from tests.support import standing_rig as rig
from tests.support.places import ROOT

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SINCE = NOW.timestamp() - 34
LONG = "a_very_long_name_of_an_idea_that_varies_the_step_size_and_its_decay"

SHARED = WayStatus(
    id="run", name="run", folder="", status="", stage="ideas", place="2", marks=(), why="",
    lacking=(), out=(), containers=(("finished", 1),), tokens=4751, usd=0.0125, unpriced=0,
)  # fmt: skip
DONE = WayStatus(
    id="923ecbbbbd3a", name="sweep_step_size", folder="sweep_step_size_923ecb", status="failed",
    stage="plots", place="", why="plots: no figure was drawn", lacking=(), out=(), tokens=1_234_567,
    marks=(("novelty", "reached"), ("experiments", "reached"), ("plots", "failed")),
    containers=(("finished", 4), ("timed out", 2)), usd=1234.5, unpriced=0,
)  # fmt: skip
GOING = WayStatus(
    id="0d32ee405cdc", name=LONG, folder="a_very_0d32ee", status="", stage="experiments",
    place="run 2 attempt 2", why="", lacking=(), tokens=65_758, usd=0.1234, unpriced=3,
    marks=(("novelty", "reached"), ("experiments", "begun")), containers=(("finished", 2),),
    out=(CallOut(what="running", since=SINCE, limit=300.0),),
)  # fmt: skip
WORKING = RunStatus(
    id="a_template_with_a_long_name/20261129_113636", folder=Path("results/t/20261129_113636"),
    state="working", template="t", scale="smoke", model="anthropic/claude-opus-4-6",
    policy="ci-cpu", began="2026-11-29T11:36:36.000+00:00", changed="", worked=1400.0,
    limit=14400.0, shared=SHARED, ideas=(DONE, GOING),
)  # fmt: skip
BROKEN = RunStatus(
    id="quick/20261128_000000", folder=Path("results/quick/20261128_000000"), state="unreadable",
    fault="a line is not one that aisci writes",
)  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_a_list_keeps_its_columns_and_cuts_no_number(width: int) -> None:
    lines = [line.plain for line in drawn_list([WORKING, BROKEN], NOW, width)]
    assert all(cell_len(line) <= width for line in lines)
    head, first, where, second, fault = lines
    for name in ("model", "state", "ideas"):
        assert first[head.index(name) - 1] == " "
        assert first[head.index(name)] != " "
    assert "20261129_113636" in first
    assert "23 min" in first
    assert first.endswith("$1,234.64+?")
    assert "1 ✗ 1 …" in first
    assert where.startswith("  a_very_long_name")
    assert "unreadable" in second
    assert fault == "  a line is not one that aisci writes"


STATUS = """\
a_template_with_a_long_name/20261129_113636  working
scale smoke, model anthropic/claude-opus-4-6, policy ci-cpu
began 2026-11-29 11:36 UTC, worked 23 min of 4 h, 3.6 h left

idea                nov exp plo cri not wri com ver rev imp
sweep_step_size      ✓   ✓   ✗   ·   ·   ·   ·   ·   ·   ·   failed
a_very_l…its_decay   ✓   ▶   ·   ·   ·   ·   ·   ·   ·   ·   experimen…attempt 2

                    out now                 containers       tokens         cost
run                                         ✓ 1               4,751      $0.0125
sweep_step_size                             ✓ 4  ✗ 2      1,234,567    $1,234.50
a_very_l…its_decay  running 34 s of 5 min   ✓ 2              65,758    $0.1234+?
all                                         ✓ 7  ✗ 2      1,305,076  $1,234.64+?
+?: the price of 3 model calls is not known

sweep_step_size: plots: no figure was drawn

next: aisci logs -f results/t/20261129_113636
"""


def test_a_status_at_80_columns_is_this_screen() -> None:
    lines = [line.plain for line in drawn_status(WORKING, NOW.timestamp(), 80)]
    assert "\n".join(lines) + "\n" == STATUS
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) < 24


def test_a_stage_that_is_left_out_is_marked_before_the_run_comes_to_it() -> None:
    going = replace(GOING, left_out=("review", "improve"))
    lines = [
        line.plain for line in drawn_status(replace(WORKING, ideas=(going,)), NOW.timestamp(), 100)
    ]
    (row,) = (line for line in lines if "▶" in line)
    assert row.partition("✓")[2].split()[:9] == ["▶", *"······", "-", "-"]


def test_a_cost_that_is_known_has_no_footnote() -> None:
    known = replace(WORKING, ideas=(DONE,))
    assert not any("+?" in line.plain for line in drawn_status(known, NOW.timestamp(), 80))


def test_the_stages_that_a_run_leaves_out_are_of_its_record(runs: Path) -> None:
    (each,) = json.loads(aisci(runs, "status", rig.UNFINISHED, "--json"))["each"]
    assert each["left_out"] == ["improve"]


def test_a_status_at_120_columns_names_how_containers_ended_and_draws_time() -> None:
    lines = [line.plain for line in drawn_status(WORKING, NOW.timestamp(), 120)]
    assert max(map(cell_len, lines)) <= 120
    text = "\n".join(lines)
    assert "✓ 4  ✗ 2 timed out" in text
    assert "running █··········· 34 s of 5 min" in text


def test_a_low_terminal_shows_ideas_at_work_first_and_counts_the_others() -> None:
    many = tuple([DONE] * 30 + [GOING])
    status = RunStatus(
        **{name: getattr(WORKING, name) for name in WORKING.__slots__} | {"ideas": many}
    )
    lines = [line.plain for line in drawn_status(status, NOW.timestamp(), 80, 23)]
    assert len(lines) <= 23
    assert lines[-1].startswith("next: aisci logs -f")
    assert lines[5].endswith("attempt 2")
    assert any(line.startswith("and 27 more: 30 ✗ 1 …") for line in lines)


@pytest.mark.parametrize(
    ("text", "width", "said"),
    [
        ("short", 10, "short"),
        ("abcdefghij", 5, "ab…ij"),
        ("漢字漢字漢字", 7, "漢…漢字"),
        ("abc", 1, "a"),
    ],
)
def test_a_name_is_shortened_in_its_middle_by_the_room_it_takes(
    text: str, width: int, said: str
) -> None:
    assert cut_middle(text, width) == said
    assert cell_len(said) <= width


# --- as commands --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rig.results_of_each_state(tmp_path_factory.mktemp("standing"))


def aisci(runs: Path, *words: str) -> str:
    result = CliRunner().invoke(cli.app, [*words, "--results", str(runs.parent)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_a_record_says_acts_on_no_terminal(runs: Path) -> None:
    for words in (
        ("list",),
        ("status", rig.HOSTILE),
        ("logs", rig.HOSTILE, "--output"),
        ("list", "--json"),
        ("status", rig.HOSTILE, "--json"),
    ):
        said = aisci(runs, *words)
        assert "evil" in said
        assert "\x1b" not in said
        assert "\u202e" not in said


def test_json_has_one_object_a_run_and_stable_keys(runs: Path) -> None:
    rows = [json.loads(line) for line in aisci(runs, "list", "--json").splitlines()]
    assert len(rows) == 7
    keys = {"id", "folder", "state", "began", "template", "scale", "policy", "model", "ideas"}
    keys |= {"tokens", "usd", "unpriced", "where", "fault", "next"}
    assert all(set(row) == keys for row in rows)
    status = json.loads(aisci(runs, "status", rig.UNFINISHED, "--json"))
    assert set(status) == keys | {"changed", "worked", "limit", "ends", "shared", "each"}
    assert status["each"][0]["marks"]["plots"] == "begun"
    assert status["shared"][0]["containers"] == {"finished": 1}
    compared = json.loads(aisci(runs, "compare", rig.FINISHED, rig.STOPPED, "--json"))
    assert set(compared) == {"first", "second", "pins", "metrics", "headlines"}


def test_a_followed_run_that_has_ended_is_told_once(runs: Path) -> None:
    assert aisci(runs, "status", rig.FINISHED, "--follow") == aisci(runs, "status", rig.FINISHED)
    assert aisci(runs, "logs", "-f", rig.STOPPED) == aisci(runs, "logs", rig.STOPPED)


def test_logs_are_of_one_idea_and_have_what_containers_printed(runs: Path) -> None:
    idea = rig.idea_journal(runs / rig.FINISHED).parent.name
    own = aisci(runs, "logs", rig.FINISHED, idea)
    assert "run/baseline" not in own
    assert own.count("stage ") == 10
    whole = aisci(runs, "logs", rig.FINISHED)
    assert set(own.splitlines()) < set(whole.splitlines())


def test_open_prints_the_page_and_starts_no_browser(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    page = runs / rig.FINISHED / "report.html"
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert aisci(runs, "open", rig.FINISHED).strip() == str(page)
    monkeypatch.setenv("DISPLAY", ":0")
    assert aisci(runs, "open", rig.FINISHED, "--print").strip() == str(page)
    assert opened == []
    aisci(runs, "open", rig.FINISHED)
    assert opened == [page.as_uri()]


def test_open_writes_the_page_of_a_run_that_did_not_end_unless_a_process_is_at_work(
    runs: Path, tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(runs / rig.UNFINISHED, tmp_path / "quick" / rig.UNFINISHED))
    page = mine / "report.html"
    page.unlink(missing_ok=True)
    with rig.held(mine):
        result = CliRunner().invoke(cli.app, ["open", "latest", "--results", str(tmp_path)])
    assert (result.exit_code, page.exists()) == (2, False)
    assert aisci(mine.parent, "open", "latest", "--print").strip() == str(page)
    assert page.is_file()


def test_logs_without_a_name_are_of_the_newest_run(runs: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(runs / rig.FINISHED, tmp_path / "quick" / rig.FINISHED))
    assert aisci(mine.parent, "logs") == aisci(mine.parent, "logs", rig.FINISHED)


def test_a_comparison_names_both_runs_above_their_numbers(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_comparison(rig.FINISHED, rig.UNFINISHED, runs.parent, as_json=False)
    said = capsys.readouterr().out
    assert "the same model, policy, template, prompts and images" in said
    assert said.count(f"quick/{rig.FINISHED}") >= 4
    assert "final_loss_mean" in said
    assert "±" in said
    assert "equal" in said


@pytest.mark.program
@pytest.mark.parametrize("closed", [False, True])
def test_an_output_without_unicode_or_without_a_reader_is_no_crash(
    runs: Path, *, closed: bool
) -> None:
    argv = [sys.executable, str(ROOT / "cli.py"), "list", "--results", str(runs.parent)]
    command = f"{shlex.join(argv)} >&-" if closed else shlex.join(argv)
    done = subprocess.run(
        ["sh", "-c", command],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert closed or b"1 \\u2713" in done.stdout
