"""A template is read once, keeps its contract, or is refused with how to mend it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import pytest

from orchestrator.core.errors import BadResults, BadTemplate, UnknownName
from orchestrator.core.files import RESERVED, shipped_root
from orchestrator.template.contract import require_contract
from orchestrator.template.contract.code import knob_line
from orchestrator.template.contract.files import AUTHOR, PLACEHOLDERS
from orchestrator.template.folder import shipped_templates
from orchestrator.template.results import Dataset, Results, compare_untrained, parse_final_info
from orchestrator.template.template import Template, from_files, load_template
from tests.support.places import DATA
from tests.support.template_rig import contract_findings


@pytest.fixture(scope="module")
def quick() -> Template:
    return load_template(str(DATA / "quick"), shipped_root())


def changed(template: Template, path: str, edit: Callable[[str], str]) -> Template:
    """``template`` with one file edited (and the manifest read again)."""
    text = edit(template.text(path))
    assert text != template.text(path)
    return from_files({**template.files, path: text.encode()}, template.name, "edited")


def without(template: Template, path: str) -> Template:
    files = {p: data for p, data in template.files.items() if p != path}
    return from_files(files, template.name, "edited")


def test_a_bare_name_is_the_shipped_template_and_a_slash_is_a_path() -> None:
    assert load_template("grokking", shipped_root()).origin == "templates/grokking"
    by_path = load_template(str(shipped_root() / "templates/grokking/"), shipped_root())
    assert by_path.hash == load_template("grokking", shipped_root()).hash
    assert "grokking" in shipped_templates(shipped_root())


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'grokking'"):
        load_template("groking", shipped_root())
    with pytest.raises(UnknownName, match="no such template folder"):
        load_template("./nowhere", shipped_root())


def test_the_hash_follows_every_byte_and_name_and_nothing_else(quick: Template) -> None:
    backwards = {path: quick.files[path] for path in sorted(quick.files, reverse=True)}
    assert from_files(backwards, "quick", "elsewhere").hash == quick.hash
    assert changed(quick, "plot.py", lambda t: t + "\n").hash != quick.hash
    assert without(quick, "plot.py").hash != quick.hash


def test_the_quick_template_keeps_its_contract_and_says_what_it_holds(quick: Template) -> None:
    assert contract_findings(quick) == ()
    require_contract(quick)
    assert not quick.inferred
    assert [idea.name for idea in quick.seed_ideas()] == ["step_size"]
    knob = quick.manifest.knobs["step_size"]
    assert [value for value in knob.values if value != knob.default] == [0.01, 0.5]
    assert quick.manifest.headline == ("final_loss_mean",)
    assert quick.scale("smoke").env == {"AISCI_SCALE": "smoke"}
    with pytest.raises(UnknownName, match="did you mean 'smoke'"):
        quick.scale("smok")


def test_a_folder_in_the_ai_scientists_format_is_a_template_without_a_manifest() -> None:
    plain = load_template(str(DATA / "plain_template"), shipped_root())
    assert plain.inferred
    assert contract_findings(plain) == ()
    assert plain.manifest.editable == (
        "experiment.py",
        "plot.py",
        "notes.txt",
        "latex/template.tex",
    )
    assert (plain.manifest.knobs, plain.manifest.metrics) == ({}, {})
    assert plain.seed_ideas()[0].title == "Wider Windows"


def test_earlier_runs_caches_and_hidden_files_are_not_part_of_a_template(tmp_path: Path) -> None:
    for name in ("run_0/final_info.json", ".git/config", "__pycache__/a.pyc", "kept/run_0/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    assert set(load_template(f"{tmp_path}/", shipped_root()).files) == {"kept/run_0/a.txt"}


def _link(folder: Path) -> None:
    (folder / "plot.py").symlink_to("/etc/passwd")


def _linked_folder(folder: Path) -> None:
    (folder / "data").symlink_to("/etc")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _odd_name(folder: Path) -> None:
    (folder / "a\x1b[2J.py").touch()


def _huge(folder: Path) -> None:
    with (folder / "data.bin").open("wb") as file:
        file.truncate(1 << 30)


def _many(folder: Path) -> None:
    for i in range(2001):
        (folder / f"{i}.txt").touch()


def _deep(folder: Path) -> None:
    (folder / "/".join("abcdefghij")).mkdir(parents=True)


@pytest.mark.parametrize("spoil", [_link, _linked_folder, _fifo, _odd_name, _huge, _many, _deep])
def test_what_is_no_plain_file_of_modest_size_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(tmp_path)
    with pytest.raises(BadTemplate) as caught:
        load_template(f"{tmp_path}/", shipped_root())
    assert caught.value.todo
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "old", "new", "where", "what"),
    [
        ("template.yaml", "constant: STEP_SIZE", "constant: STEP", "knobs.step_size", "assigned 0 times"),
        ("template.yaml", "default: 0.1", "default: 0.2", "knobs.step_size", "its default 0.2"),
        ("experiment.py", "POINTS = 40", "STEP_SIZE = 0.1\nPOINTS = 40", "knobs.step_size", "2 times"),
        ("experiment.py", "STEP_SIZE = 0.1", "STEP_SIZE = float(1)", "knobs.step_size", "not a plain number"),
        ("experiment.py", "STEP_SIZE = 0.1", "STEP_SIZE = (\n0.1\n)", "knobs.step_size", "in one line"),
        ("experiment.py", "STEP_SIZE = 0.1", "if 1:\n    STEP_SIZE = 0.1", "knobs.step_size", "top level"),
        ("experiment.py", "import math", "import torch", "experiment.py", "imports torch"),
        ("plot.py", "import json", "import json,", "plot.py:", "not Python"),
        ("template.yaml", "fixed: [", "fixed: [gone.csv, ", "fixed", "gone.csv is not in the folder"),
        ("prompt.json", '"system"', '"System"', "prompt.json: system", "the key 'system' is missing"),
        ("prompt.json", "{", "", "prompt.json:2:", "not JSON"),
        ("seed_ideas.json", '"Title"', '"title"', "seed_ideas.json: 0.Title", "the key 'Title' is missing"),
        ("seed_ideas.json", ": 10,", ": 11,", "seed_ideas.json: 0.Feasibility", "must be 10 or less, not 11"),
        ("latex/template.tex", "ABSTRACT HERE", "Text.", "latex/template.tex", "'ABSTRACT HERE' occurs 0"),
        ("latex/template.tex", AUTHOR, f"{AUTHOR} {AUTHOR}", "latex/template.tex", "'AUTHOR HERE' occurs 2"),
        ("latex/template.tex", "INTRO HERE", "INTRO HERE INTRO HERE", "latex/template.tex", "occurs 2"),
        ("latex/template.tex", "INTRO HERE", "INTRO HERE INTRODUCTION HERE", "latex/template.tex", "occurs 2"),
        ("latex/template.tex", "METHOD HERE", "METHOD HERE DISCUSSION HERE DISCUSSION HERE", "latex/template.tex", "'DISCUSSION HERE' occurs 2"),
        ("latex/template.tex", "\\bibliography{", "\\x{", "latex/template.tex", "\\bibliography{ is missing"),
    ],
)  # fmt: skip
def test_each_breach_is_found_where_it_is_with_how_to_mend_it(
    quick: Template, path: str, old: str, new: str, where: str, what: str
) -> None:
    findings = contract_findings(changed(quick, path, lambda text: text.replace(old, new, 1)))
    assert [(where in f.where, what in f.what, bool(f.todo)) for f in findings] == [(True,) * 3]


def test_files_saved_on_windows_keep_the_contract(quick: Template) -> None:
    """Python reads a byte order mark and carriage returns, and so do the rules."""
    files = {
        path: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
        if path.endswith((".py", ".tex", ".json"))
        else data
        for path, data in quick.files.items()
    }
    assert contract_findings(from_files(files, quick.name, "edited")) == contract_findings(quick)


@pytest.mark.parametrize(
    "path", ["experiment.py", "plot.py", "prompt.json", "seed_ideas.json", "latex/template.tex"]
)
def test_a_missing_file_is_named(quick: Template, path: str) -> None:
    with pytest.raises(BadTemplate, match="violates its contract") as caught:
        require_contract(without(quick, path))
    assert f"{path}: the file is missing" in caught.value.why


def test_a_template_with_a_manifest_may_not_hold_files_that_run_when_read(quick: Template) -> None:
    spoiled = from_files({**quick.files, "data.pkl": b""}, "quick", "edited")
    assert [f.where for f in contract_findings(spoiled)] == ["data.pkl"]


def test_a_template_may_say_that_only_its_own_plots_read_such_files(quick: Template) -> None:
    manifest = quick.text("template.yaml") + "opaque_files: true\n"
    files = {**quick.files, "data.pkl": b"", "template.yaml": manifest.encode()}
    opaque = from_files(files, "quick", "edited")
    assert opaque.opaque
    assert contract_findings(opaque) == ()


def test_a_mark_that_stands_twice_may_lose_the_copy_that_is_a_running_title(
    quick: Template,
) -> None:
    twice = changed(
        quick, "latex/template.tex", lambda t: t.replace("TITLE HERE", "TITLE HERE TITLE HERE")
    )
    (finding,) = contract_findings(twice)
    assert "keep one" in finding.todo
    assert "running title" in finding.todo


def test_a_scale_whose_duration_is_unknown_needs_no_minutes(quick: Template) -> None:
    unknown = changed(quick, "template.yaml", lambda t: t.replace("    minutes: 0.1\n", "", 1))
    assert unknown.scale("smoke").minutes is None


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("knobs:", "nobs:", ":15:1: nobs", "unknown key"),
        (
            "direction: lower",
            "direction: down",
            ":9:5: metrics.final_loss_mean.direction",
            "'down' is not one of: lower, higher, none",
        ),
        (
            "AISCI_SCALE: smoke",
            "LD_PRELOAD: smoke",
            ":27:11: scales.smoke.env",
            "variables begin with AISCI_: LD_PRELOAD",
        ),
        (
            "file: experiment.py",
            "file: ../experiment.py",
            ":17:5: knobs.step_size.file",
            "is not the path of a file",
        ),
        (
            "metric: final_loss_mean",
            "metric: final_los",
            ":31:10: scales.smoke.beats.0.metric",
            "not declared",
        ),
        ("margin: 0.5", "margin: .inf", "margin", "not a plain number"),
        ("version: 1", "version: 2", ":1:1: version", "must be 1, not 2"),
        ("editable: [", "editable: [prompt.json, ", ":6:1: fixed", "both editable and fixed"),
        ("values: [0.01,", "values: [0.1,", "knobs.step_size.values", "the value 0.1 occurs twice"),
    ],
)
def test_a_bad_manifest_is_refused_at_its_line_and_key(
    quick: Template, old: str, new: str, where: str, what: str
) -> None:
    with pytest.raises(BadTemplate) as caught:
        changed(quick, "template.yaml", lambda text: text.replace(old, new, 1))
    assert where in caught.value.where
    assert what in caught.value.what


def test_each_error_of_a_manifest_is_shown_in_full(quick: Template) -> None:
    text = quick.text("template.yaml")
    text = text.replace("AISCI_SCALE: smoke", "EPOCHS: '3'").replace("version: 1", "version: 2")
    text = text.replace("minutes:", "minuts:", 1).replace("direction: lower", "direction: lowr", 1)
    with pytest.raises(BadTemplate) as caught:
        from_files({**quick.files, "template.yaml": text.encode()}, "quick", "edited")
    found = {one.where.rpartition(": ")[2]: (one.what, one.todo) for one in caught.value.problems}
    assert found == {
        "version": ("must be 1, not 2", "write 1"),
        "metrics.final_loss_mean.direction": (
            "'lowr' is not one of: lower, higher, none",
            "did you mean 'lower'?",
        ),
        "scales.smoke.env.EPOCHS": (
            "variables begin with AISCI_: EPOCHS",
            "rename it to AISCI_EPOCHS, also where the experiment reads it",
        ),
        "scales.smoke.minuts": ("unknown key 'minuts'", "did you mean 'minutes'?"),
    }
    assert len(caught.value.why.splitlines()) == 4


def test_a_knobs_line_is_found_whole_with_its_value(quick: Template) -> None:
    line, value = knob_line(quick.text("experiment.py"), "STEP_SIZE")
    assert (line, value) == ("STEP_SIZE = 0.1  # of gradient descent", 0.1)


def test_every_placeholder_is_distinct_text() -> None:
    marks = [*chain.from_iterable(PLACEHOLDERS.values()), AUTHOR]
    assert not [(a, b) for a in marks for b in marks if a != b and a in b]


def _run(folder: Path, env: Mapping[str, str]) -> Results:
    command = [sys.executable, "experiment.py", "--out_dir=run_0"]
    subprocess.run(command, cwd=folder, env={**os.environ, **env}, check=True, capture_output=True)
    return parse_final_info((folder / "run_0/final_info.json").read_bytes())


@pytest.mark.program
def test_the_quick_template_trains_and_beats_the_untrained_line(
    quick: Template, tmp_path: Path
) -> None:
    (tmp_path / "experiment.py").write_bytes(quick.files["experiment.py"])
    results = _run(tmp_path, quick.scale("smoke").env)
    (beat,) = compare_untrained(quick.manifest, "smoke", results)
    assert beat.held
    assert beat.gain == pytest.approx(beat.untrained - beat.trained)


def test_a_run_that_learned_nothing_does_not_beat_the_untrained(quick: Template) -> None:
    same = Results({"line": Dataset({"final_loss_mean": 2.0, "initial_loss_mean": 2.4})})
    (beat,) = compare_untrained(quick.manifest, "smoke", same)
    assert not beat.held


def test_a_comparison_that_cannot_be_made_is_an_error(quick: Template) -> None:
    with pytest.raises(BadResults, match="no 'initial_loss_mean' on data set 'line'"):
        compare_untrained(
            quick.manifest, "smoke", Results({"line": Dataset({"final_loss_mean": 2.0})})
        )


def test_the_plain_templates_own_files_are_what_it_says() -> None:
    plain = load_template(str(DATA / "plain_template"), shipped_root())
    assert json.loads(plain.text("prompt.json"))["system"] == plain.task().system


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_an_ideas_records_need_is_refused_before_anything_runs(
    quick: Template, name: str
) -> None:
    for path in (name, f"{name}/inside.txt"):
        files = {**quick.files, path: b"mine"}
        assert [
            f.where for f in contract_findings(from_files(files, quick.name, quick.origin))
        ] == [name]
