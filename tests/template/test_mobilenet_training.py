"""templates/mobilenetV3: a seed decides everything, and test images decide and teach nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("mobilenetV3", shipped_root())

BEGIN = """
import sys, experiment as e, numpy as np, torch
from dataclasses import replace
from pathlib import Path
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], seeds=(1337,), updates=6, eval_every=3, batch=16, width=0.25)
def refused(act):
    try:
        act()
    except SystemExit as error:
        return str(error)
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container


@pytest.fixture(scope="module")
def truths() -> Any:
    return rig.answers(TEMPLATE, BEGIN, TRUTHS)


TRUTHS["shares"] = """
labels = torch.arange(10).repeat(40)
noise = torch.randn(400, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double)
only = labels[:, None].double() * torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
parts = e.split(small, 1337, Path())
known, test = [(torch.tensor(p.images), torch.tensor(p.labels)) for p in (parts.known, parts.test)]
see = e.lens(known[0])
x, t = [np.hstack([see(p[0]).flatten(1).double().numpy(), np.ones((len(p[1]), 1))]) for p in (known, test)]
target = np.vstack([np.eye(10)[known[1].numpy()], np.zeros((65, 10))])
rule = np.linalg.lstsq(np.vstack([x, np.sqrt(0.01 * len(x)) * np.eye(65)]), target, rcond=None)[0]
answer = {"only": e.share_between(only, labels), "noise": e.share_between(noise, labels),
          "linear": [e.linear(known, test, see), float(((t @ rule).argmax(1) == test[1].numpy()).mean())],
          "scaled": [see(known[0]).mean().item(), see(known[0]).std().item()]}
"""


@pytest.mark.engine
def test_what_stands_beside_the_network_agrees_with_its_closed_form(truths: Any) -> None:
    told = truths["shares"]
    assert told["only"] == pytest.approx(1)
    assert told["noise"] == pytest.approx(9 / 399, abs=0.03)  # what chance alone expects
    assert told["linear"][0] == told["linear"][1] > 0.8
    assert told["scaled"] == pytest.approx([0, 1], abs=1e-3)


TRUTHS["chosen"] = """
parts, seen = e.split(small, 1337, Path()), []
look, scores = e.evaluate, iter([(2.0, 0.3), (1.0, 0.5), (0.9, 0.5)])
def evaluate(model, part, see):
    size, weight = len(part[1]), model.stem[0].weight.sum().item()
    seen.append([size, weight])
    return next(scores, (0.9, 0.5)) if size == len(parts.validation.labels) else (0.5, 0.75)
e.evaluate = evaluate
found = e.train(parts, small, 1337, "cpu", lambda: None)
e.evaluate = look
answer = {"metrics": found.metrics, "seen": seen, "sizes": [len(p.labels) for p in vars(parts).values()],
          "right": int(np.trace(found.confusion)), "all": int(found.confusion.sum())}
"""


@pytest.mark.engine
def test_test_images_are_looked_at_before_training_and_after_the_choice(truths: Any) -> None:
    told = truths["chosen"]
    validation, test = told["sizes"][1:]
    assert (validation, test) == (288, 359)
    looks = [size for size, _ in told["seen"]]
    assert looks == [test, validation, validation, validation, validation, test, test]
    at = [weight for size, weight in told["seen"] if size == validation]
    assert told["seen"][-1][1] == at[2] == at[3] != at[1]  # equally right, with a lower loss
    assert told["metrics"]["val_acc"] == 0.5
    assert told["all"] == test


TRUTHS["seeds"] = """
def run(seed):
    found = e.train(e.split(small, seed, Path()), small, seed, "cpu", lambda: None)
    return [{k: v for k, v in found.metrics.items() if k != "train_time"}, found.curve, found.gates]
answer = [run(1337), run(1337), run(1338)]
"""


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(truths: Any) -> None:
    one, same, other = truths["seeds"]
    assert json.dumps(one) == json.dumps(same)
    assert one[1] != other[1]


TRUTHS["leaks"] = """
source, answer = open("experiment.py").read(), {}
built = "return Split(without(without(rest.at(order[cut:]), test), validation), validation, test)"
for name, new in {
    "unchanged": built,
    "all": "return Split(rest, validation, test)",
    "one": "known = rest.at(order[cut:]); known.images[5] = test.images[0]; return Split(known, validation, test)",
    "chooses": "return Split(rest.at(order[cut:]), test, test)",
}.items():
    assert built in source
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(source.replace(built, new, 1), name, "exec"), module.__dict__)
    answer[name] = refused(lambda: module.train(module.split(small, 1337, Path()), replace(small, updates=1), 1337, "cpu", lambda: None))
"""


@pytest.mark.engine
def test_test_images_in_training_or_in_the_choice_are_noticed(truths: Any) -> None:
    said = truths["leaks"]
    assert said.pop("unchanged") is None
    assert all("the split leaks" in words for words in said.values()), said
    assert "both the validation and the test part" in said["chooses"]
