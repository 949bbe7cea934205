"""The command: quick help, one-screen errors, exit codes, and progress that text cannot bend."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer

import cli
from orchestrator.api import find_run as runs
from orchestrator.api.locking import only_writer, resumable
from orchestrator.api.run_state import RunState, money
from orchestrator.console import errors
from orchestrator.console import output as out
from orchestrator.console.live import container_counts, elapsed, ending
from orchestrator.console.log_lines import LogLines
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import AisciError, BudgetSpent, Interrupted, UnknownName, UserError
from orchestrator.record.events import Answered, Asked, Event, Recalled
from orchestrator.record.heard import Sampled
from tests.support.places import ROOT
from tests.support.report_rig import Recorded, finished

SCREEN = 24  # lines


def aisci(
    *words: str, cwd: Path = ROOT, seconds: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, in a process of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **more},
        timeout=seconds,
    )


@pytest.mark.program
def test_a_crash_of_the_command_would_write_no_core_file() -> None:
    """And would start no handler behind a pipe, which a limit of 0 does not prevent: core(5)."""
    program = (
        "import resource, sys, cli\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard == -1 else min(hard, 4096), hard))\n"
        "sys.argv = ['aisci', 'policy', 'show', 'base']\n"
        "try: cli.main()\n"
        "except SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] in ("(1, 1)", "(0, 0)")


@pytest.mark.program
def test_a_proof_that_could_not_be_kept_is_refused_before_the_first_probe(tmp_path: Path) -> None:
    """Before an engine is asked, even."""
    (tmp_path / "taken").write_text("no folder")
    refused = aisci(
        "policy", "prove", "ci-cpu", "--results", "taken/results", cwd=tmp_path,
        DOCKER_HOST="unix:///nowhere.sock",
    )  # fmt: skip
    assert refused.returncode == 2
    assert "the proof could not be written" in refused.stderr
    assert f"where: {tmp_path}/taken" in refused.stderr
    assert "--results" in refused.stderr


# --- help and names -----------------------------------------------------------------------


@pytest.mark.program
def test_help_names_every_command_and_ends_well() -> None:
    done = aisci("--help")
    assert done.returncode == 0
    for name in [
        "run",
        "resume",
        "replay",
        "report",
        "reap",
        "doctor",
        "images",
        "policy",
        "template",
    ]:
        assert re.search(rf"^  {name}\b", done.stdout, re.MULTILINE)


@pytest.mark.program
def test_help_imports_nothing_heavy_so_that_it_answers_at_once() -> None:
    """What it costs is CPU time, which a busy machine changes little."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "cli.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    for heavy in ("rich", "pydantic", "docker", "litellm", "ruamel", "dulwich", "requests"):
        assert heavy not in imported
    assert min(_cpu_seconds("--help") for _ in range(5)) < 0.5


def _cpu_seconds(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = [sys.executable, str(ROOT / "cli.py"), *words]
    subprocess.run(argv, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.program
def test_the_version_is_said() -> None:
    assert re.fullmatch(r"aisci \d+\.\d+\.\d+\n", aisci("--version").stdout)


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def known_commands() -> dict[str, set[str]]:
    """Every command with its options, as the program itself has them."""
    root = typer.main.get_command(cli.app)
    found: dict[str, set[str]] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        found[" ".join(words)] = {opt for param in command.params for opt in param.opts}
        for name, below in getattr(command, "commands", {}).items():
            walk(below, (*words, name))

    walk(root, ())
    return found


def test_every_command_and_option_in_the_documents_exists() -> None:
    known = known_commands()
    written = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    named = re.findall(r"\baisci ((?:images |policy |template )?[a-z]+)\b([^`\n]*)", written)
    used = [
        (name, rest)
        for name, rest in named
        if name.split()[0] in {k.split()[0] for k in known if k}
    ]
    assert len(used) > 20
    for name, rest in used:
        command = name if name in known else name.split()[0]
        assert command in known, name
        options = known[command] | {"--help"}
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest):
            alternatives = set().union(*(v for k, v in known.items() if k.startswith(command)))
            assert option in options | alternatives, f"aisci {command} {option}"


def test_every_link_in_the_documents_leads_to_a_file() -> None:
    for path in (*DOCUMENTS, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.program
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), "Did you mean"),
        (("run", "grokking", "--ideas", "0"), "--ideas"),
        (("run", "groking", "--policy", "ci-cpu"), "grokking"),
        (("run", "./no/such/folder"), "no such template folder"),
        (("run", "grokking", "--policy", "ci-cup"), "ci-cpu"),
        (("run", "grokking", "--policy", "ci-cpu", "--scale", "tiny"), "smoke"),
        (("run", "grokking", "--policy", "ci-cpu", "--model", "nobody/none"), "nobody/none"),
        (("run", "grokking", "--policy", "ci-cpu", "--data", "./none"), "--data"),
        (("run", "grokking", "--policy", "ci-cpu", "--max-usd", "1000000"), "can only lower"),
        (("resume", "./none"), "no such folder"),
        (("resume", "latest", "--policy", "ci-cpu"), "--fork"),
        (("replay", "latest", "--results", "./none"), "there is no run yet"),
        (("report", "./none"), "no such folder"),
        (("policy", "show", "defualt"), "default"),
        (("policy", "check", "./none.yaml"), "./none.yaml"),
        (("template", "check", "grok"), "grokking"),
    ],
)
def test_a_wrong_request_is_one_screen_with_exit_code_two(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = aisci(*words, cwd=tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 2, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= SCREEN
    assert not list(tmp_path.iterdir()), "a wrong request left something behind"


@pytest.mark.program
def test_without_an_engine_the_ways_to_get_one_are_named(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    done = aisci(
        "run",
        "grokking",
        "--scale",
        "smoke",
        "--policy",
        "ci-cpu",
        cwd=tmp_path,
        DOCKER_HOST=nowhere,
    )
    assert done.returncode == 1
    assert "No Docker engine answers" in done.stderr
    assert "DOCKER_HOST" in done.stderr
    assert len(done.stderr.splitlines()) <= SCREEN
    assert not list(tmp_path.iterdir())


@pytest.mark.program
def test_an_error_asked_for_in_json_is_one_json_object(tmp_path: Path) -> None:
    done = aisci("report", "./none", "--json", cwd=tmp_path)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["type"] == "UnknownName"
    assert error["where"] == "./none"
    assert error["exit_code"] == 2


@pytest.mark.parametrize("terminal", [True, False])
def test_an_error_that_quotes_hostile_text_shows_it_and_is_not_bent(
    terminal: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = AisciError("it said \x1b]0;owned\x07 [red]x[/red]\u202e", where="\x1b[2J", todo="go on")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    errors.show_error(error, as_json=False)
    said = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07" in said
    assert "[red]x[/red]\\u202e" in said
    assert "\x1b]" not in said
    assert "\x1b[2J" not in said
    assert "go on" in said


# --- which run ----------------------------------------------------------------------------


def make_run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("")
    return folder


def test_latest_is_the_run_that_began_last_whatever_its_template(tmp_path: Path) -> None:
    make_run(tmp_path / "zeta" / "20250101_000000")
    newest = make_run(tmp_path / "alpha" / "20260101_000000")
    assert runs.find_run("latest", tmp_path).folder == newest


def test_an_ideas_folder_is_refused_with_the_runs_name(tmp_path: Path) -> None:
    run = make_run(tmp_path / "toy" / "20260101_000000")
    idea = make_run(run / "an_idea")
    with pytest.raises(UserError, match="one idea's folder") as raised:
        runs.find_run(str(idea), tmp_path)
    assert str(run) in raised.value.todo


def test_a_folder_without_a_journal_names_the_newest_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "toy" / "20260101_000000")
    with pytest.raises(UnknownName) as raised:
        runs.find_run(str(tmp_path), tmp_path)
    assert str(run) in raised.value.todo


# --- one writer, and stopping -------------------------------------------------------------


def test_a_second_process_on_one_run_is_refused(tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process"), only_writer(tmp_path):
            pytest.fail("two writers")
    finally:
        os.close(held)
    with only_writer(tmp_path):
        assert tmp_path.is_dir()


def test_a_spent_budget_is_gone_on_with_under_a_wider_one_and_no_other_way_is_offered(
    tmp_path: Path,
) -> None:
    with pytest.raises(BudgetSpent) as raised, resumable(tmp_path):
        Deadline.after(0, "run.wall").check("run/baseline")
    assert f"aisci resume {tmp_path} --fork --policy" in raised.value.todo
    assert raised.value.todo.count("aisci resume") == 1


def test_a_stop_signal_becomes_an_interrupt_that_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / runs.JOURNAL).touch()
    with pytest.raises(Interrupted) as raised, resumable(tmp_path):
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.exit_code == 130
    assert raised.value.todo == f"continue with: aisci resume {tmp_path}"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_run_that_is_stopped_before_its_first_line_is_to_be_started_again(tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as raised, resumable(tmp_path):
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.todo == "start it again: nothing was asked or spent"


# --- progress -----------------------------------------------------------------------------


def track_of(folder: Path, say: str = "plain words") -> tuple[RunState, list[Event], Recorded]:
    known = finished(folder, say)
    track = RunState(known.journal.load, iter(range(1000)).__next__)
    return track, [*known.run.events, *known.journal.events], known


def first_asked(events: list[Event]) -> Asked:
    """The first call of run 1."""
    asked = (event for event in events if isinstance(event, Asked))
    return next(event for event in asked if "run_1" in event.scope)


def test_progress_counts_what_the_journal_says(tmp_path: Path) -> None:
    track, events, known = track_of(tmp_path)
    for event in events:
        track.take(event)
    way = track.ways[known.idea.id]
    assert (way.tokens, way.verdicts["finished"]) == (240, 2)
    assert money(way) == "$0.5000"
    assert way.status == "finished"
    assert track.ways["run"].verdicts["finished"] == 1


def test_progress_knows_the_limit_of_what_is_under_way(tmp_path: Path) -> None:
    track, events, known = track_of(tmp_path)
    asked = first_asked(events)
    for event in events[: events.index(asked) + 1]:
        track.take(event)
    doing = track.ways[known.idea.id].doing[-1]
    assert (doing.what, doing.limit) == ("editing", 300.0)
    assert track.ways[known.idea.id].place == "run 1"


def test_what_a_container_says_of_its_progress_is_shown_with_an_end_in_sight(
    tmp_path: Path,
) -> None:
    track, events, known = track_of(tmp_path)
    asked = first_asked(events)
    for event in events[: events.index(asked) + 1]:
        track.take(event)
    scope = asked.scope
    track.take(Sampled(scope, None))
    assert track.ways[known.idea.id].doing[-1].share is None
    track.take(Sampled(scope, 0.25))
    track.take(Sampled(scope, None))
    assert track.ways[known.idea.id].doing[-1].share == 0.25
    assert ending(30.0, 90.0) == "25 %, about 90 s to go"


def test_a_call_whose_price_is_unknown_is_never_shown_as_free(tmp_path: Path) -> None:
    track, events, known = track_of(tmp_path)
    for event in events:
        if isinstance(event, Answered) and event.port == "model":
            event.body.inline["usage"]["usd"] = None
        track.take(event)
    assert money(track.ways[known.idea.id]) == "$0 + 2 unpriced"


def test_a_recalled_call_is_counted_apart() -> None:
    track = RunState(lambda body: body.inline, lambda: 0.0)
    track.take(Recalled(port="model", scope="idea/ab/plots/attempt_1", ord=0, request=""))
    assert track.ways["ab"].recalled == 1
    assert (track.ways["ab"].stage, track.ways["ab"].place) == ("plots", "")
    track.take(Recalled(port="model", scope="idea/ab/plots/attempt_2", ord=0, request=""))
    assert track.ways["ab"].place == "attempt 2"


def test_lines_say_only_what_this_process_saw_and_nothing_that_acts(tmp_path: Path) -> None:
    track, events, known = track_of(tmp_path, "evil \x1b[31m \u202e words")
    said = io.StringIO()
    listen = LogLines(track, known.journal.load, events[0].at, said)
    for event in events:
        listen(event)
    text = said.getvalue()
    assert "container finished after" in text
    assert "edit changed experiment.py" in text
    assert "ModelBusy" not in text, "our own errors say in words what happened"
    assert ": model: " in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    later = io.StringIO()
    quiet = LogLines(RunState(known.journal.load, lambda: 0.0), known.journal.load, "9999", later)
    for event in events:
        quiet(event)
    assert later.getvalue() == ""


def test_elapsed_time_is_drawn_against_its_limit() -> None:
    assert elapsed(3.2, 0) == "3 s"
    assert elapsed(150, 300) == "██████······ 150 s of 5 min"
    assert elapsed(2, 7200, bar=False) == "2 s of 2 h"
    assert elapsed(900, 300).startswith("████████████ ")


def test_containers_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    track, _, _ = track_of(tmp_path)
    way = track.ways["run"]
    way.verdicts.update({"finished": 3, "timed out": 1})
    assert container_counts(way.verdicts) == "✓ 3  ✗ 1 timed out"


def test_json_answers_are_ascii_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    out.as_json({"said": "\x1b[31m\u202e\nnew"})
    said = capsys.readouterr().out
    assert said.isascii()
    assert said.count("\n") == 1
    assert json.loads(said)["said"] == "\x1b[31m\u202e\nnew"


# --- what people write --------------------------------------------------------------------


@pytest.mark.program
def test_the_effective_policy_that_is_shown_loads_again() -> None:
    done = aisci("policy", "show", "ci-cpu", "--effective")
    assert done.returncode == 0
    assert "# effective policy ci-cpu" in done.stdout
    assert "wall: 5m" in done.stdout


@pytest.mark.program
def test_policy_check_points_at_the_line_and_ends_with_two(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\nname: p\ndescription: d\nextends: base\nexperimnt: {}\n"
    )
    done = aisci("policy", "check", "./p.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 2
    finding = json.loads(done.stdout)["findings"][0]
    assert "p.yaml:5:1" in finding["where"]
    assert "experiment" in finding["todo"]


@pytest.mark.program
def test_the_shipped_template_is_listed_and_keeps_its_contract() -> None:
    assert "grokking" in aisci("template", "list").stdout
    assert aisci("template", "check", "grokking").returncode == 0


# --- a real run ---------------------------------------------------------------------------


def begun(results: Path, log: Path) -> subprocess.Popen[bytes]:
    """A real run in a process of its own, one JSON object a line in ``log``."""
    with log.open("wb") as file:
        return subprocess.Popen(
            [
                *(sys.executable, str(ROOT / "cli.py"), "run", str(ROOT / "tests/data/quick")),
                *("--scale", "smoke", "--policy", "ci-cpu", "--results", str(results), "--json"),
            ],
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def wait_for(log: Path, word: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while word not in log.read_text("utf-8"):
        assert time.monotonic() < end, log.read_text("utf-8")[-2000:]
        time.sleep(0.2)


@pytest.mark.engine
@pytest.mark.campaign
def test_a_run_that_is_stopped_goes_on_and_is_made_again_without_an_engine(tmp_path: Path) -> None:
    results, log = tmp_path / "results", tmp_path / "log"
    process = begun(results, log)
    wait_for(log, "experiments/run_2/attempt_1", 300)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    stopped = json.loads(log.read_text("utf-8").splitlines()[-1])["error"]
    assert stopped["type"] == "Interrupted"
    assert "aisci resume" in stopped["todo"]
    assert left_by(results) == ""

    resumed = aisci("resume", "latest", "--results", str(results), "--json", seconds=600)
    assert resumed.returncode == 0, resumed.stdout[-2000:] + resumed.stderr
    told = [json.loads(line) for line in resumed.stdout.splitlines()]
    recalled = {e["event"]["scope"] for e in told if e.get("event", {}).get("kind") == "recalled"}
    assert any(scope.endswith("experiments/run_1/attempt_1") for scope in recalled)
    ended = told[-1]["outcome"]["ideas"][0]
    assert ended["status"] == "finished"
    assert Path(ended["paper"]).read_bytes().startswith(b"%PDF")
    assert left_by(results) == ""

    nowhere = f"unix://{tmp_path}/none.sock"
    again = aisci("replay", "latest", "--results", str(results), "--json", DOCKER_HOST=nowhere)
    answer = json.loads(again.stdout)["replayed"]
    assert (answer["different"], again.returncode) == ([], 0)
    assert answer["same"] > 20


def left_by(results: Path) -> str:
    """Containers and volumes of the newest run, as the engine itself lists them."""
    folder = runs.find_run("latest", results).folder
    label = f"label=aisci.run={folder.parent.name}-{folder.name}"
    asked = (("ps", "-aq"), ("volume", "ls", "-q"))
    return "".join(
        subprocess.run(
            ["docker", *words, "--filter", label], capture_output=True, text=True, check=True
        ).stdout
        for words in asked
    )


def test_each_command_is_in_one_part_of_the_help() -> None:
    names = [one.name for one in cli.app.registered_commands]
    names += [one.name for one in cli.app.registered_groups]
    listed = [name for part in cli.HELP_PARTS.values() for name in part]
    assert sorted(listed) == sorted(str(name) for name in names)
