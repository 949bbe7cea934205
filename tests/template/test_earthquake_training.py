"""templates/earthquake_prediction: a seed decides everything, and the future teaches nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("earthquake_prediction", shipped_root())

BEGIN = """
import json, sys, numpy as np, torch, experiment as e
from dataclasses import replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
smoke = e.SCALES["smoke"]
small = replace(smoke, days=800, updates=12, eval_every=6)
"""


def ask(program: str, **files: bytes) -> Any:
    end = '\njson.dump(answer, open("answer.json", "w"))'
    return rig.ask(TEMPLATE, f"{BEGIN}{program}{end}", files)


LEARNED = """
answer = {}
for kind in e.KINDS:
    found = [e.study(e.generate(kind, smoke, seed), replace(smoke, updates=60), seed, "cpu").metrics for seed in (1, 2)]
    answer[kind] = {name: sum(one[name] for one in found) / 2 for name in found[0]}
"""


@pytest.mark.engine
def test_the_network_stands_between_the_rate_and_the_oracle_and_finds_nothing_in_chance() -> None:
    told = ask(LEARNED)
    clustered, poisson = told["clustered"], told["poisson"]
    assert clustered["rate_auc"] + 0.01 < clustered["test_auc"] < clustered["oracle_auc"]
    assert clustered["rate_ap"] < clustered["test_ap"] < clustered["oracle_ap"]
    assert 0.1 < clustered["found_share"] < 1
    assert poisson["oracle_auc"] == pytest.approx(poisson["rate_auc"], abs=0.01)
    assert poisson["test_auc"] < poisson["oracle_auc"] + 0.01
    assert poisson["branching_ratio"] == 0


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    program = """
answer = []
for seed in (1, 2):
    found = e.study(e.generate("clustered", small, seed), small, seed, "cpu")
    found.metrics.pop("train_time")
    answer.append([found.metrics, found.curve, found.maps, found.scores])
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
        world = module.generate("clustered", small, 5)
        module.study(world, replace(small, updates=1), 5, "cpu")
        answer[name] = ""
    except SystemExit as error:
        answer[name] = str(error)
try:
    e.check_possible(0.9, 0.7, np.arange(10000) < 300)
except SystemExit as error:
    answer["too_good"] = str(error)
e.check_possible(0.71, 0.7, np.arange(10000) < 300)
"""


@pytest.mark.engine
def test_days_that_are_seen_before_they_are_forecast_are_noticed() -> None:
    cut = "days = maps[begin:end]"
    all_parts = "return Split(*(part(maps, begin, end, window) for begin, end in pairwise(cuts)))"
    leaks = [
        ["unchanged", cut, cut],
        ["straddles", cut, "days = maps[max(0, begin - window):end]"],
        ["trains_on_all", cut, "days = maps[:] if begin == 0 else maps[begin:end]"],
        ["test_chooses", all_parts, f"parts = [{all_parts[13:-1]}]; return Split(parts[0], parts[2], parts[2])"],
        ["sees_tomorrow", "both[..., :window], both[..., window:]", "both[..., 1:window + 1], both[..., window:]"],
    ]  # fmt: skip
    said = ask(LEAKS, **{"leaks.json": json.dumps(leaks).encode()})
    assert said.pop("unchanged") == ""
    assert "it must have seen what it forecasts" in said.pop("too_good")
    assert set(said) == {"straddles", "trains_on_all", "test_chooses", "sees_tomorrow"}
    assert all("the split leaks" in words for words in said.values()), said
    assert "a day that it is to forecast" in said["sees_tomorrow"]


@pytest.mark.engine
def test_other_test_days_change_neither_the_rate_nor_the_network() -> None:
    program = """
world = e.generate("clustered", small, 5)
maps = e.daily_maps(world.events, small.days, small.side)
other = maps.copy()
other[round(0.8 * small.days):] = other[round(0.8 * small.days):][::-1]
answer = []
for one in (maps, other):
    parts = e.split(one, small.window)
    model, _, curve, _ = e.train(parts, small, 5, "cpu", lambda: None)
    weights = [p.double().sum().item() for p in model.parameters()]
    answer.append([e.training_rate(parts).tolist(), weights, curve])
answer.append(float(abs(maps - other).max()))
"""
    one, other, changed = ask(program)
    assert one == other
    assert changed > 0
