"""The main job, as a person starts it: a shipped template ends as a paper that holds.

One real run of ``make demo``'s command serves every test here, on its template or on a quicker one
by the commit; a folder in the AI Scientist's format, with no manifest, takes the same way in another.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import open_journal
from orchestrator.core.files import shipped_root
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Answered, Noted
from orchestrator.record.notes import read_note
from orchestrator.record.paper_notes import ClaimsVerified
from orchestrator.record.paths import IdeaPaths
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import compare_untrained, parse_final_info
from orchestrator.template.template import load_template
from tests.research.test_kill import journals, nothing_left
from tests.support.places import ROOT
from tests.support.sample import some

pytestmark = [pytest.mark.engine, pytest.mark.sampled]

TEMPLATES = ("grokking", "seir")

SECTIONS = ("Introduction", "Related Work", "Background", "Method", "Experimental Setup", "Results")


@dataclass(frozen=True)
class Ran:
    """A run's template, its folder, its one idea's folder, and what the command said."""

    template: str
    folder: Path
    idea: Path
    said: str


def aisci(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own, from another folder than the checkout."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "aisci"), *words],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )


def ran(base: Path, template: str, *words: str) -> Ran:
    done = aisci(
        "run", template, "--ideas", "1", "--policy", "ci-cpu", "--results", str(base), *words
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = next(base.glob("*/*/journal.jsonl")).parent
    return Ran(
        template, folder, next(path.parent for path in folder.glob("*/notes.txt")), done.stdout
    )


@pytest.fixture(scope="module", params=some(TEMPLATES, 1, "demo"))
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    base = tmp_path_factory.mktemp("demo")
    return ran(base, request.param, "--model", "builtin/sweep", "--scale", "smoke")


def compiled(run: Ran, name: str) -> Any:
    """A JSON file that the last LaTeX container left."""
    journal = open_journal(IdeaPaths(run.idea))
    last = [
        event
        for event in journal.events
        if isinstance(event, Answered) and "/compile/" in event.scope and event.port == "sandbox"
    ][-1]
    files = dict(journal.load(last.body)["files"]["files"])
    return json.loads(journal.blobs.get(files[f"latex/out/{name}"]))


def pages(run: Ran) -> str:
    """The PDF's text, as the LaTeX container read it."""
    return "\n".join(compiled(run, "pages.json"))


def test_the_paper_has_title_abstract_sections_a_figure_a_table_and_references(demo: Ran) -> None:
    text = pages(demo)
    for words in ("A sweep of", "Abstract", *SECTIONS, "Figure 1", "Table 1", "References"):
        assert words in text, words
    name = demo.idea.name.rpartition("_")[0]
    assert (demo.idea / f"{name}.pdf").read_bytes().startswith(b"%PDF-")


def test_the_page_says_which_author_wrote_it(demo: Ran) -> None:
    assert "builtin/sweep" in pages(demo).split("Abstract")[0]


def test_nothing_is_undefined_and_no_line_stands_out(demo: Ran) -> None:
    report = compiled(demo, "report.json")
    assert "??" not in pages(demo)
    assert report["undefined"] == []
    assert report["errors"] == []
    assert all(points <= 20 for points, _ in report["overfull"])


def test_every_number_of_the_paper_has_a_source(demo: Ran) -> None:
    blobs = BlobStore(demo.idea / "blobs")
    claims = [
        note
        for event in journals(demo.idea)
        if isinstance(event, Noted)
        if isinstance(note := read_note(event.body.read(blobs)), ClaimsVerified)
    ]
    assert claims[-1].claims > 10


def test_the_layout_is_the_one_that_users_know(demo: Ran) -> None:
    for name in ("run_0", "run_1", "run_1.py", "notes.txt", "latex/template.tex", "review.txt"):
        assert (demo.idea / name).exists(), name
    for name in ("journal.jsonl", "blobs", "evidence", "report.html", "history.git"):
        assert (demo.idea / name).exists(), name
    assert (demo.folder / "ideas.json").exists()


def test_the_baseline_beats_the_untrained_model_by_the_stated_margin(demo: Ran) -> None:
    manifest: Manifest = load_template(demo.template, shipped_root()).manifest
    found = parse_final_info((demo.idea / "run_0/final_info.json").read_bytes())
    beats = compare_untrained(manifest, "smoke", found)
    assert beats
    assert all(beat.held for beat in beats), beats


def test_every_container_has_its_evidence_and_kept_its_policy(demo: Ran) -> None:
    ended = [
        event
        for event in journals(demo.folder / demo.idea.name)
        if isinstance(event, Answered) and event.port in {"sandbox", "editor"}
    ]
    files = sorted((demo.idea / "evidence").glob("*.json"))
    assert len(files) == len(ended) > 6
    for path in files:
        evidence = json.loads(path.read_text())["predicate"]
        asked, inspected = dict(evidence["asked"]), dict(evidence["inspected"])
        assert asked
        assert asked.items() <= inspected.items(), path.name
        assert dict(evidence["seen"])["NoNewPrivs"] == "1"
        assert re.fullmatch(r"0+", dict(evidence["seen"])["CapEff"])


def test_the_git_history_holds_every_edit(demo: Ran) -> None:
    log = subprocess.run(
        ["git", "-C", str(demo.idea / "history.git"), "log", "--format=%s"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "experiment.edit" in log
    assert "notes.edit" in log


def test_replay_with_no_engine_network_or_key_gives_the_same_bytes(demo: Ran) -> None:
    done = subprocess.run(
        ["unshare", "-n", str(Path(sys.executable).parent / "aisci"), "replay", str(demo.folder)],
        env=os.environ | {"DOCKER_HOST": "unix:///nowhere.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same byte for byte" in done.stdout


def test_nothing_is_left_on_the_machine(demo: Ran) -> None:
    nothing_left(demo.folder, alone=False)


def test_a_folder_with_no_manifest_and_pickles_of_its_own_runs_unchanged(tmp_path: Path) -> None:
    plain = ran(tmp_path, str(ROOT / "tests/data/plain_template"), "--scale", "full")
    assert "replicate" in plain.idea.name
    assert list(plain.idea.glob("*.pdf"))
    pickles = [path for path in plain.idea.rglob("run_0/*") if path.suffix in {".pkl", ".npz"}]
    assert pickles, "files of unknown kinds come home as they are, for the template's own plot.py"
