"""``aisci template adopt``: a draft that loads, from the files alone, which overwrites nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestrator.api.template_adopt import adopt_template
from orchestrator.console import template_adopt as screen
from orchestrator.core.errors import AisciError, BadTemplate, UserError
from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support.places import DATA

EXPERIMENT = """\
import argparse, json, os, pickle
import numpy as np
import pandas as pd

raise SystemExit("this must not be run")
open("RAN", "w").close()
BATCH_SIZE = 64
learning_rate = 1e-3
num_seeds = {"a": 3}
data_dir = os.path.join("../../../data", "enwik8")
model = Net().cuda()
pickle.dump({}, open("run_0/all.pkl", "wb"))
"""
FINAL = {
    "a": {"means": {"loss: mean": 1.0, "train_time": 3.0}, "final_info_dict": {"loss": [1.0]}},
    "b": {"means": {"loss: mean": 2.0}},
}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder in the AI Scientist's format, with a run, and habits of such folders."""
    folder = tmp_path / "their folder"
    shutil.copytree(DATA / "plain_template", folder)
    (folder / "experiment.py").write_text(EXPERIMENT)
    (folder / "run_0").mkdir()
    (folder / "run_0/final_info.json").write_text(json.dumps(FINAL))
    return folder


def test_a_draft_loads_and_says_what_the_files_show(theirs: Path) -> None:
    adopted = adopt_template(theirs)
    template = load_template(f"{theirs}/", shipped_root())
    manifest = template.manifest
    assert not template.inferred
    assert template.hash == adopted.template.hash
    assert manifest.name == "their_folder"
    assert manifest.editable == ("experiment.py", "plot.py", "notes.txt", "latex/template.tex")
    assert manifest.fixed == ("prompt.json", "seed_ideas.json")
    assert {name: (one.direction, one.repeatable) for name, one in manifest.metrics.items()} == {
        "loss: mean": ("none", True),
        "train_time": ("none", False),
    }
    assert manifest.packages == ("matplotlib", "numpy", "pandas")
    assert manifest.lock == "packages.txt"
    assert manifest.scales["full"].minutes is None
    assert (manifest.gpu, manifest.opaque_files) == ("required", True)
    assert not (theirs / "RAN").exists()


def test_its_comments_become_knobs_when_they_are_uncommented(theirs: Path) -> None:
    adopt_template(theirs)
    path = theirs / "template.yaml"
    lines = path.read_text().splitlines()
    start = lines.index("# knobs:")
    found = [line.removeprefix("# ") for line in lines[start : start + 7]]
    path.write_text("\n".join([*lines[:start], *found, *lines[start + 7 :], ""]))
    knob = load_template(f"{theirs}/", shipped_root()).manifest.knobs["batch_size"]
    assert (knob.constant, knob.default, knob.values) == ("BATCH_SIZE", 64, (32, 64, 128))


def test_what_is_left_to_do_is_said_with_the_next_command(
    theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (theirs / "plot.py").unlink()
    screen.adopt(theirs, theirs.parent / "mine", as_json=False)
    said = capsys.readouterr().out
    mine = theirs.parent / "mine"
    for words in (
        "2, each with `direction: none`",
        "BATCH_SIZE; 1 other number could become one",
        "num_seeds = {'a': 3} (experiment.py:9)",
        "the image lacks pandas",
        "plot.py: the file is missing",
        "packages.txt is not in the folder",
        "CUDA is wired in at experiment.py:11",
        "'../../../data/enwik8' is not in the folder",
        f"aisci template check {mine}",
        f"aisci images build {mine}",
    ):
        assert words in said
    assert len(said.splitlines()) < 40


def test_a_copy_holds_the_files_and_the_draft_and_leaves_the_folder_alone(theirs: Path) -> None:
    before = sorted(theirs.rglob("*"))
    mine = adopt_template(theirs, theirs.parent / "mine").template
    assert sorted(theirs.rglob("*")) == before
    assert mine.name == "mine"
    copied = load_template(f"{theirs.parent}/mine/", shipped_root())
    assert copied.hash == mine.hash
    assert copied.text("experiment.py") == EXPERIMENT


def test_nothing_is_written_over(theirs: Path) -> None:
    adopt_template(theirs)
    written = (theirs / "template.yaml").read_bytes()
    with pytest.raises(UserError, match="has a manifest already"):
        adopt_template(theirs)
    assert (theirs / "template.yaml").read_bytes() == written
    (theirs / "template.yaml").unlink()
    (theirs.parent / "there").mkdir()
    with pytest.raises(UserError, match="something is there already"):
        adopt_template(theirs, theirs.parent / "there")
    (theirs / "template.yaml").symlink_to("/nowhere")
    with pytest.raises(UserError, match="has a manifest already"):
        adopt_template(theirs)


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        adopt_template(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"has no experiment\.py"):
        adopt_template(tmp_path)
    (tmp_path / "experiment.py").write_text("")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(BadTemplate):
        adopt_template(tmp_path)


@pytest.mark.parametrize(
    ("final", "why"),
    [
        (None, "there is no"),
        ("{}", "cannot be used"),
        ('{"a": {"means": {"x": NaN}}}', "no finite number"),
    ],
)
def test_numbers_that_cannot_be_read_leave_the_metrics_out_with_the_reason(
    theirs: Path, final: str | None, why: str
) -> None:
    path = theirs / "run_0/final_info.json"
    path.unlink()
    if final is not None:
        path.write_text(final)
    adopted = adopt_template(theirs)
    assert adopted.template.manifest.metrics == {}
    assert why in adopted.why_no_metrics


def test_hostile_names_stay_text_in_the_draft(theirs: Path) -> None:
    code = 'SEED = "x\\n  evil: 1"\nnum_seeds = "\\u2028\\x1b[2J"\nopen("data/a\\nb.csv")\n'
    (theirs / "experiment.py").write_text(code)
    final = {"a": {"means": {'x": {evil: 1}\u00e9\U0001f600 # y': 1.0}}}
    (theirs / "run_0/final_info.json").write_text(json.dumps(final))
    (theirs / "a, b].csv").write_text("")
    manifest = adopt_template(theirs).template.manifest
    assert list(manifest.metrics) == ['x": {evil: 1}\u00e9\U0001f600 # y']
    assert "a, b].csv" not in manifest.fixed
    assert "\x1b" not in (theirs / "template.yaml").read_text()


def test_the_facts_are_one_json_object(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    screen.adopt(theirs, None, as_json=True)
    facts = json.loads(capsys.readouterr().out)["adopted"]
    assert facts["manifest"] == str(theirs / "template.yaml")
    assert [one["module"] for one in facts["image_lacks"]] == ["pandas"]
    assert {one["kind"] for one in facts["seen"]} == {"cuda", "path", "seed"}


def test_each_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AisciError) as caught:
        adopt_template(tmp_path)
    assert caught.value.todo
