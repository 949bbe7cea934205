"""templates/sketch_rnn: densities are what they are named, and the generator's truth is the truth."""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("sketch_rnn", shipped_root())

BEGIN = """
import experiment as e, numpy as np, torch
from pathlib import Path
from scipy.stats import multivariate_normal
torch.set_num_threads(1)
def refused(act):
    try:
        act()
    except SystemExit as error:
        return str(error)
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container
FILES: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def truths() -> Any:
    return rig.answers(TEMPLATE, BEGIN, TRUTHS, FILES)


TRUTHS["mixture"] = """
source = torch.Generator().manual_seed(0)
def some(*shape): return torch.randn(*shape, generator=source, dtype=torch.double)
weights, means = some(3, 4, 5).log_softmax(-1), some(3, 4, 5, 2)
deviations, tilts = (some(3, 4, 5, 2) / 2).exp(), torch.tanh(some(3, 4, 5))
pen, moves = e.Pen(weights, means, deviations, tilts, some(3, 4, 3)), some(3, 4, 2)
def by_hand(i, j):
    total = 0.0
    for k in range(5):
        a, b = deviations[i, j, k].tolist()
        c = tilts[i, j, k].item() * a * b
        total += weights[i, j, k].exp().item() * multivariate_normal.pdf(moves[i, j].numpy(), means[i, j, k].numpy(), [[a * a, c], [c, b * b]])
    return float(np.log(total))
answer = [pen.move_density(moves).flatten().tolist(), [by_hand(i, j) for i in range(3) for j in range(4)]]
"""


@pytest.mark.engine
def test_the_density_of_a_move_is_that_of_a_mixture_of_normal_distributions(truths: Any) -> None:
    ours, by_hand = truths["mixture"]
    assert ours == pytest.approx(by_hand, rel=1e-9)


TRUTHS["divergence"] = """
mean, log_variance = torch.tensor([0.0, 1.5, -0.3, 0.0]), torch.tensor([0.0, 0.0, -2.0, 0.7])
one = torch.distributions.Normal(mean, (log_variance / 2).exp())
answer = [e.divergence(mean, log_variance).tolist(),
          torch.distributions.kl_divergence(one, torch.distributions.Normal(0.0, 1.0)).tolist()]
"""


@pytest.mark.engine
def test_the_divergence_of_the_latent_numbers_is_in_closed_form(truths: Any) -> None:
    ours, theirs = truths["divergence"]
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert ours[:2] == pytest.approx([0, 1.5**2 / 2])


TRUTHS["generator"] = """
every, kinds = e.ideal()
drawn = e.shapes(4000, np.random.default_rng(7))
least = e.least_losses(drawn)
few, by_hand = drawn.at(np.arange(6)), []
for moves, pens in zip(few.moves, few.pens):
    n, densities = int((pens != e.END).sum()), []
    for ideal, states in zip(every.moves, every.pens):
        same = (states == pens).all()
        densities.append(np.exp(multivariate_normal.logpdf((moves - ideal)[:n].ravel().astype(float), np.zeros(2 * n), e.TREMOR**2)) if same else 0.0)
    by_hand.append(float(-np.log(np.mean(densities))))
nearest = kinds[e.distances(drawn).argmin(axis=1)]
own = np.array([e.KINDS.index(kind) for kind in e.KINDS for _ in range(96)])
answer = {"shapes": len(every.pens), "distinct": len(set(every.prints())), "few": [e.least_losses(few).tolist(), by_hand],
          "least": least.tolist(), "points": drawn.points.tolist(), "tremor": e.TREMOR, "kinds": np.bincount(nearest, minlength=5).tolist(),
          "own": bool((kinds == own).all() and (kinds[e.distances(every).argmin(axis=1)] == own).all())}
"""


@pytest.mark.engine
def test_the_least_possible_loss_is_the_entropy_of_the_generator(truths: Any) -> None:
    """A sketch names one of 480 shapes, and each of its moves has the entropy of the tremor."""
    told = truths["generator"]
    assert told["shapes"] == told["distinct"] == 480
    assert told["few"][0] == pytest.approx(told["few"][1], rel=1e-6)
    tremor = 1 + math.log(2 * math.pi * told["tremor"] ** 2)  # of both coordinates of a move
    pairs = zip(told["least"], told["points"], strict=True)
    names = [least - points * tremor for least, points in pairs]
    error = statistics.stdev(names) / math.sqrt(len(names))
    assert statistics.mean(names) == pytest.approx(math.log(480), abs=5 * error)
    assert error < 0.08


@pytest.mark.engine
def test_a_shape_is_recognised_through_its_tremor_and_kinds_are_equally_frequent(
    truths: Any,
) -> None:
    told = truths["generator"]
    assert told["own"]
    assert sum(told["kinds"]) == 4000
    assert all(count == pytest.approx(800, abs=5 * 26) for count in told["kinds"])


def line(drawing: Any, *, recognized: bool = True) -> str:
    return json.dumps({"word": "cat", "recognized": recognized, "drawing": drawing})


TWO_STROKES = [[[10, 20, 20], [0, 0, 5]], [[25, 30], [5, 9]]]
CATS = [
    line([[[0, 255], [0, 255]]], recognized=False),
    line(TWO_STROKES),
    line([[[7], [7]]]),  # a dot has no move
    line([[list(range(256)), [0] * 256]]),  # too long
    *(line([[[0, i], [0, i]]]) for i in range(1, 10)),
]
FILES["data/quickdraw/full_simplified_cat.ndjson"] = "\n".join(CATS).encode()
FILES["data/quickdraw/dog.ndjson"] = "\n".join([*CATS, '{"word": "dog"}']).encode()
TRUTHS["format"] = """
root = Path("data")
cats = e.drawings(e.categories(root)["cat"], 100)
made = Path("made"); made.mkdir(); e.make(made, count=30)
star = e.drawings(e.categories(made)["star"], 100)
answer = {"names": list(e.categories(root)), "sets": [e.data_sets(e.SCALES[scale], place) for scale, place in (("full", root), ("full", Path("nowhere")), ("smoke", root))],
          "count": len(cats.pens), "moves": cats.moves[0].tolist(), "pens": cats.pens[0].tolist(),
          "points": cats.points.tolist(), "most": len(e.drawings(e.categories(root)["cat"], 10).pens),
          "bad": refused(lambda: e.drawings(e.categories(root)["dog"], 100)),
          "made": [list(e.categories(made)), len(star.pens), bool((star.pens == e.LIFT).sum(axis=1).min() > 1)]}
"""


@pytest.mark.engine
def test_drawings_are_read_as_quick_draw_writes_them(truths: Any) -> None:
    told = truths["format"]
    assert told["names"] == ["dog", "cat"]
    assert told["sets"] == [["shapes", "dog", "cat"], ["shapes"], ["shapes"]]
    assert told["count"] == told["most"] == 10
    assert told["points"] == [4, *[1] * 9]
    assert told["moves"] == [[10, 0], [0, 5], [5, 0], [5, 4], [0, 0]]
    assert told["pens"] == [0, 1, 0, 1, 2]  # draw on, lift, (a move in the air) draw on, lift, end
    assert "dog.ndjson:14 is not a drawing of Quick, Draw!" in told["bad"]
    assert "stage the simplified drawings" in told["bad"]
    assert told["made"] == [["star"], 30, True]


TRUTHS["gaussian"] = """
parts = e.split("shapes", e.SCALES["smoke"], 1337, Path())
known, test = e.batch_of(parts.known, 1.0, "cpu"), e.batch_of(parts.test.at(np.arange(40)), 1.0, "cpu")
real = parts.known.pens != e.END
moves = parts.known.moves[real].astype(float)
counts = np.array([(parts.known.pens == e.DRAW).sum(), (parts.known.pens == e.LIFT).sum(), len(parts.known.pens)])
few = parts.test.at(np.arange(40))
inside = few.pens != e.END
states = np.concatenate([few.pens[inside], np.full(40, e.END)])
total = multivariate_normal.logpdf(few.moves[inside].astype(float), moves.mean(axis=0), np.cov(moves.T)).sum()
total += np.log(counts / counts.sum())[states].sum()
answer = [e.gaussian_loss(known, test), float(-total / inside.sum())]
"""


@pytest.mark.engine
def test_the_model_without_memory_is_one_normal_distribution_and_three_shares(truths: Any) -> None:
    ours, by_hand = truths["gaussian"]
    assert ours == pytest.approx(by_hand, rel=1e-5)
