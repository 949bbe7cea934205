"""templates/grokking trains for real, repeatably, in a closed container on two cores."""

from __future__ import annotations

import io
import json
import math
import statistics
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.beats import check_beats
from orchestrator.contract import AUTHOR, PLACEHOLDERS, check, knob_line
from orchestrator.paths import shipped_root
from orchestrator.results import parse_final_info
from orchestrator.template import PAPER, load

TEMPLATE = load("grokking", shipped_root())
PNG = b"\x89PNG\r\n\x1a\n"

CLOSED = (
    "--network=none", "--read-only", "--user=65534:65534", "--cap-drop=ALL", "--cpus=2",
    "--security-opt=no-new-privileges", "--memory=2g", "--memory-swap=2g", "--pids-limit=256",
    "--tmpfs=/tmp:size=256m,mode=1777",
)  # fmt: skip


def closed(image: str, files: Mapping[str, bytes], script: str) -> dict[str, bytes]:
    """Run ``script`` beside ``files`` in a closed container; return the files that it left."""
    sent, shell = (
        io.BytesIO(),
        f"mkdir /tmp/w; cd /tmp/w; tar x\n({script}) >&2\ntimes >times\ntar c .",
    )
    with tarfile.open(fileobj=sent, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    done = subprocess.run(
        ["docker", "run", "--rm", "-i", *CLOSED, image, "sh", "-ec", shell],
        input=sent.getvalue(),
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        members = [member for member in tar if member.isfile()]
        return {m.name.removeprefix("./"): tar.extractfile(m).read() for m in members}  # type: ignore[union-attr]  # regular files have content


def ask(program: str, files: Mapping[str, bytes] | None = None) -> Any:
    """What a Python ``program`` beside the template writes to ``answer.json``."""
    sent = {**TEMPLATE.files, **(files or {}), "ask.py": program.encode()}
    return json.loads(closed("aisci-sandbox:cpu", sent, "python ask.py")["answer.json"])


@dataclass(frozen=True)
class Smoke:
    files: Mapping[str, bytes]
    cpu: float  # seconds of both cores; wall time would measure what else the machine does


@pytest.fixture(scope="module")
def smoke() -> Smoke:
    env = " ".join(f"{k}={v}" for k, v in TEMPLATE.scale("smoke").env.items())
    files = closed(
        "aisci-sandbox:cpu", TEMPLATE.files, f"{env} python experiment.py --out_dir=run_0"
    )
    _, children = files["times"].decode().splitlines()
    spent = [part.rstrip("s").split("m") for part in children.split()]  # user, system: 0m1.25s
    cpu = sum(60 * int(minutes) + float(seconds) for minutes, seconds in spent)
    print(f"one run at smoke scale: {cpu:.1f} s of CPU time")
    return Smoke(files, cpu)


def test_the_template_keeps_its_contract() -> None:
    assert check(TEMPLATE) == ()
    assert len(TEMPLATE.seed_ideas()) >= 3


@pytest.mark.docker
def test_a_smoke_run_beats_the_untrained_model_by_the_stated_margin_within_a_minute_of_cpu_time(
    smoke: Smoke,
) -> None:
    results = parse_final_info(smoke.files["run_0/final_info.json"])
    beats = check_beats(TEMPLATE.manifest, "smoke", results)
    assert len(beats) == len(results.datasets) == 2
    assert all(beat.held for beat in beats), beats
    assert 1 < smoke.cpu < 60


@pytest.mark.docker
def test_what_a_run_reports_is_what_the_manifest_declares(smoke: Smoke) -> None:
    results = parse_final_info(smoke.files["run_0/final_info.json"])
    assert results.ignored == ()
    assert set(results.metrics) == set(TEMPLATE.manifest.metrics)
    for dataset in results.datasets.values():
        assert set(dataset.stderrs) == set(dataset.means)


@pytest.mark.docker
def test_a_standard_error_is_the_sample_deviation_over_the_root_of_the_number_of_seeds(
    smoke: Smoke,
) -> None:
    for task in json.loads(smoke.files["run_0/final_info.json"]).values():
        for metric, values in task["final_info_dict"].items():
            assert len(values) == 3
            assert task["means"][f"{metric}_mean"] == pytest.approx(statistics.fmean(values))
            stderr = statistics.stdev(values) / math.sqrt(3)
            assert task["stderrs"][f"{metric}_stderr"] == pytest.approx(stderr)


@pytest.mark.docker
def test_the_curves_are_json_and_end_where_the_final_metrics_are(smoke: Smoke) -> None:
    assert {path for path in smoke.files if path.startswith("run_0/")} == {
        "run_0/final_info.json",
        "run_0/curves.json",
    }
    final = json.loads(smoke.files["run_0/final_info.json"])
    for task, curves in json.loads(smoke.files["run_0/curves.json"]).items():
        for name in ("train_loss", "train_acc", "val_loss", "val_acc"):
            assert [len(seed) for seed in curves[name]] == [len(curves["step"])] * 3
            ends = [seed[-1] for seed in curves[name]]
            assert ends == final[task]["final_info_dict"][f"final_{name}"]


@pytest.mark.docker
def test_the_plots_show_every_run_under_its_label(smoke: Smoke) -> None:
    runs = {f"run_{i}/{p}": smoke.files[f"run_0/{p}"] for i in (0, 1, 10) for p in ("final_info.json", "curves.json")}  # fmt: skip
    left = closed("aisci-sandbox:cpu", {**TEMPLATE.files, **runs}, "python plot.py")
    for name in ("val_curves.png", "final_comparison.png"):
        assert left[name].startswith(PNG)
        assert len(left[name]) > 10_000


REPEAT = """
import json, experiment as e, torch
from dataclasses import replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], updates=30, eval_every=10)
runs = {seed: e.train("x_minus_y", small, seed, "cpu") for seed in small.seeds}
json.dump(runs, open("answer.json", "w"))
"""


@pytest.mark.docker
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_others() -> None:
    first, second = ask(REPEAT), ask(REPEAT)
    assert first == second
    assert len({json.dumps(run) for run in first.values()}) == 3


KNOBS = """
import importlib, json, sys, torch
from dataclasses import replace
torch.set_num_threads(1)
answer = {}
for name in ["experiment", *json.load(open("knobs.json"))]:
    e = importlib.import_module(name)
    small = replace(e.SCALES["smoke"], updates=12, eval_every=12)
    answer[name] = e.train("x_plus_y", small, 1337, "cpu")[0]["final_train_loss"]
json.dump(answer, open("answer.json", "w"))
"""


@pytest.mark.docker
def test_turning_any_knob_by_its_one_line_changes_what_is_measured() -> None:
    source, variants = TEMPLATE.text("experiment.py"), {}
    for name, knob in TEMPLATE.manifest.knobs.items():
        line, _ = knob_line(source, knob.constant)
        for i, value in enumerate(knob.others):
            turned = source.replace(line, f"{knob.constant} = {value}")
            variants[f"{name}_{i}"] = turned.encode()
    files = {f"{name}.py": code for name, code in variants.items()}
    losses = ask(KNOBS, {**files, "knobs.json": json.dumps(list(variants)).encode()})
    baseline = losses.pop("experiment")
    assert len(losses) == len(variants) > 10
    assert all(math.isfinite(loss) and loss != baseline for loss in losses.values()), losses


TABLES = """
import json, experiment as e, torch
from dataclasses import asdict, replace
full = e.SCALES["full"]
seven = replace(full, modulus=7, letters=3)
splits = {}
for task in full.tasks:
    known, held_out, answers = e.load_task(task, seven, 1)
    other = e.load_task(task, seven, 2)[0]
    splits[task] = [known.tolist(), held_out.tolist(), answers, other.tolist()]
json.dump({"splits": splits, "full": asdict(full)}, open("answer.json", "w"))
"""


@pytest.fixture(scope="module")
def tables() -> Any:
    return ask(TABLES)


@pytest.mark.docker
def test_the_tasks_are_the_operations_that_they_are_named_after(tables: Any) -> None:
    laws = {
        "x_plus_y": lambda a, b, c: (a + b - c) % 7 == 0,
        "x_minus_y": lambda a, b, c: (a - b - c) % 7 == 0,
        "x_div_y": lambda a, b, c: (c * b - a) % 7 == 0 and b != 0,
    }
    sizes = {"x_plus_y": 49, "x_minus_y": 49, "x_div_y": 42, "permutation": 36}
    for task, (known, held_out, answers, other_seed) in tables["splits"].items():
        table = {(a, b): c for a, b, c in known + held_out}
        assert len(table) == len(known) + len(held_out) == sizes[task]  # no pair on both sides
        assert abs(len(known) - len(held_out)) <= 1
        assert known != other_seed
        assert set(table.values()) == set(range(answers))
        if task in laws:
            assert all(laws[task](a, b, c) for (a, b), c in table.items())
        else:  # a group that is not commutative: associative, and a.b is not always b.a
            group = range(answers)
            assert all(
                table[table[a, b], c] == table[a, table[b, c]]
                for a in group for b in group for c in group
            )  # fmt: skip
            assert any(table[a, b] != table[b, a] for a in group for b in group)


@pytest.mark.docker
def test_the_full_scale_is_the_one_that_the_documentation_states(tables: Any) -> None:
    full = tables["full"]
    assert (full["layers"], full["width"], full["heads"]) == (2, 128, 4)
    assert (full["updates"], full["batch"], full["modulus"], full["letters"]) == (7500, 512, 97, 5)
    assert len(full["seeds"]) == 3
    assert full["tasks"] == ["x_div_y", "x_minus_y", "x_plus_y", "permutation"]
    knobs = TEMPLATE.manifest.knobs
    assert knobs["learning_rate"].default == 1e-3
    assert (knobs["weight_decay"].default, knobs["warmup_updates"].default) == (0.5, 50)


@pytest.mark.docker
def test_the_papers_skeleton_compiles_with_every_reference_and_shows_each_part() -> None:
    text = TEMPLATE.text(PAPER)
    keys = [line.split("{")[1].rstrip(",\n") for line in text.splitlines() if line.startswith("@")]
    for part, mark in {**PLACEHOLDERS, "Author": AUTHOR}.items():
        text = text.replace(mark, f"The {part.lower()} stands here.")
    text = text.replace("The background", f"The cited \\citep{{{','.join(keys)}}}. The background")
    script = (
        "cd latex; export HOME=/tmp; latexmk -pdf -interaction=nonstopmode -halt-on-error template.tex; "
        "pdftotext -layout template.pdf text"
    )
    left = closed("aisci-latex", {PAPER: text.encode()}, script)
    log, shown = left["latex/template.log"].decode(errors="replace"), left["latex/text"].decode()
    assert "undefined" not in log
    assert "Overfull" not in log
    assert "??" not in shown
    assert all(f"The {part.lower()} stands here." in shown for part in [*PLACEHOLDERS, "Author"])
    assert all(name in shown for name in ("Power", "Nanda", "Loshchilov", "Vaswani", "Tegmark"))
