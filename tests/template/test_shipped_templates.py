"""Every template that aisci ships keeps its contract in real containers, and says what is true."""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.template.contract.code import knob_line
from orchestrator.template.contract.files import PLACEHOLDERS, sample_paper
from orchestrator.template.folder import PAPER, shipped_templates
from orchestrator.template.results import parse_final_info
from orchestrator.template.template import Template, load_template
from tests.support.places import ROOT
from tests.support.sample import FULL, some
from tests.support.template_rig import ask, closed, contract_findings, image_of

NAMES = shipped_templates(shipped_root())
PNG = b"\x89PNG\r\n\x1a\n"
SHIPPED = (
    "2d_diffusion", "compressed_cnn", "earthquake_prediction", "grokking", "mace", "mobilenetV3",
    "nanoGPT", "nanoGPT_lite", "probes", "seir", "sketch_rnn", "tensorf",
)  # fmt: skip
HEAVY = ("nanoGPT", "nanoGPT_lite", "sketch_rnn")  # minutes of full-scale updates on a CPU
SLOW = () if FULL else ("tensorf",)  # a minute of them


def template(name: str) -> Template:
    return load_template(name, shipped_root())


def test_all_are_shipped_with_ideas_references_and_stated_seeds() -> None:
    assert NAMES == SHIPPED
    ideas: list[str] = []
    for name in NAMES:
        one = template(name)
        assert contract_findings(one) == ()
        assert list(one.manifest.scales) == ["smoke", "short", "full"]
        assert all(scale.seeds for scale in one.manifest.scales.values())
        assert one.manifest.scales["smoke"].beats
        assert len(one.manifest.knobs) >= 4
        assert len(json.loads(one.text("library.json"))) >= 8
        LocalLibrary.from_bytes(one.files["library.json"], "library.json")
        ideas += [idea.name for idea in one.seed_ideas()]
    assert len(ideas) == len(set(ideas)) >= 25


def test_no_code_or_text_of_the_shipped_templates_stands_in_the_repository_twice() -> None:
    kinds = ("*.py", "*.tex", "*.sty", "library.json")
    paths = [path for kind in kinds for path in (ROOT / "templates").rglob(kind)]
    contents = [path.read_bytes() for path in paths]
    assert [path for path in paths if contents.count(path.read_bytes()) > 1] == []


def test_every_shipped_paper_has_the_same_parts_in_the_same_look() -> None:
    papers = [template(name).text(PAPER) for name in NAMES]
    parts = {text.partition("\\end{filecontents}")[2] for text in papers}
    assert len(parts) == 1
    assert {text.partition("\\begin{filecontents}")[0] for text in papers} == {
        papers[0].partition("\\begin{filecontents}")[0]
    }
    assert all("latex/aisci.sty" in template(name).files for name in NAMES)
    body = parts.pop()
    places = [body.index(mark) for marks in PLACEHOLDERS.values() for mark in marks[:1]]
    assert places == sorted(places)
    assert body.index("CONCLUSIONS HERE") < body.index("\\FloatBarrier")
    assert body.index("\\FloatBarrier") < body.index("\\bibliography{") < body.index("\\appendix")


@pytest.mark.sampled
@pytest.mark.engine
@pytest.mark.parametrize("name", some(NAMES, 1, "check"))
def test_its_check_in_containers_holds_twice_the_same_and_within_a_minute_of_cpu_time(
    name: str, tmp_path: Path
) -> None:
    command = [str(ROOT / ".venv/bin/aisci"), "template", "check", name, "--run", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = {row["rule"]: row for row in map(json.loads, done.stdout.splitlines()) if "rule" in row}
    assert len([rule for rule in rules if rule != "staged"]) == 21
    assert [rule for rule, row in rules.items() if row["why_not"] and rule != "staged"] == []
    assert 0 < rules["finishes"]["used"]["cpu_seconds"] < 60
    assert rules["repeats"]["used"]["cpu_seconds"] > 0
    assert len(rules["figures"]["used"]["files"]) >= 2


def short(name: str, gib: int = 2) -> None:
    one = template(name)
    script = "AISCI_SCALE=short python experiment.py --out_dir=run_0"
    left = closed(image_of(one), one.files, script, gib=gib)
    results = parse_final_info(left["run_0/final_info.json"])
    may_lack = {name for name, metric in one.manifest.metrics.items() if metric.optional}
    assert set(results.metrics) | may_lack == set(one.manifest.metrics)


@pytest.mark.sampled
@pytest.mark.engine
@pytest.mark.parametrize(
    "name", some([name for name in NAMES if name not in (*HEAVY, *SLOW)], 1, "full")
)
def test_twenty_updates_in_the_full_sizes_run_on_data_of_the_true_format(name: str) -> None:
    short(name)


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize("name", HEAVY)
def test_twenty_updates_that_take_minutes_run_in_the_full_sizes(name: str) -> None:
    short(name, gib=8)


# Trains the smallest thing that every knob can move, and answers its loss.
TRY = {
    "grokking": """
small = replace(e.SCALES["smoke"], updates=12, eval_every=12)
value = e.train("x_plus_y", small, 1337, "cpu")[0]["final_train_loss"]
""",
    "nanoGPT": """
corpus = replace(e.SCALES["smoke"].corpora[0], updates=12, batch=4, eval_every=12, eval_batches=1)
small = replace(e.SCALES["smoke"], samples=1, written=1)
value = e.train(corpus, small, 1337, "cpu", e.DATA, lambda batch: None)[0]["final_train_loss"]
""",
    "compressed_cnn": """
small, value = replace(e.SCALES["smoke"], updates=12, seeds=(1337,)), 0.0
for kind in ("dct", "threshold"):
    rows, chosen, _ = e.climb(kind, small, "cpu", lambda: None)
    value += rows[0][chosen[0]]["test_loss"]
""",
    "mace": """
small = replace(e.SCALES["smoke"], walkers=(10, 2, 3), frames=2, settle=20, apart=20, updates=4, eval_every=2,
                batch=4, runs=2, steps=4)
curve = e.train(e.generate("methanol", small, 1337), small, 1337, "cpu", lambda: None).curve
value = curve["val_force_mae"][-1] + curve["val_energy_mae"][-1]
""",
    "mobilenetV3": """
small = replace(e.SCALES["smoke"], seeds=(1337,), updates=4, eval_every=2, batch=16)
value = e.study(small, "cpu", e.DATA)[0].metrics["test_loss"]
""",
    "2d_diffusion": """
small = replace(e.SCALES["smoke"], updates=12, eval_every=12, points=500, held_out=200)
value = e.train("circle", small, 1337, "cpu", lambda: None)[0]["eval_loss"]
""",
    "sketch_rnn": """
small = replace(e.SCALES["smoke"], encoder=12, decoder=24, known=200, held_out=40, updates=4, eval_every=4,
                batch=16, drawn=10)
found = e.train("shapes", small, 1337, "cpu", e.DATA, lambda: None)
value = found[0]["test_loss"] + sum(x for one in found[2]["prior"] for x, _, _ in one)
""",
    "probes": """
small = replace(e.SCALES["smoke"], updates=6, eval_every=6, development=100, test=60, folds=2,
                steered=5, random=1)
found = e.study(small, 1337, "cpu")[0]
value = found["planted"]["direction_cosine"] + found["topic"]["steering_effect"] + found["mode"]["steering_effect"]
""",
    "earthquake_prediction": """
small = replace(e.SCALES["smoke"], days=800, updates=4, eval_every=4)
value = e.study(e.generate("clustered", small, 1337), small, 1337, "cpu").curve["val_loss"][-1]
""",
    "tensorf": """
small = replace(e.SCALES["smoke"], updates=4, eval_every=4, batch=64)
scene = e.draw_scene("tilted", 1337)
value = e.study(e.draw_views(scene, small, 1337), scene, small, 1337, "cpu").curve["val_psnr"][-1]
""",
    "seir": """
small = replace(e.SCALES["smoke"], steps_per_day=1)
value = e.fitted(small, 1337)[0]["forecast_error"]
""",
}
TRY["nanoGPT_lite"] = TRY["nanoGPT"]

KNOBS = """
import importlib, json, math
from dataclasses import replace
try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    pass
answer = {}
for name in ["experiment", *json.load(open("knobs.json"))]:
    e = importlib.import_module(name)
    %s
    answer[name] = value
json.dump(answer, open("answer.json", "w"))
"""


@pytest.mark.engine
def test_turning_any_knob_of_a_template_changes_what_is_measured(sample: random.Random) -> None:
    """One by the commit; the campaign takes all."""
    knobs_tell(sample.choice(NAMES))


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_turning_any_knob_by_its_one_line_changes_what_is_measured(name: str) -> None:
    knobs_tell(name)


def knobs_tell(name: str) -> None:
    one, variants = template(name), {}
    for knob_name, knob in one.manifest.knobs.items():
        source = one.text(knob.file)
        line, _ = knob_line(source, knob.constant)
        for i, value in enumerate(v for v in knob.values if v != knob.default):
            turned = source.replace(line, f"{knob.constant} = {value!r}")
            variants[f"{knob_name}_{i}"] = turned.encode()
    files = {f"{variant}.py": code for variant, code in variants.items()}
    program = KNOBS % TRY[name].strip().replace("\n", "\n    ")
    values = ask(one, program, {**files, "knobs.json": json.dumps(list(variants)).encode()})
    baseline = values.pop("experiment")
    assert len(values) == len(variants) > 7
    same = [variant for variant, value in values.items() if value == baseline]
    assert same == []
    assert all(math.isfinite(value) for value in values.values())


@pytest.mark.engine
def test_plots_show_three_runs_and_papers_each_part_and_reference(sample: random.Random) -> None:
    """Of one template by the commit; the campaign takes all."""
    shows(sample.choice([name for name in NAMES if name not in SLOW]))


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_its_plots_show_three_runs_and_its_paper_each_part_and_reference(name: str) -> None:
    shows(name)


def shows(name: str) -> None:
    """One run stands for three; plots tell them apart by their numbers."""
    one = template(name)
    left = closed(image_of(one), one.files, "AISCI_SCALE=short python experiment.py --out_dir=run_0"
                  if name not in HEAVY else "AISCI_SCALE=smoke python experiment.py --out_dir=run_0")  # fmt: skip
    run = {
        path.removeprefix("run_0/"): data
        for path, data in left.items()
        if path.startswith("run_0/")
    }
    assert all(path.endswith(".json") for path in run)
    three = {f"run_{i}/{path}": data for i in (0, 1, 10) for path, data in run.items()}
    drawn = closed(image_of(one), {**one.files, **three}, "python plot.py")
    pictures = {path: data for path, data in drawn.items() if path.endswith(".png")}
    assert len(pictures) >= 2
    assert all(data.startswith(PNG) and len(data) > 10_000 for data in pictures.values())
    _typeset(one)


def _typeset(one: Template) -> None:
    text = one.text(PAPER)
    keys = re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)
    known = {entry["key"] for entry in json.loads(one.text("library.json"))}
    assert len(keys) >= 6
    assert set(keys) <= known
    text = sample_paper(text)
    text = text.replace("The background", f"The cited \\citep{{{','.join(keys)}}}. The background")
    script = (
        "cd latex; export HOME=/tmp; latexmk -pdf -interaction=nonstopmode -halt-on-error template.tex; "
        "pdftotext template.pdf text"
    )
    latex = {path: data for path, data in one.files.items() if path.startswith("latex/")}
    made = closed("aisci-latex", latex | {PAPER: text.encode()}, script)
    log, shown = (
        made["latex/template.log"].decode(errors="replace"),
        " ".join(made["latex/text"].decode().split()),
    )
    assert "undefined" not in log
    assert "Overfull" not in log
    assert "??" not in shown
    assert all(f"The {part.lower()} stands here." in shown for part in [*PLACEHOLDERS, "Author"])


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_run_by_the_author_without_a_model_ends_with_a_paper(
    name: str, tmp_path: Path
) -> None:
    """The papers are left in the folder that AISCI_PAPERS names, for a person to look at."""
    command = [
        *(str(ROOT / ".venv/bin/aisci"), "run", name, "--model", "builtin/sweep", "--ideas", "1"),
        *("--scale", "smoke", "--policy", "ci-cpu", "--results", str(tmp_path), "--json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["outcome"]
    (idea,) = outcome["ideas"]
    paper = Path(idea["paper"])
    assert paper.read_bytes().startswith(b"%PDF")
    kept = os.environ.get("AISCI_PAPERS")
    if kept:
        (Path(kept) / f"{name}.pdf").write_bytes(paper.read_bytes())


def test_every_template_is_told_of_in_its_document() -> None:
    text = (ROOT / "docs/templates.md").read_text("utf-8")
    assert [name for name in NAMES if f"\n## `{name}`" not in text] == []
