"""``aisci template check --run``: what only containers show, each a clear line; new; baseline; list."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.core.progress import seconds_left, share_done
from orchestrator.template.contract import measured
from orchestrator.template.folder import shipped_templates
from orchestrator.template.results import parse_final_info, per_seed
from orchestrator.template.template import load_template
from tests.support.places import ROOT
from tests.support.warm import warm_aisci

QUICK = ROOT / "tests/data/quick"
PLAIN = ROOT / "tests/data/plain_template"
POLICY = str(ROOT / "tests/data/policies/quick.yaml")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def aisci(*words: str, home: Path) -> Said:
    done = warm_aisci(*words, cwd=home, seconds=600, XDG_DATA_HOME=str(home / "data"))
    return Said(done.returncode, done.stdout, done.stderr)


def edited(folder: Path, path: str, edit: Callable[[str], str], source: Path = QUICK) -> Path:
    """A copy of a template with one file changed."""
    shutil.copytree(source, folder)
    file = folder / path
    text = edit(file.read_text())
    assert text != file.read_text()
    file.write_text(text)
    return folder


@pytest.mark.program
def test_every_rule_of_a_good_template_is_told_to_hold(tmp_path: Path) -> None:
    said = aisci("template", "check", f"{QUICK}/", home=tmp_path)
    assert said.code == 0
    assert len(re.findall(r"^  ✓ ", said.out, re.MULTILINE)) == 12
    assert said.out.endswith("quick: keeps its contract\n")


@pytest.mark.engine
def test_its_runs_are_held_to_the_rest_of_the_rules(tmp_path: Path) -> None:
    said = aisci(
        "template", "check", f"{QUICK}/", "--run", "--policy", POLICY, "--json", home=tmp_path
    )
    assert said.code == 0, said
    rules = {row["rule"]: row for row in said.rows if "rule" in row}
    assert list(rules)[12:] == [
        "finishes", "numbers", "leftovers", "metrics", "seeds", "trained", "repeats", "figures", "typesets",
    ]  # fmt: skip
    assert all(row["held"] and not row["why_not"] for row in rules.values())
    assert rules["finishes"]["used"]["seconds"] > 0
    assert said.rows[-1] == {"template": "quick", "findings": 0}


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


Breach = tuple[str, str, str, str, str, str]  # file, old, new, rule, its words, what to do

BREACHES: tuple[Breach, ...] = (
    ("experiment.py", "runs = [", 'raise SystemExit("no such luck")\nruns = [', "finishes", "no such luck", "last output"),
    ("experiment.py", "runs = [", "import time\ntime.sleep(99)\nruns = [", "finishes", "timed out", "experiment.time.wall"),
    ("experiment.py", 'final_info.json").write', 'final.json").write', "finishes", "did not write run_0/final_info.json", "--out_dir"),
    ("experiment.py", '"means": {', '"meens": {', "numbers", "has no 'means'", "means"),
    ("experiment.py", '"final_loss": loss(', '"final_loss": math.nan * loss(', "numbers", "not a finite number", "finite"),
    ("experiment.py", '{f"{k}_mean": v', '{f"{k}_avg": v', "metrics", "'final_loss_avg', not declared", "declare"),
    ("experiment.py", "(len(v) - 1) / len(v))", "len(v)) / len(v)", "seeds", "standard error", "n - 1"),
    ("experiment.py", "rng = random.Random(seed)", "rng = random.Random()", "repeats", "then", "seed every random generator"),
    ("experiment.py", '"smoke": 20', '"smoke": 0', "trained", "final_loss_mean on line", "more steps"),
    ("plot.py", 'labels = {', 'raise ValueError("no ink")\nlabels = {', "figures", "no ink", "last output"),
    ("plot.py", 'savefig("final_loss.png"', 'savefig("final_loss.svg"', "figures", "no PNG", "*.png"),
    ("latex/template.tex", "\\begin{document}", "\\begin{document}\\nosuchmacro", "typesets", "nosuchmacro", "correct"),
)  # fmt: skip


@pytest.mark.engine
def test_a_breach_that_a_run_shows_is_one_clear_line_with_how_to_mend_it(
    tmp_path: Path, sample: random.Random
) -> None:
    """Two of them, by the commit; the campaign tries all."""
    for number, breach in enumerate(sample.sample(BREACHES, 2)):
        _is_told(tmp_path / str(number), breach)


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize("breach", BREACHES, ids=[f"{b[3]}-{b[4]}" for b in BREACHES])
def test_each_breach_that_a_run_shows_is_one_clear_line(tmp_path: Path, breach: Breach) -> None:
    _is_told(tmp_path, breach)


def _is_told(tmp_path: Path, breach: Breach) -> None:
    path, old, new, rule, words, todo = breach
    edited(tmp_path / "mine", path, swap(old, new))
    policy = tmp_path / "short.yaml"
    policy.write_text(Path(POLICY).read_text().replace("wall: 60s, cpu: 90s", "wall: 6s, cpu: 12s"))
    said = aisci(
        "template", "check", "./mine", "--run", "--policy", "./short.yaml", "--json", home=tmp_path
    )
    assert said.code == 1, said
    broken = {
        row["rule"]: row["findings"] for row in said.rows if "rule" in row and row["findings"]
    }
    assert next(iter(broken)) == rule, broken  # what comes after may follow from it
    assert words in broken[rule][0]["what"], broken
    assert todo in broken[rule][0]["todo"]


@pytest.mark.engine
def test_a_pickle_that_a_run_leaves_is_found_and_a_number_of_seeds_that_differs(
    tmp_path: Path,
) -> None:
    folder = edited(
        tmp_path / "mine", "experiment.py",
        swap("final_info = {", 'import pickle\n(out_dir / "all.pkl").write_bytes(pickle.dumps(values))\nfinal_info = {'),
    )  # fmt: skip
    manifest = folder / "template.yaml"
    manifest.write_text(
        manifest.read_text().replace("minutes: 0.1", "minutes: 0.1\n    seeds: [0, 1]", 1)
    )
    said = aisci(
        "template", "check", "./mine", "--run", "--policy", POLICY, "--json", home=tmp_path
    )
    broken = {
        row["rule"]: row["findings"] for row in said.rows if "rule" in row and row["findings"]
    }
    assert said.code == 1
    assert sorted(broken) == ["leftovers", "seeds"]
    assert broken["leftovers"][0]["where"] == "run_0/all.pkl"
    assert "3 values, the manifest 2 seeds" in broken["seeds"][0]["what"]


@pytest.mark.engine
def test_a_folder_in_the_ai_scientists_format_is_tried_too_its_plots_unpickle_its_own_files(
    tmp_path: Path,
) -> None:
    said = aisci("template", "check", f"{PLAIN}/", "--run", "--json", home=tmp_path)
    assert said.code == 0, said
    rules = {row["rule"]: row for row in said.rows if "rule" in row}
    assert rules["figures"]["used"]["files"] == ["smooth.png"]
    assert rules["repeats"]["why_not"] == "no manifest says which of its numbers are times"


@pytest.mark.engine
def test_such_a_folder_gets_its_data_and_its_skeleton_is_prepared_as_for_a_run(
    tmp_path: Path,
) -> None:
    folder = edited(
        tmp_path / "mine", "experiment.py", swap("numbers.txt", "series/numbers.txt"), PLAIN
    )
    code = folder / "experiment.py"
    code.write_text(code.read_text().replace("if os.path.exists(path)", "if open(path)"))
    paper = folder / "latex/template.tex"
    figure = "\\begin{figure}\\includegraphics{example-of-theirs.png}\\end{figure}\n"
    text = paper.read_text().replace("\\usepackage{booktabs}\n", "")
    paper.write_text(text.replace("\\section{Results}", f"{figure}\\section{{Results}}"))
    words = ("template", "check", "./mine", "--run")
    without = aisci(*words, home=tmp_path)
    assert without.code == 1
    assert "FileNotFoundError" in without.out
    assert "failed (exit code 1)" in without.out
    assert "do: nothing is at '../../../data/series/numbers.txt'" in without.out
    assert "stopped at 5 min" in without.err
    (tmp_path / "sets/series").mkdir(parents=True)
    (tmp_path / "sets/series/numbers.txt").write_text("\n".join(map(str, range(100))))
    given = aisci(*words, "--data", "sets", "--json", home=tmp_path)
    assert given.code == 0, given
    rules = {row["rule"]: row for row in given.rows if "rule" in row}
    assert rules["typesets"]["held"]
    assert rules["needs"]["notes"] == []
    kept = aisci(
        "template", "baseline", "./mine", "--policy", "ci-cpu", "--data", "sets", home=tmp_path
    )
    assert kept.code == 0, kept
    assert "--policy ci-cpu --data sets" in kept.out


@pytest.mark.program
def test_a_copy_of_a_folder_without_manifest_is_not_told_to_edit_one(tmp_path: Path) -> None:
    said = aisci("template", "new", "./copy", "--from", f"{PLAIN}/", home=tmp_path)
    assert said.code == 0, said
    assert "edit template.yaml" not in said.out
    assert "aisci template adopt ./copy" in said.out
    adopted = aisci("template", "adopt", "copy", home=tmp_path)
    assert adopted.code == 0, adopted
    assert "aisci template check ./copy" in adopted.out
    assert aisci("template", "check", "./copy", home=tmp_path).code == 0


@pytest.mark.program
def test_the_image_of_a_folder_whose_imports_it_lacks_is_not_said_to_be_enough(
    tmp_path: Path,
) -> None:
    edited(
        tmp_path / "mine",
        "experiment.py",
        swap("import numpy", "import npeet\nimport numpy"),
        PLAIN,
    )
    for words in (("template", "check", "./mine"), ("images", "build", "./mine")):
        said = aisci(*words, home=tmp_path)
        assert said.code == 2, said
        assert "the image lacks npeet" in said.out + said.err
        assert "aisci template adopt ./mine" in said.out + said.err


@pytest.mark.program
def test_a_folder_of_data_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path) -> None:
    said = aisci("template", "check", f"{QUICK}/", "--data", "gone", home=tmp_path)
    assert said.code == 2
    assert "there is no such folder of data sets" in said.err


@pytest.mark.program
def test_a_template_that_needs_a_gpu_is_refused_where_the_policy_gives_none(tmp_path: Path) -> None:
    edited(tmp_path / "mine", "template.yaml", swap("gpu: none", "gpu: required"))
    for words in (
        ("run", "./mine"),
        ("template", "baseline", "./mine"),
        ("template", "check", "./mine", "--run"),
    ):
        said = aisci(*words, "--scale", "smoke", "--policy", POLICY, home=tmp_path)
        assert said.code == 2
        assert "needs a GPU, and the policy 'quick' gives none" in said.err


# --- new ----------------------------------------------------------------------------------


@pytest.mark.program
def test_a_new_template_keeps_the_contract_under_its_own_name(tmp_path: Path) -> None:
    said = aisci("template", "new", "./my_idea", "--from", f"{QUICK}/", home=tmp_path)
    assert said.code == 0, said
    assert "aisci template check ./my_idea --run" in said.out
    checked = aisci("template", "check", "./my_idea", home=tmp_path)
    assert checked.out.endswith("my_idea: keeps its contract\n")
    mine = load_template(f"{tmp_path}/my_idea/", shipped_root())
    ours = load_template(f"{QUICK}/", shipped_root())
    changed = [path for path in ours.files if mine.files[path] != ours.files[path]]
    assert (mine.name, changed) == ("my_idea", ["template.yaml"])


@pytest.mark.program
@pytest.mark.parametrize("name", shipped_templates(shipped_root()))
def test_a_copy_of_each_shipped_template_keeps_all_but_its_words(tmp_path: Path, name: str) -> None:
    said = aisci("template", "new", "./copy", "--from", name, home=tmp_path)
    assert said.code == 0
    assert "seed_ideas.json is still" in said.out
    checked = aisci("template", "check", "./copy", "--json", home=tmp_path)
    assert checked.code == 2
    broken = [row for row in checked.rows if "rule" in row and row["findings"]]
    assert [row["rule"] for row in broken] == ["borrowed"]
    own = aisci("template", "check", name, "--json", home=tmp_path)
    assert own.rows[-1]["findings"] == 0


@pytest.mark.program
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("./there",), "something is there already"),
        (("./with space",), "cannot be a template's name"),
        (("./fine", "--from", "seer"), "no shipped template"),
    ],
)
def test_a_new_template_never_writes_over_anything(
    tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    (tmp_path / "there").mkdir()
    said = aisci("template", "new", *words, home=tmp_path)
    assert said.code == 2
    assert what in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


@pytest.mark.program
@pytest.mark.parametrize(
    ("words", "what", "todo"),
    [
        (("seir", "--run", "--write"), "a shipped template is not written to", "--from seir"),
        ((f"{QUICK}/", "--write"), "--write writes what a run measures", "add --run"),
        ((f"{PLAIN}/", "--run", "--write"), "no template.yaml to write to", "template adopt"),
    ],
)
def test_writing_asks_for_a_manifest_of_ones_own_and_a_run(
    tmp_path: Path, words: tuple[str, ...], what: str, todo: str
) -> None:
    said = aisci("template", "check", *words, home=tmp_path)
    assert said.code == 2
    assert what in said.err
    assert todo in said.err


@pytest.mark.engine
def test_a_blank_runs_and_what_it_measures_is_written_down_once(tmp_path: Path) -> None:
    """Its marks do not keep the containers from running; its exit code says that they are there."""
    assert aisci("template", "new", "./mine", home=tmp_path).code == 0
    manifest = tmp_path / "mine/template.yaml"
    before = manifest.read_text()
    said = aisci("template", "check", "./mine", "--run", "--write", "--json", home=tmp_path)
    assert said.code == 2
    rules = {row["rule"]: row for row in said.rows if "rule" in row}
    assert [name for name, row in rules.items() if row["findings"]] == ["blank"]
    assert rules["typesets"]["held"]
    assert said.rows[-1]["written"] == [
        f"metrics.{name}_mean: direction and description to FILL IN"
        for name in ("error", "first_error")
    ]
    after = manifest.read_text()
    kept = [line for line in before.splitlines() if not line.startswith("metrics:")]
    assert [line for line in kept if line not in after.splitlines()] == []
    again = aisci("template", "check", "./mine", "--run", "--write", "--json", home=tmp_path)
    assert "written" not in again.rows[-1]
    assert manifest.read_text() == after
    refused = aisci("run", "./mine", "--scale", "smoke", "--policy", "ci-cpu", home=tmp_path)
    assert refused.code == 2
    assert "FILL IN" in refused.err


# --- baseline -----------------------------------------------------------------------------


@pytest.mark.engine
def test_a_baseline_is_measured_once_and_kept(tmp_path: Path) -> None:
    words = ("template", "baseline", f"{QUICK}/", "--scale", "smoke", "--policy", POLICY, "--json")
    first = aisci(*words, home=tmp_path)
    assert first.code == 0, first
    measured_now = first.rows[0]["baseline"]
    assert measured_now["new"]
    assert measured_now["used"]["seconds"] > 0
    assert measured_now["means"]["line"]["final_loss_mean"] < 0.5
    again = aisci(*words, home=tmp_path).rows[0]["baseline"]
    assert (again["new"], again["at"], again["means"]) == (
        False,
        measured_now["at"],
        measured_now["means"],
    )
    listed = aisci("template", "list", "--json", home=tmp_path)
    assert listed.code == 0


@pytest.mark.engine
def test_on_a_terminal_one_line_is_drawn_and_goes(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    folder = edited(
        tmp_path / "mine",
        "experiment.py",
        swap("runs = [", "import time\nfor i in range(9):\n    print(f'progress: 0.{i}', flush=True)\n    time.sleep(0.3)\nruns = ["),
    )  # fmt: skip
    command = [
        str(ROOT / ".venv/bin/aisci"),
        "template",
        "baseline",
        f"{folder}/",
        "--scale",
        "smoke",
    ]
    with subprocess.Popen(
        [*command, "--policy", POLICY],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                drawn += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        out, _ = process.communicate()
    os.close(ours)
    assert process.returncode == 0, drawn
    assert "final_loss_mean" in out
    text = drawn.decode()
    assert "experiment.py  ██" in text
    assert "to go" in text
    assert text.rstrip().endswith(("\x1b[?25h", "\x1b[2K", "\x1b[1A\x1b[2K"))


@pytest.mark.engine
def test_another_policy_or_an_edited_template_has_no_kept_baseline(tmp_path: Path) -> None:
    mine = edited(tmp_path / "quick", "plot.py", lambda text: text + "\n# mine\n")
    words = ("template", "baseline", "--scale", "smoke", "--json")
    of_ours = aisci(*words, f"{QUICK}/", "--policy", POLICY, home=tmp_path).rows[0]["baseline"]
    for template, policy in ((f"{QUICK}/", "ci-cpu"), (f"{mine}/", POLICY)):
        other = aisci(*words, template, "--policy", policy, home=tmp_path).rows[0]["baseline"]
        assert other["new"]
        assert other["key"] != of_ours["key"]


@pytest.mark.engine
def test_a_baseline_that_fails_or_learns_nothing_is_not_kept(tmp_path: Path) -> None:
    for name, old, new, what in (
        ("crash", "runs = [", 'raise SystemExit("no such luck")\nruns = [', "no such luck"),
        ("lazy", '"smoke": 20', '"smoke": 0', "does not beat the untrained model"),
    ):
        edited(tmp_path / name, "experiment.py", swap(old, new))
        said = aisci(
            "template",
            "baseline",
            f"./{name}",
            "--scale",
            "smoke",
            "--policy",
            POLICY,
            home=tmp_path,
        )
        assert said.code == 2
        assert what in said.err
    assert not list(tmp_path.glob("data/aisci/baselines/**/baseline.json"))


@pytest.mark.engine
def test_a_kept_baseline_that_was_changed_is_refused(tmp_path: Path) -> None:
    words = ("template", "baseline", f"{QUICK}/", "--scale", "smoke", "--policy", POLICY)
    assert aisci(*words, home=tmp_path).code == 0
    (record,) = tmp_path.glob("data/aisci/baselines/*/*/*/baseline.json")
    record.write_text(record.read_text().replace('"form": 1', '"form": "one"'))
    said = aisci(*words, home=tmp_path)
    assert said.code == 2
    assert "a cached baseline cannot be read" in said.err
    assert str(record) in said.err


# --- what is made of numbers and words ----------------------------------------------------


def test_the_last_progress_line_counts_and_others_do_not() -> None:
    assert share_done("progress: 0.1\nloss 3\nprogress: 0.25\nprogress: lots\n") == 0.25
    assert share_done("progress: 1.5\n in progress: 0.5\n") is None
    assert share_done("") is None
    assert seconds_left(30.0, 0.25) == 90.0
    assert seconds_left(30.0, None) is None
    assert seconds_left(30.0, 0.0) is None


def test_values_by_seed_are_lists_of_numbers_and_nothing_else() -> None:
    data = json.dumps(
        {"a": {"means": {"x_mean": 1.5}, "final_info_dict": {"x": [1, 2], "y": ["b"], "z": [True]}},
         "b": {"means": 3.0}}
    ).encode()  # fmt: skip
    assert per_seed(data) == {"a": {"x": (1.0, 2.0)}, "b": {}}


def test_only_an_optional_metric_may_be_missing() -> None:
    quick = load_template(f"{QUICK}/", shipped_root())
    bare = parse_final_info(b'{"line": {"means": {"other": 1.0}}}')
    lacking = [finding.what for finding in measured._declared(quick.manifest, bare)]
    assert "no data set has the declared metric 'final_loss_mean'" in lacking
    optional = {
        name: metric.model_copy(update={"optional": True})
        for name, metric in quick.manifest.metrics.items()
    }
    relaxed = quick.manifest.model_copy(update={"metrics": optional})
    (undeclared,) = measured._declared(relaxed, bare)
    assert "'other', not declared" in undeclared.what


def test_a_time_may_differ_between_two_runs_where_the_manifest_says_so() -> None:
    quick = load_template(f"{QUICK}/", shipped_root())
    first = parse_final_info(b'{"line": {"means": {"final_loss_mean": 1.0}}}')
    again = parse_final_info(b'{"line": {"means": {"final_loss_mean": 1.5}}}')
    assert measured.repeats(quick, first, first).held
    (finding,) = measured.repeats(quick, first, again).findings
    assert finding.what == "it was 1.0, then 1.5"
    metric = quick.manifest.metrics["final_loss_mean"].model_copy(update={"repeatable": False})
    metrics = {**quick.manifest.metrics, "final_loss_mean": metric}
    timed = quick.manifest.model_copy(update={"metrics": metrics})
    assert not list(measured._differ(timed, first, again))
