"""What people get wrong, as they meet it: one screen, the right exit code, nothing half-written."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.core.tree import canonical
from orchestrator.record.events import GENESIS, JOURNAL_SCHEMA
from orchestrator.record.journal import Mode
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig as rig
from tests.support.places import ROOT
from tests.support.sample import some
from tests.support.warm import warm_aisci as aisci

SCREEN = 24  # lines
WIDTH = 80


def refused(
    done: subprocess.CompletedProcess[str], code: int, *said: str
) -> subprocess.CompletedProcess[str]:
    """The answer is one screen that says what, where or why, and what to do."""
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert sum(1 + len(line) // WIDTH for line in lines) <= SCREEN, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert lines[0].startswith("aisci: ")
    assert any(line.startswith(("  where:", "  why:")) for line in lines), done.stderr
    assert any(line.startswith("  do:") for line in lines), done.stderr
    for text in said:
        assert text in done.stderr, done.stderr
    return done


def begin(cwd: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """``aisci run`` of the quick template, with no engine unless ``more`` says otherwise."""
    nowhere = {"DOCKER_HOST": f"unix://{cwd}/none.sock"}
    options = ("--scale", "smoke", "--policy", rig.POLICY, "--results", str(cwd / "results"))
    return aisci("run", rig.QUICK, *options, *words, cwd=cwd, seconds=120, **(nowhere | more))


def untouched(folder: Path) -> None:
    assert not (folder / "results").exists()


# --- the request --------------------------------------------------------------------------


@pytest.mark.program
def test_no_engine(tmp_path: Path) -> None:
    refused(begin(tmp_path), 1, "No Docker engine answers", "DOCKER_HOST")
    untouched(tmp_path)


@pytest.mark.program
def test_a_template_with_a_missing_file_is_named_with_the_file(tmp_path: Path) -> None:
    shutil.copytree(rig.QUICK, tmp_path / "mine")
    (tmp_path / "mine" / "plot.py").unlink()
    done = aisci("run", "./mine", "--scale", "smoke", "--policy", rig.POLICY, cwd=tmp_path)
    refused(done, 2, "plot.py")
    untouched(tmp_path)


@pytest.mark.program
def test_an_unknown_policy_key_is_named_with_line_and_nearest_key(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "version: 1\nname: mine\ndescription: d\nextends: base\nexperimnt: {}\n"
    )
    done = aisci("run", rig.QUICK, "--scale", "smoke", "--policy", "./mine.yaml", cwd=tmp_path)
    refused(done, 2, "mine.yaml:5:1", "experiment")
    untouched(tmp_path)


@pytest.mark.program
def test_an_unknown_model_is_named_with_the_form_of_a_name(tmp_path: Path) -> None:
    refused(begin(tmp_path, "--model", "nobody/none"), 2, "nobody/none", "VENDOR/MODEL")
    untouched(tmp_path)


@pytest.mark.program
def test_a_model_without_its_key_names_the_variable(tmp_path: Path) -> None:
    model = ("--model", "anthropic/claude-sonnet-4-5")
    done = begin(tmp_path, *model, ANTHROPIC_API_KEY="", ANTHROPIC_AUTH_TOKEN="")
    refused(done, 2, "ANTHROPIC_API_KEY")
    untouched(tmp_path)


@pytest.mark.program
def test_a_model_of_unknown_price_is_asked_for_before_anything_is_spent(tmp_path: Path) -> None:
    own = {"OPENAI_API_BASE": "http://127.0.0.1:9/v1"}
    done = begin(tmp_path, "--model", "openai/my-own", **own)
    refused(done, 2, "openai/my-own", "--price IN,OUT", "0,0")
    untouched(tmp_path)
    priced = begin(tmp_path, "--model", "openai/my-own", "--price", "0,0", **own)
    refused(priced, 1, "nothing answers at the server")
    untouched(tmp_path)


@pytest.mark.program
@pytest.mark.parametrize("price", ["3", "3,4,5", "a,b", "-1,2", "nan,0", "inf,0", ","])
def test_a_price_that_is_none_is_refused(price: str, tmp_path: Path) -> None:
    own = {"OPENAI_API_BASE": "http://127.0.0.1:9/v1"}
    refused(begin(tmp_path, "--model", "openai/my-own", f"--price={price}", **own), 2, "--price")
    untouched(tmp_path)


@pytest.mark.program
def test_a_budget_that_is_no_number_is_refused(tmp_path: Path) -> None:
    done = begin(tmp_path, "--max-usd", "nan")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    untouched(tmp_path)


# --- the machine --------------------------------------------------------------------------


@pytest.mark.engine
@pytest.mark.parametrize("state", ["missing", "stale"])
def test_an_image_missing_or_stale_is_named_with_what_mends_it(state: str, tmp_path: Path) -> None:
    """The real engine; the program carries another recipe, or is told of no image."""
    change = {
        "missing": "images.find_image = lambda engine, name: None",
        "stale": "images.recipe_hash = lambda recipe, root: 'f' * 64",
    }[state]
    code = (
        "import sys\n"
        "from orchestrator.sandbox.images import images\n"
        f"{change}\n"
        "import cli\n"
        f"sys.argv = ['aisci', 'run', {rig.QUICK!r}, '--scale', 'smoke', '--policy', "
        f"{rig.POLICY!r}, '--results', {str(tmp_path / 'results')!r}]\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = "is not built" if state == "missing" else "another recipe"
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stderr
    assert "aisci images build" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= SCREEN
    untouched(tmp_path)


# --- the disk -----------------------------------------------------------------------------


def on_a_disk_of(size: str, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """``command`` with a small file system at ``folder``, mounted where only it can see it."""
    return subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c"),
            f'mount -t tmpfs -o size={size} tmpfs {folder} && "$@"',
            *("sh", *command),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")


@pytest.mark.program
@needs_root
def test_a_disk_too_small_for_the_policy_is_said_before_anything_starts(tmp_path: Path) -> None:
    command = (sys.executable, "cli.py", "run", rig.QUICK, "--scale", "smoke")
    options = ("--policy", rig.POLICY, "--results", str(tmp_path))
    refused(on_a_disk_of("64k", tmp_path, *command, *options), 2, "storage.workspace")


@pytest.mark.program
@pytest.mark.sampled
@needs_root
def test_a_run_whose_disk_fills_up_says_so_and_leaves_every_line_whole(tmp_path: Path) -> None:
    """On scripted edges; each size fills at another place; four by the commit."""
    sizes = some((8, 24, 40, 48, 56, 64, 80, 96, 112, 128), 4, "disk")
    code = """
import json, shutil, sys
from pathlib import Path
from orchestrator.core.errors import DiskFull
from orchestrator.record.blobs import BlobStore
from orchestrator.research.sweep import SweepModel
from orchestrator.record.journal import Journal, Mode
from tests.support import run_rig as rig

place = Path(sys.argv[1])
filler, run = place / "filler", place / "run"
for free in json.loads(sys.argv[2]):
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    free_now = shutil.disk_usage(place).free
    filler.write_bytes(bytes(free_now - free * 1024))
    made = rig.setup(Path("/tmp"))
    tools = rig.RunDeps(
        edges=rig.scripted_edges(SweepModel()),
        exporter=rig.FileExporter(),
        listener=lambda _: None,
    )
    try:
        rig.research(made, rig.place(run, Mode.RECORD), tools)
        raise SystemExit("the disk was large enough")
    except DiskFull as full:
        assert "resume" in full.todo
    for path in run.rglob("journal.jsonl"):
        whole = path.read_bytes()
        assert whole == b"" or whole.endswith(b"\\n"), path
        Journal(path, BlobStore(path.parent / "blobs", BlobStore(run / "blobs")), Mode.REPLAY)
    assert not list(run.rglob(".new-*"))
    filler.unlink()
    (outcome,) = rig.research(made, rig.place(run, Mode.RESUME), tools)
    assert outcome.status == "finished", outcome.failure
print("held")
"""
    done = on_a_disk_of(
        "8m", tmp_path, sys.executable, "-c", code, str(tmp_path), json.dumps(sizes)
    )
    assert done.stdout == "held\n", done.stdout + done.stderr


# --- the journal --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "quick" / "20260101_000000"
    rig.run_scripted(folder, SweepModel(), Mode.RECORD)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run's folder that a test may damage."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def same_but(run: Path, before: dict[Path, bytes], *changed: str) -> None:
    now = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert {path for path in now | before if now.get(path) != before.get(path)} == {
        run / name for name in changed
    }


def snapshot(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.program
@pytest.mark.parametrize(
    ("command", "damage"),
    [
        *itertools.product(
            ("resume", "replay", "report"), ("changed", "foreign", "version", "empty")
        ),
        ("replay", "last"),
        ("report", "last"),
    ],
)
def test_a_journal_that_does_not_hold_is_refused_with_its_line(
    command: str, damage: str, run: Path, tmp_path: Path
) -> None:
    path = run / "journal.jsonl"
    raws = path.read_bytes().splitlines(keepends=True)
    first = {
        "n": 0,
        "prev": GENESIS,
        "at": "now",
        "kind": "run_started",
        "schema": JOURNAL_SCHEMA + 1,
    }
    where = f"{path}:3"
    if damage == "changed":
        raws[1] = raws[1].replace(b'"at":"20', b'"at":"21', 1)
    elif damage == "foreign":
        raws[2] = b"not a journal's line\n"
    elif damage == "version":
        raws, where = [canonical(first) + b"\n"], f"{path}:1"
    elif damage == "empty":
        raws, where = [], str(path)
    else:
        line = json.loads(raws[-1])
        raws[-1] = canonical({key: line[key] for key in ("n", "prev")}) + b"\n"
        where = f"{path}:{len(raws)}"
    path.write_bytes(b"".join(raws))
    before = snapshot(run)
    refused(aisci(command, str(run), cwd=tmp_path), 1, where)
    same_but(run, before)


@pytest.mark.program
def test_a_torn_last_line_is_refused_by_replay_and_set_aside_by_resume(
    run: Path, tmp_path: Path
) -> None:
    path = run / "journal.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at":"2026')
    before = snapshot(run)
    refused(aisci("replay", str(run), cwd=tmp_path), 1, "torn", "aisci resume")
    same_but(run, before)
    nowhere = f"unix://{tmp_path}/none.sock"
    done = aisci("resume", str(run), cwd=tmp_path, DOCKER_HOST=nowhere)
    assert "set aside" in done.stdout
    assert done.returncode == 1
    same_but(run, before, "journal.jsonl", "journal.torn")
