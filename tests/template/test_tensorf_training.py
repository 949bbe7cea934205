"""templates/tensorf: a seed decides everything, and test views decide and teach nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("tensorf", shipped_root())

BEGIN = """
import json, sys, torch, experiment as e
from dataclasses import replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
smoke = e.SCALES["smoke"]
small = replace(smoke, updates=10, eval_every=5, batch=64)
def learn(kind, seed, scale, module=e):
    scene = module.draw_scene(kind, seed)
    return module.study(module.draw_views(scene, scale, seed), scene, scale, seed, "cpu")
"""


def ask(program: str, **files: bytes) -> Any:
    end = '\njson.dump(answer, open("answer.json", "w"))'
    return rig.ask(TEMPLATE, f"{BEGIN}{program}{end}", files)


@pytest.mark.engine
def test_scenes_along_the_axes_are_learned_best_and_matrices_say_more_than_vectors() -> None:
    program = """
scale = replace(smoke, updates=100, eval_every=100)
answer = {kind: learn(kind, 1337, scale).metrics for kind in ("aligned", "tilted")}
e.DECOMPOSITION = 1
answer["vectors"] = learn("tilted", 1337, scale).metrics
"""
    told = ask(program)
    aligned, tilted, vectors = (told[name] for name in ("aligned", "tilted", "vectors"))
    assert tilted["test_psnr"] > tilted["initial_test_psnr"] + 6
    assert aligned["test_psnr"] > tilted["test_psnr"] + 0.5
    assert tilted["test_psnr"] > vectors["test_psnr"] + 0.5
    assert tilted["parameters"] > 5 * vectors["parameters"]
    assert tilted["test_psnr"] < tilted["true_field_psnr"]


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    program = """
answer = []
for seed in (1, 2):
    found = learn("tilted", seed, small)
    found.metrics.pop("train_time")
    answer.append([found.metrics, found.curve, found.psnr, found.nearest, found.rendered])
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
        learn("spheres", 5, replace(small, updates=1), module)
        answer[name] = ""
    except SystemExit as error:
        answer[name] = str(error)
"""


@pytest.mark.engine
def test_test_views_in_training_are_noticed_however_they_got_there() -> None:
    built = "parts = (rest[scale.choosing :], rest[: scale.choosing], test)"
    read = "return Split(*(views(part, scene, scale.pixels) for part in parts))"
    leaks = [
        ["unchanged", built, built],
        ["all_of_them", built, "parts = (poses, rest[: scale.choosing], test)"],
        ["one_of_them", built, "parts = ([*rest[scale.choosing :], test[4]], rest[: scale.choosing], test)"],
        ["chooses", built, "parts = (rest[scale.choosing :], test, test)"],
        ["moved", read, f"{read.replace('return', 'found =')}; found.known.pictures[3] = found.test.pictures[2]; return found"],
    ]  # fmt: skip
    said = ask(LEAKS, **{"leaks.json": json.dumps(leaks).encode()})
    assert said.pop("unchanged") == ""
    assert set(said) == {"all_of_them", "one_of_them", "chooses", "moved"}
    assert all("the split leaks" in words for words in said.values()), said
    assert "1 views of the test part are in the known part" in said["one_of_them"]
    assert "in the validation part" in said["chooses"]


@pytest.mark.engine
def test_other_test_views_change_no_field_and_fewer_training_views_no_test_view() -> None:
    program = """
scene = e.draw_scene("aligned", 5)
parts = e.draw_views(scene, small, 5)
other = replace(parts, test=replace(parts.test, pictures=1 - parts.test.pictures))
answer = {"fields": []}
for one in (parts, other):
    field, metrics, curve = e.train(one, 1.0, small, 5, "cpu", lambda: None)
    weights = [p.double().sum().item() for p in field.parameters()]
    answer["fields"].append([weights, curve, metrics["val_psnr"]])
e.TRAIN_VIEWS = 6
few = e.draw_views(scene, small, 5)
answer["same"] = bool((few.test.rays == parts.test.rays).all() and (few.validation.rays == parts.validation.rays).all())
answer["views"] = [len(few.known.rays), len(parts.known.rays)]
"""
    told = ask(program)
    one, other = told["fields"]
    assert one == other
    assert told["same"]
    assert told["views"] == [6, 24]
