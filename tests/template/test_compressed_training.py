"""templates/compressed_cnn: a seed decides everything, and test images decide and teach nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("compressed_cnn", shipped_root())

BEGIN = """
import json, sys, experiment as e, torch
from dataclasses import replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
parts = e.split(1337)
small = replace(e.SCALES["smoke"], seeds=(1337,), updates=20, eval_every=10)
"""


def ask(program: str, **files: bytes) -> Any:
    end = '\njson.dump(answer, open("answer.json", "w"))'
    return rig.ask(TEMPLATE, f"{BEGIN}{program}{end}", files)


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    program = """
def train(kind, seed):
    metrics, curve = e.train(e.split(seed), e.Setting(kind, 4), small, seed, "cpu")
    return [{k: v for k, v in metrics.items() if k != "train_time"}, curve]
answer = [[train(kind, seed) for kind in e.KINDS[1:]] for seed in (1337, 1338)]
"""
    first, second = ask(program), ask(program)
    assert json.dumps(first) == json.dumps(second)
    assert all(one != other for one, other in zip(*first, strict=True))


LEAKS = """
source, answer = open("experiment.py").read(), {}
for name, old, new in json.load(open("leaks.json")):
    assert old in source, old
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(source.replace(old, new, 1), name, "exec"), module.__dict__)
    try:
        module.train(module.split(1337), module.Setting("threshold", 4), replace(small, updates=1), 1337, "cpu")
        answer[name] = ""
    except SystemExit as error:
        answer[name] = str(error)
"""


@pytest.mark.engine
def test_test_images_in_training_are_noticed_however_they_got_there() -> None:
    built = "return Split(*parts)"
    leaks = [
        ["unchanged", built, built],
        ["all_of_them", built, "return Split(Part(images, labels), *parts[1:])"],
        ["one_of_them", built, "parts[0].images[7] = parts[2].images[0]; return Split(*parts)"],
        ["twice", "order = np", "images, labels = np.tile(images, (2, 1)), np.tile(labels, 2)\n    order = np"],
        ["chooses", built, "return Split(parts[0], parts[2], parts[2])"],
    ]  # fmt: skip
    said = ask(LEAKS, **{"leaks.json": json.dumps(leaks).encode()})
    assert said.pop("unchanged") == ""
    assert len(said) == 4
    assert all("the split leaks" in words for words in said.values()), said
    assert "both the validation and the test part" in said["chooses"]


CHOSEN = """
losses, seen = iter([3.0, 1.0, 2.0, 1.0]), []
def evaluate(model, part):
    weight = model[0].weight.sum().item()
    size = len(part[1])
    seen.append([size, weight])
    return (next(losses), 0.25) if size == len(parts.validation.labels) else (0.5, 0.75)
e.evaluate = evaluate
metrics, curve = e.train(parts, e.Setting("dct", 4), small, 1337, "cpu")
rows = [{"val_loss": 0.9, "test_acc": 0.1}, {"val_loss": 0.5, "test_acc": 0.2},
        {"val_loss": 0.7, "test_acc": 0.9}, {"val_loss": 0.1, "test_acc": 1.0}, {"val_loss": 0.2, "test_acc": 1.0}]
answer = {"metrics": metrics, "seen": seen, "curve": curve["val_loss"], "chosen": e.choose("dct", small, rows),
          "all": e.choose("threshold", small, rows), "sizes": [len(part.labels) for part in vars(parts).values()]}
e.BIT_BUDGET = 15
try:
    e.choose("dct", small, rows)
except SystemExit as error:
    answer["poor"] = str(error)
"""


@pytest.mark.engine
def test_what_is_reported_is_the_test_accuracy_of_what_validation_chose_within_the_budget() -> None:
    told = ask(CHOSEN)
    assert told["sizes"] == [1078, 360, 359]
    assert told["curve"] == [3.0, 1.0, 2.0]
    assert (told["metrics"]["val_loss"], told["metrics"]["test_acc"]) == (1.0, 0.75)
    best = [weight for size, weight in told["seen"] if size == 360][1]
    before, after = (weight for size, weight in told["seen"] if size == 359)
    assert after == best != before
    assert told["chosen"] == 1  # the fourth and fifth cost 144 and 256 bits
    assert told["all"] == 3  # a threshold costs 64 bits at most
    assert "no setting of dct costs 15 bits or less, the smallest 16" in told["poor"]
