"""templates/sketch_rnn: what is measured counts each point once, and test sketches decide nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("sketch_rnn", shipped_root())

BEGIN = """
import sys, experiment as e, numpy as np, torch
from dataclasses import replace
from pathlib import Path
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], seeds=(1337,), encoder=12, decoder=24, known=300, held_out=60, updates=8, eval_every=4, batch=16, drawn=20)
def run(module, seed, scale=small):
    return module.train("shapes", scale, seed, "cpu", Path(), lambda: None)
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


TRUTHS["counted"] = """
torch.manual_seed(0)
model, sketches = e.SketchRNN(small), e.split("shapes", small, 1, Path()).test
wide = e.Sketches(np.pad(sketches.moves, ((0, 0), (0, 9), (0, 0))), np.pad(sketches.pens, ((0, 0), (0, 9)), constant_values=e.END))
losses = [e.evaluate(model, e.batch_of(one, 0.5, "cpu"), 3)[0].tolist() for one in (sketches, wide)]
one = e.batch_of(sketches.at(np.arange(1)), 0.5, "cpu").part(slice(0, 1))
z = torch.randn(1, e.LATENT)
pen, _ = model.expect(e.before_each(one), z, model.begin(z))
n = int(one.points)
by_hand = -(pen.move_density(one.moves)[0, :n].sum() + sum(pen.states[0, i, one.pens[0, i]] for i in range(n + 1)))
answer = {"losses": losses, "one": [e.reconstruction(model, one, z).item(), by_hand.item()], "last": int(one.pens[0, n]), "points": n}
"""


@pytest.mark.engine
def test_a_loss_counts_each_move_each_state_of_the_pen_and_one_end_and_no_padding(
    truths: Any,
) -> None:
    told = truths["counted"]
    assert told["losses"][0] == pytest.approx(told["losses"][1], rel=1e-5)
    assert told["one"][0] == pytest.approx(told["one"][1], rel=1e-5)
    assert told["last"] == 2
    assert told["points"] > 5


TRUTHS["drawn"] = """
torch.manual_seed(0)
model = e.SketchRNN(small)
z = torch.randn(50, e.LATENT)
def drawn(seed): return e.draw(model, z, 2.0, torch.Generator().manual_seed(seed), 12)
one, same, other = drawn(1), drawn(1), drawn(2)
ends = np.maximum.accumulate(one.pens == e.END, axis=1)
way = e.between(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0]), 5)
answer = {"same": one.prints() == same.prints(), "other": one.prints() == other.prints(), "ended": bool(ends[:, -1].all()),
          "stays": bool((one.pens[ends] == e.END).all() and (one.moves[ends] == 0).all()), "widest": one.pens.shape[1],
          "way": [way[0].tolist(), way[-1].tolist()]}
"""


@pytest.mark.engine
def test_what_is_drawn_follows_from_its_seed_and_ends(truths: Any) -> None:
    told = truths["drawn"]
    assert told["same"]
    assert not told["other"]
    assert told["ended"]
    assert told["stays"]
    assert told["widest"] <= 13
    assert told["way"][0] == pytest.approx([1, 0], abs=1e-6)
    assert told["way"][1] == pytest.approx([0, 2], abs=1e-6)


TRUTHS["seeds"] = """
def told(seed):
    metrics, curve, sketches = run(e, seed)
    return [{k: v for k, v in metrics.items() if k != "train_time"}, curve, sketches]
answer = [told(1337), told(1337), told(1338)]
"""


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(truths: Any) -> None:
    one, same, other = truths["seeds"]
    assert json.dumps(one) == json.dumps(same)
    assert one[1] != other[1]
    assert one[2] != other[2]


@pytest.mark.engine
def test_the_parts_of_the_loss_add_up_and_the_chosen_state_is_the_best_on_validation(
    truths: Any,
) -> None:
    metrics, curve, _ = truths["seeds"][0]
    assert metrics["val_loss"] == min(curve["val_loss"])
    spent = metrics["test_loss"] - metrics["test_reconstruction"]
    assert 0 < spent < metrics["test_kl"]  # a sketch has more points than one
    assert metrics["least_loss"] < metrics["test_loss"] < metrics["initial_test_loss"]


TRUTHS["looks"] = """
seen, look = [], e.evaluate
def evaluate(model, batch, seed):
    seen.append([len(batch.points), next(model.parameters()).sum().item()])
    return look(model, batch, seed)
e.evaluate = evaluate
run(e, 1337, replace(small, known=500, held_out=60))
e.evaluate = look
parts = e.split("shapes", replace(small, known=500, held_out=60), 1337, Path())
answer = {"seen": seen, "sizes": [len(part.pens) for part in vars(parts).values()]}
"""


@pytest.mark.engine
def test_test_sketches_are_looked_at_before_training_and_after_the_choice(truths: Any) -> None:
    told = truths["looks"]
    assert told["sizes"] == [500, 60, 60]
    weights = [weight for _, weight in told["seen"]]
    assert len(weights) == 6  # test; validation at 0, 4 and 8; validation and test in the end
    assert weights[0] == weights[1]
    assert weights[-1] == weights[-2]
    assert weights[-1] in weights[1:4]


TRUTHS["leaks"] = """
source, answer = open("experiment.py").read(), {}
apart = "return Split(without(without(known, test), validation), validation, test)"
shift = "return torch.cat([first, steps[:, :-1]], dim=1)"
bound = "check_possible(losses + divergences.sum(axis=1), least)"
for name, old, new in [
    ["unchanged", apart, apart],
    ["all", apart, "return Split(every, validation, test)"],
    ["one", apart, "known.moves[3], known.pens[3] = test.moves[0], test.pens[0]; return Split(known, validation, test)"],
    ["chooses", apart, "return Split(without(known, test), test, test)"],
    ["sees", shift, "return steps"],
    ["beats", bound, "check_possible(least - 1.0 + 0 * losses, least + np.arange(len(least)) % 2)"],
]:
    assert old in source, old
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(source.replace(old, new, 1), name, "exec"), module.__dict__)
    answer[name] = refused(lambda: run(module, 1337, replace(small, updates=1)))
least = np.arange(400) % 7.0
noise = np.random.default_rng(0).normal(0, 3, 400)
answer["chance"] = refused(lambda: e.check_possible(least + noise, least))
"""


@pytest.mark.engine
def test_test_sketches_in_training_and_a_decoder_that_sees_its_target_are_noticed(
    truths: Any,
) -> None:
    said = truths["leaks"]
    assert said["unchanged"] is None
    for name in ("all", "one", "chooses"):
        assert "the split leaks" in said[name]
    assert "both the validation and the test part" in said["chooses"]
    assert "the decoder is not causal" in said["sees"]


@pytest.mark.engine
def test_a_loss_below_the_least_possible_one_is_called_a_leak_and_chance_is_not(
    truths: Any,
) -> None:
    said = truths["leaks"]
    assert "below the least possible" in said["beats"]
    assert said["chance"] is None
