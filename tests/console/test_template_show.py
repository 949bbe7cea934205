"""`aisci template show` and `list DIR`, `new` in its three ways: what a person sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestrator.console import output as out
from orchestrator.console.options import View
from orchestrator.console.template import print_check
from orchestrator.console.template_list import list_templates
from orchestrator.console.template_new import new_template
from orchestrator.console.template_show import show_template
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.template.contract import rule_results
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template
from tests.support.places import DATA


@pytest.mark.parametrize("name", shipped_templates(shipped_root()))
def test_a_template_is_shown_on_one_screen_of_80_by_24(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", lambda: 80)
    show_template(name, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    heads = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert heads == [
        *("template", "question", "about", "data", "knobs", "metrics", "scales", "packages"),
        *("GPU", "next"),
    ]
    manifest = load_template(name, shipped_root()).manifest
    said = " ".join(lines)
    said = " ".join(said.split())
    assert all(f"{knob}:" in said for knob in manifest.knobs)
    assert all(f"{scale}: " in said for scale in manifest.scales)


def test_as_json_it_is_the_whole_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    show_template("seir", as_json=True)
    shown = json.loads(capsys.readouterr().out)["template"]
    assert shown["knobs"]["transmission"]["constant"]
    assert (shown["argument"], shown["inferred"], shown["gpu"]) == ("seir", False, "none")
    assert "experiment.py" in shown["files"]


def test_a_folder_of_ones_own_is_listed_with_what_is_wrong_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DATA / "quick", tmp_path / "good")
    shutil.copytree(DATA / "plain_template", tmp_path / "plain")
    shutil.copytree(DATA / "quick", tmp_path / "bad")
    (tmp_path / "bad/template.yaml").write_text("version: 1\n")
    (tmp_path / "other").mkdir()
    list_templates(tmp_path, as_json=False)
    said = capsys.readouterr().out
    assert "good: Least squares by gradient descent" in said
    assert "plain: " in said
    assert "bad: cannot be read:" in said
    assert "other" not in said
    list_templates(tmp_path, as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(row["argument"]).name for row in rows] == ["bad", "good", "plain"]
    list_templates(tmp_path / "good", as_json=True)
    assert json.loads(capsys.readouterr().out)["name"] == "quick"


def test_a_folder_without_a_template_says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no template is in this folder") as error:
        list_templates(tmp_path, as_json=False)
    assert "--script" in error.value.todo
    with pytest.raises(UnknownName):
        list_templates(tmp_path / "away", as_json=False)


def broken(folder: Path) -> dict[str, int]:
    template = load_template(f"{folder}/", shipped_root())
    return {rule.name: len(rule.findings) for rule in rule_results(template) if rule.findings}


def test_a_blank_breaks_nothing_but_its_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_template(tmp_path / "mine")
    said = capsys.readouterr().out
    assert "a small experiment that runs" in said
    assert "template check" in said
    assert list(broken(tmp_path / "mine")) == ["blank"]
    assert (tmp_path / "mine/library.json").read_text() == "[]\n"
    assert list(load_template(f"{tmp_path}/mine/", shipped_root()).manifest.knobs) == ["share"]


def test_a_copy_says_which_files_must_be_rewritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_template(tmp_path / "mine", "seir")
    said = capsys.readouterr().out
    assert "to write anew, or a check refuses it:\n  prompt.json is still seir's" in said
    assert "the references of latex/template.tex are still seir's" in said
    assert broken(tmp_path / "mine") == {"borrowed": 5}


def test_a_script_comes_with_what_it_imports_from_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text("import numpy\nfrom deep.more import y\nWIDTH = 8\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/more.py").write_text("y = 1\n")
    (tmp_path / "unused.py").write_text("x = 1\n")
    (tmp_path / "train.py").write_text("import net, torchvision\nRATE = 0.5\nprint('loss', RATE)\n")
    new_template(tmp_path / "mine", script=tmp_path / "train.py")
    said = " ".join(capsys.readouterr().out.split())
    assert "net.py, deep/more.py, which it imports" in said
    assert "packages.txt: list the packages of torchvision" in said
    assert "at line 3 of the script, which prints them" in said
    template = load_template(f"{tmp_path}/mine/", shipped_root())
    assert set(template.manifest.knobs) == {"rate", "width"}
    assert {"net.py", "deep/more.py"} <= set(template.manifest.editable)
    assert template.manifest.packages == ("matplotlib", "numpy", "torchvision")
    assert "unused.py" not in template.files
    assert broken(tmp_path / "mine") == {"packages": 1, "blank": 11}


def test_data_beside_a_script_is_named_with_the_command_that_copies_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a b.npz", "in/c.yaml", "unnamed.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "train.py").write_text(
        "import numpy\nDATA = './a b.npz'\nnumpy.load(DATA), open('in/c.yaml'), open('away.csv')\n"
    )
    new_template(Path("my work/mine"), script=Path("train.py"))
    said = " ".join(capsys.readouterr().out.split())
    assert "cp 'a b.npz' 'my work/mine'/, with the line opaque_files: true" in said
    assert "mkdir -p 'my work/mine'/in && cp in/c.yaml 'my work/mine'/in/;" in said
    assert "aisci template check 'my work/mine' --run --write" in said
    assert not {"away.csv", "unnamed.csv"} & set(said.replace(":", " ").split())


def test_nothing_is_begun_over_a_dangling_link_or_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("away")
    (tmp_path / "file").write_text("")
    for folder, what in (("link", "never written over"), ("file/mine", "where a folder would be")):
        with pytest.raises(UserError, match=what):
            new_template(tmp_path / folder)


def test_a_check_that_runs_nothing_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.py").write_text("import torchvision\n")
    new_template(tmp_path / "mine", script=tmp_path / "train.py")
    plain = View(as_json=False, quiet=True)
    place = f"{tmp_path}/mine"
    print_check(place, run=True, policy="ci-cpu", scale=None, data=None, view=plain, write=True)
    assert "nothing was run, and nothing written: correct the files" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "source", "script", "what"),
    [
        ("main.py", None, None, "aisci template new ./mine --script"),
        ("mine", "main.py", None, "aisci template new ./mine --script main.py"),
        ("mine", "seir", "main.py", "leave one of them out"),
        ("mine", None, "away.py", "name a Python file that exists"),
        ("mine", None, "bad.py", "name a script that Python 3.11 runs"),
        ("mine", None, "own.py", "rename that file"),
        ("mine", None, "note.ipynb", "jupyter nbconvert --to script"),
    ],
)
def test_a_wrong_beginning_is_told_with_the_right_one_and_writes_nothing(
    tmp_path: Path, folder: str, source: str | None, script: str | None, what: str
) -> None:
    (tmp_path / "main.py").write_text("print(1)\n")
    (tmp_path / "bad.py").write_text("print 1\n")
    (tmp_path / "note.ipynb").write_text('{"cells": []}')
    (tmp_path / "own.py").write_text("import common\n")
    (tmp_path / "common.py").write_text("\n")
    place = tmp_path / script if script else None
    with pytest.raises(UserError) as error:
        new_template(tmp_path / folder, source, place)
    assert what in error.value.todo
    assert not (tmp_path / "mine").exists()
