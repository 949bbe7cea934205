"""templates/compressed_cnn: bits are counted truly, and transforms are what they are named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("compressed_cnn", shipped_root())

BEGIN = """
import json, experiment as e, numpy as np
from dataclasses import asdict
parts = e.split(1337)
known = parts.known.images
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container


@pytest.fixture(scope="module")
def truths() -> Any:
    told = (f"{program}\ntold[{name!r}] = answer\n" for name, program in TRUTHS.items())
    program = f"{BEGIN}told = {{}}\n{''.join(told)}json.dump(told, open('answer.json', 'w'))"
    return rig.ask(TEMPLATE, program)


TRUTHS["cosines"] = """
whole = e.matrix_of(e.Setting("dct", 8), 0)
rows = e.matrix_of(e.Setting("dct", 3), 0)
flat = e.features(whole, np.full((1, 64), 0.5))[0]
e.BITS_PER_FEATURE, e.CLIP_STDS = 20, 40.0  # as good as no quantiser
pixels = {}
for kind in ("none", "dct"):
    coder = e.compressor(e.Setting(kind, 8), known, 0)
    pixels[kind] = coder.pixels(coder.codes(parts.test.images))
e.BITS_PER_FEATURE, e.CLIP_STDS = 4, 2.5
answer = {"whole": np.abs(whole @ whole.T - np.eye(64)).max(), "rows": np.abs(rows @ rows.T - np.eye(9)).max(),
          "flat": [flat[0], np.abs(flat[1:]).max()],
          "none": np.abs(pixels["none"] - parts.test.images).max(),
          "apart": np.abs(pixels["dct"] - pixels["none"]).max()}
"""


@pytest.mark.engine
def test_all_cosines_are_orthonormal_and_give_back_every_pixel(truths: Any) -> None:
    told = truths["cosines"]
    assert max(told["whole"], told["rows"]) < 1e-12
    assert told["flat"] == pytest.approx([4.0, 0.0], abs=1e-12)  # 0.5 x the root of 64 pixels
    assert told["none"] == 0
    assert told["apart"] < 1e-3


# Counted by hand: features x bits of each. 17 grey levels need five bits.
BY_HAND = {
    ("none", 8): 64 * 5,
    ("dct", 2): 4 * 4, ("dct", 4): 16 * 4, ("dct", 8): 64 * 4,
    ("projection", 3): 9 * 4, ("projection", 6): 36 * 4,
    ("downsample", 4): 16 * 4, ("downsample", 6): 36 * 4,
    ("threshold", 4): 16, ("threshold", 8): 64,
}  # fmt: skip


TRUTHS["costs"] = f"""
answer = []
for kind, side in {list(BY_HAND)}:
    setting = e.Setting(kind, side)
    codes = e.compressor(setting, known, 1).codes(parts.test.images)
    answer.append([setting.bits, codes.shape[1], int(codes.min()), int(codes.max())])
"""


@pytest.mark.engine
def test_an_image_costs_what_is_counted_by_hand_and_its_codes_fit_into_that(truths: Any) -> None:
    told = truths["costs"]
    for ((kind, side), bits), (said, stored, least, most) in zip(
        BY_HAND.items(), told, strict=True
    ):
        assert said == bits, (kind, side)
        assert stored == side**2
        assert least == 0
        assert most < 2 ** (bits // stored)
        assert most >= 2 ** (bits // stored - 1)  # no bit is left idle


TRUTHS["threshold"] = """
images = np.tile([0.0, 0.25, 0.5, 0.5625, 0.75, 1.0, 0.4375, 0.0625], (2, 8))
images[1] = 1 - images[1]
coder = e.compressor(e.Setting("threshold", 8), known, 0)
codes = coder.codes(images)
halves = e.compressor(e.Setting("threshold", 4), known, 0).codes(images)
answer = {"codes": codes.tolist(), "halves": halves[0].tolist(), "shown": np.abs(coder.pixels(codes) - codes).max(),
          "bits": e.Setting("threshold", 8).bits, "inputs": [len(np.unique(one)) for one in e.inputs(e.Setting("threshold", 8), parts, 0)[0].reshape(-1, 64).T]}
"""


@pytest.mark.engine
def test_a_threshold_keeps_exactly_one_bit_of_each_pixel(truths: Any) -> None:
    told = truths["threshold"]
    assert told["codes"] == [[0, 0, 0, 1, 1, 1, 0, 0] * 8, [1, 1, 0, 0, 0, 0, 1, 1] * 8]
    assert told["halves"] == [0, 1, 1, 0] * 4  # averages 0.125, 0.53, 0.875 and 0.25
    assert told["bits"] == 64
    assert told["shown"] < 1e-9
    assert max(told["inputs"]) == 2  # and nothing else reaches the network


TRUTHS["lemma"] = """
answer = {}
for side in (4, 8):
    ratios = []
    for seed in range(400):
        one, other = known[seed], known[seed + 400]
        moved = e.features(e.matrix_of(e.Setting("projection", side), seed), (one - other)[None])[0]
        ratios.append((moved @ moved) / ((one - other) @ (one - other)))
    answer[side**2] = ratios
"""


@pytest.mark.engine
def test_random_projections_keep_distances_within_the_bound_of_the_lemma(truths: Any) -> None:
    """P(|ratio - 1| > eps) <= 2 exp(-k (eps^2 / 4 - eps^3 / 6)), by Dasgupta and Gupta."""
    for k, ratios in truths["lemma"].items():
        mean = sum(ratios) / len(ratios)
        assert mean == pytest.approx(1, abs=4 * math.sqrt(2 / int(k) / len(ratios)))
        for eps in (0.3, 0.5, 0.8):
            bound = 2 * math.exp(-int(k) * (eps**2 / 4 - eps**3 / 6))
            far = sum(abs(ratio - 1) > eps for ratio in ratios) / len(ratios)
            assert far <= bound, (k, eps)
        assert sum(abs(ratio - 1) > 0.05 for ratio in ratios) > len(ratios) / 3  # it is random


TRUTHS["averages"] = """
image = np.arange(64.0).reshape(8, 8)
halves = e.features(e.matrix_of(e.Setting("downsample", 4), 0), image.reshape(1, 64))
answer = {"halves": halves[0].tolist(), "blocks": image.reshape(4, 2, 4, 2).mean(axis=(1, 3)).ravel().tolist(),
          "means": [e.features(e.matrix_of(e.Setting("downsample", side), 0), known[:5]).mean(axis=1).tolist() for side in (2, 3, 6, 8)],
          "true": known[:5].mean(axis=1).tolist(), "third": e.averages(3)[0].tolist()}
"""


@pytest.mark.engine
def test_downsampling_averages_blocks_and_keeps_the_mean_of_an_image(truths: Any) -> None:
    told = truths["averages"]
    assert told["halves"] == pytest.approx(told["blocks"])
    assert all(means == pytest.approx(told["true"]) for means in told["means"])
    assert told["third"] == pytest.approx([3 / 8, 3 / 8, 2 / 8, 0, 0, 0, 0, 0])


TRUTHS["learned"] = """
other = e.Split(parts.known, parts.validation, e.Part(1 - parts.test.images, parts.test.labels))
answer = {}
for kind in e.KINDS:
    for e.DECODE in (0, 1):
        a, b = (e.inputs(e.Setting(kind, 8), one, 1) for one in (parts, other))
        answer[f"{kind}{e.DECODE}"] = [bool((x == y).all()) for x, y in zip(a, b)]
e.DECODE = 0
"""


@pytest.mark.engine
def test_what_a_compressor_learns_comes_from_training_images_alone(truths: Any) -> None:
    assert all(same == [True, True, False] for same in truths["learned"].values())


TRUTHS["scales"] = """
answer = {name: asdict(scale) for name, scale in e.SCALES.items()}
answer["networks"] = [sum(p.numel() for p in e.network(side, 16).parameters()) for side in (4, 8)]
"""


@pytest.mark.engine
def test_the_scales_are_those_that_the_documentation_states(truths: Any) -> None:
    told = truths["scales"]
    full, short = told["full"], told["short"]
    assert (full["width"], full["updates"], full["batch"]) == (16, 600, 128)
    assert full["sides"] == told["smoke"]["sides"] == [2, 3, 4, 6, 8]
    assert (short["updates"], short["width"], short["sides"]) == (20, 16, full["sides"])
    for scale in ("full", "smoke", "short"):
        assert TEMPLATE.manifest.seeds(scale, "dct") == tuple(told[scale]["seeds"])
    assert len(full["seeds"]) == 10
    assert told["networks"] == [6090, 9930]
