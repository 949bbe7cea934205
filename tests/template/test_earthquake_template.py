"""templates/earthquake_prediction: catalogues follow their laws, scores are right, the future stays unseen."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("earthquake_prediction", shipped_root())

BEGIN = """
import json, numpy as np, torch, experiment as e
from dataclasses import asdict, replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
smoke = e.SCALES["smoke"]
small = replace(smoke, days=800, updates=12, eval_every=6)
rng = np.random.default_rng(7)
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container


@pytest.fixture(scope="module")
def truths() -> Any:
    told = (f"{program}\ntold[{name!r}] = answer\n" for name, program in TRUTHS.items())
    program = f"{BEGIN}told = {{}}\n{''.join(told)}json.dump(told, open('answer.json', 'w'))"
    return rig.ask(TEMPLATE, program)


TRUTHS["laws"] = """
from scipy.integrate import quad
rate = lambda t: (e.OMORI_P - 1) * e.OMORI_C ** (e.OMORI_P - 1) * (t + e.OMORI_C) ** -e.OMORI_P
m = e.magnitudes(400_000, rng)
n = e.productivity(m, e.BRANCHING)
answer = {"omori": [[float(e.omori(np.array(t))), quad(rate, 0, t)[0]] for t in (0.01, 1.0, 64.0)],
          "never": float(e.omori(np.array(1e30))), "branching": [n.mean(), n.std() / len(n) ** 0.5],
          "above": [[e.above(t), float((m >= t).mean())] for t in (3.0, 3.5, 4.0, 5.0)],
          "range": [m.min(), m.max()]}
"""


@pytest.mark.engine
def test_the_laws_are_those_of_omori_and_of_gutenberg_and_richter(truths: Any) -> None:
    told = truths["laws"]
    assert all(said == pytest.approx(true, rel=1e-6) for said, true in told["omori"])
    assert told["never"] == pytest.approx(1, abs=1e-5)
    mean, error = told["branching"]
    assert mean == pytest.approx(0.8, abs=4 * error)
    assert error < 0.01
    assert all(said == pytest.approx(seen, rel=0.05) for said, seen in told["above"])
    assert told["above"][0] == [1, 1]
    assert told["above"][2][0] == pytest.approx(0.1, rel=0.01)  # b = 1: a tenth for each magnitude
    assert 3 <= told["range"][0] < told["range"][1] <= 6.5


TRUTHS["counts"] = """
answer = {"direct": 0, "events": 0, "poisson": [], "cells": []}
for seed in range(12):
    world = e.generate("clustered", smoke, seed)
    answer["direct"] += world.direct
    answer["events"] += len(world.events.day)
    quiet = e.generate("poisson", smoke, seed)
    maps = e.daily_maps(quiet.events, smoke.days, smoke.side)[:, e.COUNT].sum(axis=0)
    expected = quiet.background * smoke.days
    answer["poisson"].append([float(maps.sum()), float(expected.sum())])
    answer["cells"].append(float(((maps - expected) ** 2 / expected).sum()))
    answer["sorted"] = bool((np.diff(world.events.day) >= 0).all())
    answer["share"] = float(world.background.sum() / quiet.background.sum())
"""


@pytest.mark.engine
def test_counting_gives_back_the_planted_branching_ratio_and_background_rate(truths: Any) -> None:
    told = truths["counts"]
    assert told["direct"] / told["events"] == pytest.approx(0.8, abs=0.03)
    for counted, expected in told["poisson"]:
        assert counted == pytest.approx(expected, abs=4 * math.sqrt(expected))
    chi = sum(told["cells"]) / len(told["cells"])  # of 64 cells: mean 64, variance 128
    assert chi == pytest.approx(64, abs=4 * math.sqrt(128 / len(told["cells"])))
    assert told["share"] == pytest.approx(0.2)  # 1 - branching ratio
    assert told["sorted"]


TRUTHS["aftershocks"] = """
shock = e.Events(*(np.full(300, value) for value in (0.0, 4.2, 3.7, 6.0)))
wide = replace(smoke, days=10**9)
children, drawn = e.aftershocks(shock, 0.8, wide, rng)
where = e.shares(shock.only(np.arange(1)), 8).reshape(8, 8)
seen = np.histogram2d(children.y, children.x, bins=[range(9)] * 2)[0] / drawn
early = [float((children.day < t).mean()) for t in (0.1, 1, 10)]
answer = {"drawn": [drawn, float(300 * e.productivity(np.array(6.0), 0.8))], "early": early,
          "omori": [float(e.omori(np.array(t))) for t in (0.1, 1.0, 10.0)],
          "where": [where[3, 4], where[3, 5], where[2, 2]], "seen": [seen[3, 4], seen[3, 5], seen[2, 2]],
          "inside": [float(where.sum()), len(children.day) / drawn]}
"""


@pytest.mark.engine
def test_aftershocks_come_when_and_where_the_oracle_expects_them(truths: Any) -> None:
    told = truths["aftershocks"]
    drawn, expected = told["drawn"]
    assert drawn == pytest.approx(expected, abs=4 * math.sqrt(expected))
    error = 4 * math.sqrt(0.25 / drawn)
    for seen, true in (("early", "omori"), ("seen", "where")):
        assert told[seen] == pytest.approx(told[true], abs=error)
    assert told["inside"][0] == pytest.approx(told["inside"][1], abs=error)
    assert told["where"][0] > told["where"][1] > told["where"][2] > 0


TRUTHS["scores"] = """
from sklearn.metrics import average_precision_score, roc_auc_score
answer = []
for levels in (3, 20, 10**6):
    truth = rng.random(3000) < 0.05
    scores = np.floor(rng.random(3000) * levels) + truth * rng.random(3000)
    curve = e.steps(scores, truth)
    area = np.trapezoid([0, *curve["found"]], [0, *curve["false_alarms"]])
    answer.append([e.roc_auc(scores, truth), roc_auc_score(truth, scores), float(area),
                   e.average_precision(scores, truth), average_precision_score(truth, scores)])
truth = np.arange(10) >= 8
answer.append([e.roc_auc(1.0 * truth, truth), 1, e.roc_auc(np.zeros(10), truth) * 2, e.average_precision(1.0 * truth, truth), 1])
"""


@pytest.mark.engine
def test_scores_are_those_of_scikit_learn_also_with_ties(truths: Any) -> None:
    for auc, theirs, area, precision, their_precision in truths["scores"]:
        assert auc == pytest.approx(theirs, abs=1e-12)
        assert area == pytest.approx(theirs, abs=1e-12)
        assert precision == pytest.approx(their_precision, abs=1e-12)


TRUTHS["own"] = """
from pathlib import Path
rows = ["mag,time,place,longitude,latitude,depth", "4.2,2001-01-03T12:00:00.000Z,,10.0,50.0,5",
        "2.9,2001-01-01T00:00:00Z,,0,0,1", "3.1,2001-01-02T06:00:00+00:00,,12.0,54.0,1", ",2001-01-02T00:00:00Z,,1,1,1"]
folder = Path("mine"); folder.mkdir(exist_ok=True); (folder / "a.csv").write_text("\\n".join(rows))
events = e.read_catalogue(folder, 8).events
answer = {name: values.tolist() for name, values in vars(events).items()}
(folder / "a.csv").write_text("time,mag,latitude\\n")
try:
    e.read_catalogue(folder, 8)
except SystemExit as error:
    answer["lacks"] = str(error)
quiet = e.generate("clustered", small, 3)
found = e.study(e.World(quiet.events), small, 3, "cpu")
answer["metrics"] = sorted(found.metrics)
"""


@pytest.mark.engine
def test_a_catalogue_of_ones_own_is_read_by_its_columns_and_has_no_oracle(truths: Any) -> None:
    told = truths["own"]
    assert told["magnitude"] == [3.1, 4.2]  # in the order of time; smaller ones are left out
    assert told["day"] == pytest.approx([0.25, 1.5])
    assert told["x"] == pytest.approx([8, 0], abs=1e-6)
    assert told["y"] == pytest.approx([8, 0], abs=1e-6)
    assert "a.csv lacks the columns longitude" in told["lacks"]
    lacking = {"oracle_auc", "oracle_ap", "branching_ratio", "found_share"}
    names = {name.removesuffix("_mean") for name in TEMPLATE.manifest.metrics}
    assert set(told["metrics"]) == names - lacking


TRUTHS["scales"] = (
    "answer = {name: asdict(scale) | {'window': scale.window} for name, scale in e.SCALES.items()}"
)


@pytest.mark.engine
def test_the_scales_are_those_that_the_documentation_states(truths: Any) -> None:
    full, short, smoke = (truths["scales"][name] for name in ("full", "short", "smoke"))
    assert (full["side"], full["window"], full["updates"], full["days"]) == (16, 64, 400, 5000)
    assert (short["side"], short["window"], short["updates"]) == (16, 64, 20)
    assert (smoke["side"], smoke["window"], smoke["updates"]) == (8, 16, 100)
    for name, scale in truths["scales"].items():
        assert TEMPLATE.manifest.seeds(name, "clustered") == tuple(scale["seeds"])
