"""templates/2d_diffusion: its noise adds up, its sampler goes back, its divergence is one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("2d_diffusion", shipped_root())

BEGIN = """
import json, experiment as e, numpy as np, torch
from dataclasses import asdict, replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
rng = np.random.default_rng(0)
"""


def ask(program: str) -> Any:
    return rig.ask(TEMPLATE, f"{BEGIN}{program}\njson.dump(answer, open('answer.json', 'w'))")


SMALL = """
small = replace(e.SCALES["smoke"], updates=20, eval_every=10, points=500, held_out=200)
def train(seed):
    metrics, curve, held_out, points = e.train("dino", small, seed, "cpu", lambda: None)
    return [{k: v for k, v in metrics.items() if "time" not in k}, curve, points.tolist()]
answer = [train(1337), train(1338)]
"""


@pytest.mark.engine
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_others() -> None:
    first, second = ask(SMALL), ask(SMALL)
    assert first == second
    assert first[0] != first[1]


@pytest.mark.engine
def test_the_divergence_of_two_gaussians_is_the_one_that_is_known() -> None:
    """KL(N(0, I) || N(m, s^2 I)) = 2 log s + (2 + |m|^2) / (2 s^2) - 1 in the plane."""
    program = """
p = rng.normal(0, 1, (20000, 2)); q = rng.normal(0, 1.5, (20000, 2)) + [0.5, 0]
answer = {"known": [e.kl_divergence(p, q)], "same": [e.kl_divergence(p, rng.normal(0, 1, (20000, 2)))],
          "twins": [e.kl_divergence(np.repeat(p[:500], 20, axis=0), q)],
          "itself": [e.kl_divergence(p, p)]}
"""
    told = ask(program)
    known = 2 * math.log(1.5) + (2 + 0.25) / (2 * 1.5**2) - 1
    assert told["known"][0] == pytest.approx(known, abs=0.05)
    assert abs(told["same"][0]) < 0.05
    assert all(math.isfinite(value) for values in told.values() for value in values)  # twins too


@pytest.mark.engine
def test_noise_in_one_step_is_noise_added_step_by_step() -> None:
    program = """
noise, n = e.Noise("cpu"), 200_000
x = torch.full((n, 2), 2.0); torch.manual_seed(0)
for t in range(e.NOISE_STEPS):
    x = (1 - noise.beta[t]).sqrt() * x + noise.beta[t].sqrt() * torch.randn(n, 2)
last = torch.full((n,), e.NOISE_STEPS - 1)
at_once = noise.add(torch.full((n, 2), 2.0), torch.randn(n, 2), last)
answer = [[one.mean().item(), one.std().item()] for one in (x, at_once)] + [noise.kept[-1].item()]
"""
    stepwise, at_once, kept = ask(program)
    assert stepwise == pytest.approx(at_once, abs=0.02)
    assert stepwise == pytest.approx([2 * math.sqrt(kept), math.sqrt(1 - kept)], abs=0.02)


@pytest.mark.engine
def test_a_sampler_that_is_told_the_true_noise_comes_back_to_the_points() -> None:
    """For points that all lie at one place the noise in a point is known exactly."""
    program = """
noise, place = e.Noise("cpu"), torch.tensor([1.5, -0.5])
def true(x, t):
    return (x - noise.signal[t, None] * place) / noise.noise[t, None]
points = e.sample(true, noise, 500, 0, "cpu")
answer = [points.mean(axis=0).tolist(), points.std(axis=0).tolist()]
"""
    mean, spread = ask(program)
    assert mean == pytest.approx([1.5, -0.5], abs=1e-3)
    assert max(spread) < 1e-3


@pytest.mark.engine
def test_the_clouds_have_their_shapes_and_the_full_scale_its_sizes() -> None:
    program = """
clouds = {name: draw(20000, np.random.default_rng(1)) for name, draw in e.DRAW.items()}
radius = np.hypot(*clouds["circle"].T)
answer = {"radius": [radius.min(), radius.max()], "line": np.abs(clouds["line"]).max(axis=0).tolist(),
          "spread": {name: points.std(axis=0).tolist() for name, points in clouds.items()},
          "full": asdict(e.SCALES["full"]), "steps": e.NOISE_STEPS, "rate": e.LEARNING_RATE,
          "dino": (clouds["dino"].mean(axis=0) / 4 + 1).tolist()}
"""
    told = ask(program)
    assert told["radius"] == pytest.approx([2.91, 3.09], abs=0.01)
    assert told["line"] == pytest.approx([2, 4], abs=0.01)
    assert all(0.9 < value < 2.6 for spread in told["spread"].values() for value in spread)
    assert told["dino"] == pytest.approx([54.26 / 54, 47.83 / 48], abs=0.02)  # as published
    full = told["full"]
    assert (full["embedding"], full["hidden"], full["blocks"]) == (128, 256, 3)
    assert (full["points"], full["updates"], full["batch"]) == (100_000, 10_000, 256)
    assert (told["steps"], told["rate"], len(full["seeds"])) == (100, 3e-4, 3)
    assert full["held_out"] == 10_000
    assert full["clouds"] == ["circle", "dino", "line", "moons"]
