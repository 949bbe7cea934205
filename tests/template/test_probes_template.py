"""templates/probes: truths are the generator's, a planted label is found, a random one and a leak not."""

from __future__ import annotations

import json
import math
import re
from statistics import NormalDist
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("probes", shipped_root())

BEGIN = """
import json, sys, experiment as e, torch
from dataclasses import asdict, replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], updates=10, eval_every=5, development=90, test=120, folds=2,
                steered=10, random=2)
source = torch.Generator().manual_seed(0)
"""


def ask(program: str, **files: bytes) -> Any:
    end = "json.dump(answer, open('answer.json', 'w'))"
    return rig.ask(TEMPLATE, f"{BEGIN}{program}\n{end}", files)


def test_the_seeds_of_the_code_are_those_that_the_manifest_states() -> None:
    source = TEMPLATE.text("experiment.py")
    stated = [
        tuple(map(int, re.findall(r"\d+", found)))
        for found in re.findall(r"seeds=\(([\d, ]+)\)", source)
    ]
    scales = ("full", "smoke", "short")
    assert stated == [TEMPLATE.manifest.seeds(scale, "topic") for scale in scales]


@pytest.mark.engine
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_others() -> None:
    program = "answer = [e.study(small, 1337, 'cpu'), e.study(small, 1338, 'cpu')]"
    first, second = ask(program), ask(program)
    assert first == second
    assert first[0] != first[1]


@pytest.mark.engine
def test_the_least_loss_is_the_generators_own_probability_of_a_sentence() -> None:
    """Over all that can follow an opener the probabilities add up to one; drawn ones agree."""
    program = """
import itertools
tiny = replace(small, places=2, length=5)
ends = itertools.product((8, 9), range(10), range(10), range(10))
texts = torch.tensor([(10, *end) for end in ends])
chances = (-e.least_losses(texts, tiny) * 4).exp()
drawn = e.draw(200_000, tiny, source).text
places = torch.tensor([1000, 100, 10, 1])
counts = torch.bincount(drawn[:, 1:] @ places - 8000, minlength=2000) / len(drawn)
answer = [chances.sum().item(), (counts - chances).abs().max().item(), chances.max().item()]
"""
    total, off, largest = ask(program)
    assert total == pytest.approx(1, abs=1e-9)
    assert off < 6 * math.sqrt(largest / 200_000)


@pytest.mark.engine
def test_the_ceiling_is_the_accuracy_of_one_who_knows_the_generator() -> None:
    program = """
sentences = e.draw(50_000, small, source)
odds = e.topic_odds(sentences.text, small)[:, -1]
right = torch.where(odds == 0, 0.5, ((odds > 0) == (sentences.topic == 1)).double())
bench = e.Bench(small, 1, "cpu")
modes = {token: mode for token, mode in ((64, 0), (65, 1))}
last = [[modes[t] for t in text if t in modes][-1] for text in sentences.text[:500].tolist()]
answer = [right.mean().item(), torch.sigmoid(odds.abs()).mean().item(), bench.ceilings(),
          last == sentences.mode[:500].tolist(),
          sentences.text[:, 0].tolist() == (66 + sentences.opener).tolist()]
"""
    right, expected, ceilings, modes, openers = ask(program)
    assert right == pytest.approx(expected, abs=5 * math.sqrt(0.25 / 50_000))
    assert (ceilings["mode"], ceilings["opener"]) == (1, 1)
    assert ceilings["topic"] == pytest.approx(expected, abs=0.01)
    assert modes
    assert openers


# Activations of three layers without structure; behind the last a label is planted.
GAUSSIAN = """
n, width = 4000, 12
layers = [torch.randn(2 * n, width, generator=source).double() for _ in range(3)]
label, nothing = (torch.randint(2, (2 * n,), generator=source) for _ in range(2))
along = e.random_directions(1, width, 3, "cpu")[0]
layers[2] = layers[2] + 0.8 * (2 * label[:, None] - 1) * along
def probed(labels, truth=None):
    known, held_out = [one[:n] for one in layers], [one[n:] for one in layers]
    return e.probe(known, labels[:n], held_out, labels[n:] if truth is None else truth, 4)
"""


@pytest.mark.engine
def test_a_planted_label_is_found_where_it_is_as_well_as_can_be_and_a_random_one_is_not() -> None:
    """A shift of 0.8 to each side is read with an accuracy of Phi(0.8)."""
    program = f"""{GAUSSIAN}
found, chance = probed(label), probed(nothing)
answer = dict(layer=found.layer, test=found.test, cross=found.cross, chance=chance.test,
              cosine=(e.direction(found.probes[2], layers[2], label)[0] @ along).item())
"""
    told = ask(program)
    best, error = NormalDist().cdf(0.8), math.sqrt(0.25 / 4000)
    assert told["layer"] == 2
    assert told["test"][2] == pytest.approx(best, abs=4 * error)
    assert told["cross"][2] == pytest.approx(best, abs=4 * error)
    assert [*told["test"][:2], *told["chance"]] == pytest.approx([0.5] * 5, abs=4 * error)
    assert told["cosine"] > 0.98


@pytest.mark.engine
def test_the_labels_of_the_test_sentences_choose_nothing() -> None:
    program = f"""{GAUSSIAN}
one, other = probed(label), probed(label, 1 - label[n:])
answer = [[found.layer, found.cross, [p.weights.tolist() for p in found.probes], found.test]
          for found in (one, other)]
"""
    (*chosen, test), (*again, turned) = ask(program)
    assert chosen == again
    assert [1 - share for share in turned] == pytest.approx(test)


@pytest.mark.engine
def test_a_probe_is_the_minimum_of_its_penalised_loss() -> None:
    program = """
x = torch.randn(300, 5, generator=source).double() * torch.tensor([1, 2, 3, 4, 5.0]) + 1
y = (x[:, 0] + torch.randn(300, generator=source) > 1).double()
answer = []
for penalty, probe in zip(e.PENALTIES, e.fit(x, y)):
    spread = x.std(0)
    w, b = (probe.weights * spread).requires_grad_(), probe.bias.clone().requires_grad_()
    logits = (x / spread) @ w + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y) + penalty / 2 * w @ w
    answer += [g.abs().max().item() for g in torch.autograd.grad(loss, (w, b))]
"""
    assert max(ask(program)) < 1e-5


STEERED = """
class Linear:
    def rest(self, x, layer):
        logits = torch.zeros(*x.shape[:2], e.vocabulary(small))
        logits[..., 32:64] = x[..., :1]  # words of topic 1
        return logits
stream, push = torch.randn(20, 3, 4, generator=source), torch.tensor([0.7, 5.0, 0, 0])
step = e.steer(Linear(), stream, 0, push, small)
still = e.steer(Linear(), stream, 0, 0 * push, small)
known, labels = torch.randn(50, 4, generator=source).double(), torch.arange(50) % 2
gap = known[labels == 1].mean(0) - known[labels == 0].mean(0)
probe = e.Probe(torch.tensor([3.0, 0, 0, 0]).double(), torch.tensor(0.0))
directions = []
for e.MEAN_SHARE in (0, 1):
    along, size = e.direction(probe, known, labels)
    directions.append([(along * 2 * size / gap.norm()).tolist(), (gap / gap.norm()).tolist()])
answer = [step.shift, still.shift, step.divergence, still.divergence, directions]
"""


@pytest.mark.engine
def test_steering_moves_what_the_model_computes_from_the_last_token_and_nothing_else() -> None:
    """Log-odds that equal the first coordinate move by twice the push; a step joins the means."""
    shift, still, divergence, none, (weights, means) = ask(STEERED)
    assert shift == pytest.approx({"topic": 1.4, "mode": 0}, abs=1e-5)
    assert still == pytest.approx({"topic": 0, "mode": 0}, abs=1e-6)
    assert divergence > 0.01 > none == pytest.approx(0, abs=1e-9)
    assert weights[0] == pytest.approx([1, 0, 0, 0])
    assert means[0] == pytest.approx(means[1])


LABELS = "labels, n = self.labels[name].to(self.device), self.n"
LEAKS = {
    "unchanged": ("is_causal=True", "is_causal=True", ""),
    "no_mask": ("is_causal=True", "is_causal=False", "below the least"),
    "own_targets": ("model(text[:, :-1])", "model(text[:, 1:])", "below the least"),
    "test_in_development": (
        "self.all.part(self.n, every)",
        "self.all.part(self.n - 1, every - 1)",
        "1 sentences are in the development and in the test part",
    ),
    "labels_in_activations": (
        LABELS,
        LABELS + "; activations = [one + labels[:, None] for one in activations]",
        "read a random label",
    ),
    "planted_too_early": ("if layer == self.layer:", "if layer >= 1:", "the planted label behind"),
}
LEAKING = """
taught = replace(small, updates=120, development=300, test=300)
answer = {}
for name, (old, new) in json.load(open("leaks.json")).items():
    code = open("experiment.py").read()
    assert code.count(old) == 1, old
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(code.replace(old, new), name, "exec"), module.__dict__)
    try:
        module.study(taught, 1337, "cpu")
        answer[name] = ""
    except SystemExit as error:
        answer[name] = str(error)
"""


@pytest.mark.engine
def test_a_study_that_leaks_is_stopped_and_the_unchanged_one_is_not() -> None:
    swaps = {name: (old, new) for name, (old, new, _) in LEAKS.items()}
    said = ask(LEAKING, **{"leaks.json": json.dumps(swaps).encode()})
    assert said.pop("unchanged") == ""
    assert {name: words for name, words in said.items() if LEAKS[name][2] not in words} == {}
    assert len(said) == len(LEAKS) - 1


@pytest.mark.engine
def test_the_full_scale_is_the_one_that_the_documentation_states() -> None:
    full, short = ask("answer = [asdict(e.SCALES[name]) for name in ('full', 'short')]")
    assert (full["layers"], full["width"], full["heads"]) == (4, 64, 4)
    assert (full["length"], full["places"], full["updates"]) == (48, 32, 2000)
    assert (full["development"], full["test"], full["folds"]) == (2000, 2000, 5)
    same = ("layers", "width", "heads", "length", "places", "batch", "rate")
    assert [short[key] for key in same] == [full[key] for key in same]
    assert short["updates"] == 20
