"""templates/tensorf: rays are integrated as closed forms say, and tensors are what their names promise."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("tensorf", shipped_root())

BEGIN = """
import json, math, numpy as np, torch, experiment as e
import torch.nn.functional as F
from dataclasses import asdict, replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
smoke = e.SCALES["smoke"]
random = torch.Generator().manual_seed(3)
def rays_in(n):
    place = 2.8 * F.normalize(torch.randn(n, 3, generator=random).double(), dim=1)
    toward = F.normalize(0.4 * torch.randn(n, 3, generator=random) - place, dim=1)
    return torch.cat([place, toward], dim=1)
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container


@pytest.fixture(scope="module")
def truths() -> Any:
    told = (f"{program}\ntold[{name!r}] = answer\n" for name, program in TRUTHS.items())
    program = f"{BEGIN}told = {{}}\n{''.join(told)}json.dump(told, open('answer.json', 'w'))"
    return rig.ask(TEMPLATE, program)


TRUTHS["slab"] = """
rays, colour = rays_in(200), torch.tensor([0.2, 0.5, 0.9], dtype=torch.double)
enter, leave = e.inside_box(rays[:, :3], rays[:, 3:], 1.0)
slab = lambda points, _: (torch.full((len(points),), 1.7, dtype=torch.double), colour.expand(len(points), 3))
through = torch.exp(-1.7 * (leave - enter))[:, None]
true = colour * (1 - through) + through
answer = {"off": [float((e.render(slab, rays, n, 1.0, jitter) - true).abs().max())
                  for n, jitter in ((1, None), (7, None), (64, None), (7, random))],
          "hit": float((leave > enter).double().mean()), "spread": float(through.std())}
ramp = lambda points, _: (0.8 * (points[:, 2] + 1), torch.zeros(len(points), 3).double())
straight = torch.tensor([[0.1, -0.2, -3.0, 0.0, 0.0, 1.0]]).double()
answer["ramp"] = [float(e.render(ramp, straight, n, 1.0)[0, 0]) for n in (4, 32)]
answer["miss"] = e.render(slab, torch.tensor([[3.0, 3.0, 0, 0, 0, 1.0]]).double(), 8, 1.0)[0].tolist()
"""


@pytest.mark.engine
def test_a_slab_and_a_ramp_of_density_are_rendered_as_their_closed_forms(truths: Any) -> None:
    told = truths["slab"]
    assert max(told["off"]) < 1e-12
    assert told["hit"] > 0.9
    assert told["spread"] > 0.01  # the rays differ in their way through the slab
    assert told["ramp"] == pytest.approx([math.exp(-1.6)] * 2)  # the integral of 0.8 s from 0 to 2
    assert told["miss"] == [1, 1, 1]


TRUTHS["scene"] = """
boxes = e.Scene(False, torch.tensor([[0, 0, -0.5], [0, 0, 0.4]]).double(), torch.full((2, 3), 0.2).double(),
                torch.tensor([[1.0, 0, 0], [0, 1, 0]]).double(), torch.tensor([2.0, 5.0]).double(), torch.eye(3).double())
straight = torch.tensor([[0.1, -0.1, -3.0, 0.0, 0.0, 1.0]]).double()
answer = {"two": boxes.exact(straight)[0].tolist(), "apart": {}, "psnr": {}}
rays = rays_in(2000)
for kind in e.KINDS:
    scene = e.draw_scene(kind, 11)
    true = scene.exact(rays).double()
    seen = [e.render(scene.field, rays, n, 1.0) for n in (32, 256, 2048)]
    answer["psnr"][kind] = [float(e.psnr(one[None], true[None])) for one in seen]
tilted, aligned = e.draw_scene("tilted", 11), e.draw_scene("aligned", 11)
turned = torch.cat([rays[:, :3] @ tilted.turn.T, rays[:, 3:] @ tilted.turn.T], dim=1)
answer["turned"] = float((tilted.exact(rays) - aligned.exact(turned)).abs().max())
answer["still"] = float((tilted.exact(rays) - aligned.exact(rays)).abs().max())
answer["within"] = max(float((s.centre.norm(dim=1) + (s.half[:, 0] if s.balls else s.half.norm(dim=1))).max())
                       for s in (e.draw_scene(kind, seed) for kind in e.KINDS for seed in range(40)))
"""


@pytest.mark.engine
def test_pictures_of_the_truth_are_exact_and_sampling_comes_nearer_with_more_samples(
    truths: Any,
) -> None:
    told = truths["scene"]
    first, second = math.exp(-2 * 0.4), math.exp(-5 * 0.4)
    white = first * second
    assert told["two"] == pytest.approx([1 - first + white, first * (1 - second) + white, white])
    for few, more, most in told["psnr"].values():
        assert 25 < few < more < most
        assert most > 45
    assert told["turned"] < 1e-6
    assert told["still"] > 0.5
    assert told["within"] <= 1.01  # so that no turn moves an object out of the cube


TRUTHS["quality"] = """
truth = torch.rand(2, 576, 3, generator=random)
noise = 0.05 * torch.randn(2, 576, 3, generator=random)
flat = [torch.full((1, 576, 3), value) for value in (0.3, 0.6)]
answer = {"equal": [float(e.psnr(truth, truth).min()), float(e.ssim(truth, truth).min())],
          "shifted": e.psnr(truth + 0.1, truth).tolist(), "noise": e.psnr(truth + noise, truth).tolist(),
          "flat": float(e.ssim(*flat)), "apart": float(e.ssim(truth[:1], truth[1:]))}
"""


@pytest.mark.engine
def test_quality_of_known_errors_is_what_follows_from_them(truths: Any) -> None:
    told = truths["quality"]
    assert told["equal"] == pytest.approx([100, 1])
    assert told["shifted"] == pytest.approx([20, 20], abs=1e-4)
    assert told["noise"] == pytest.approx([-20 * math.log10(0.05)] * 2, abs=0.5)
    assert told["flat"] == pytest.approx((2 * 0.18 + 1e-4) / (0.09 + 0.36 + 1e-4), rel=1e-5)
    assert told["apart"] < 0.2


TRUTHS["tensors"] = """
points = 2 * torch.rand(500, 3, generator=random) - 1
answer = {"off": {}, "parameters": {}}
for name, e.DECOMPOSITION in (("VM", 0), ("CP", 1)):
    torch.manual_seed(1)
    one = e.Tensors(9)
    lines = one.lines[..., 0]  # axis, term, place
    if name == "CP":
        dense = torch.einsum("ti,tj,tk->tijk", *lines)
    else:
        x, y, z = (torch.einsum(f"t{a},t{b}{c}->tijk", lines[i], one.planes[i].transpose(1, 2))
                   for i, (a, b, c) in enumerate((("i", "j", "k"), ("j", "i", "k"), ("k", "i", "j"))))
        dense = torch.cat([x, y, z])
    at = points[None, :, None, None, [2, 1, 0]]  # grid_sample names the last axis first
    true = F.grid_sample(dense[None], at, align_corners=True)[0].flatten(1).T
    answer["off"][name] = [float((one(points) - true).abs().max()), float(true.abs().max())]
    field = e.RadianceField(32, 16, 1.0)
    answer["parameters"][name] = sum(p.numel() for p in field.parameters())
e.DECOMPOSITION = 0
"""


@pytest.mark.engine
def test_decomposed_tensors_are_read_like_the_dense_ones_that_they_stand_for(truths: Any) -> None:
    told = truths["tensors"]
    for off, size in told["off"].values():
        assert off < 1e-6 < size
    rest = 24 * 8 + (8 + 3) * 16 + 16 + 16 * 3 + 3  # the basis and the decoder
    assert told["parameters"] == {
        "VM": 2 * 3 * 8 * (32 + 32**2) + rest,
        "CP": 2 * 3 * 24 * 32 + rest,
    }


TRUTHS["format"] = """
from pathlib import Path
from PIL import Image
folder = Path("mine"); (folder / "test").mkdir(parents=True, exist_ok=True)
scene, frames, poses = e.draw_scene("spheres", 5), [], []
for i in range(3):
    pose = e.looking_in(e.DISTANCE * F.normalize(torch.tensor([1.0, i - 1.0, 0.5]).double(), dim=0))
    poses.append(pose)
    whole = torch.cat([pose, torch.tensor([[0, 0, 0, 1.0]]).double()]).tolist()
    frames.append({"file_path": f"./test/r_{i}", "transform_matrix": whole})
made = e.views(poses, scene, 48)
for i, shown in enumerate(made.pictures):
    pixels = (255 * shown.view(48, 48, 3)).round().byte().numpy()
    clear = np.full((48, 48, 1), 255, np.uint8); clear[0, 0] = 0
    Image.fromarray(np.concatenate([pixels, clear], axis=2)).save(folder / f"test/r_{i}.png")
(folder / "transforms_test.json").write_text(json.dumps({"camera_angle_x": e.ANGLE, "frames": frames}))
read = e.read_views(folder, "test", 48, np.array([0, 2, 7]))
half = e.read_views(folder, "test", 24, np.array([0]))
answer = {"pictures": float((read.pictures - made.pictures[[0, 2]])[:, 1:].abs().max()), "clear": read.pictures[:, 0].tolist(),
          "rays": float((read.rays - made.rays[[0, 2]]).abs().max()), "place": float((read.place - made.place[[0, 2]]).abs().max()),
          "half": [half.pictures[0, 1].mean().item(), read.pictures[0].view(48, 48, 3)[:2, 2:4].mean().item()],
          "middle": F.normalize(-read.place, dim=1).tolist(), "axis": read.rays.mean(dim=1)[:, 3:].tolist()}
"""


@pytest.mark.engine
def test_pictures_in_the_format_of_nerf_are_read_with_their_cameras(truths: Any) -> None:
    told = truths["format"]
    assert told["pictures"] <= 0.5 / 255 + 1e-6
    assert told["clear"] == [[1, 1, 1]] * 2  # a clear pixel shows the white behind it
    assert told["rays"] < 1e-6
    assert told["place"] < 1e-9
    assert told["half"][0] == pytest.approx(told["half"][1], abs=1e-6)
    for axis, middle in zip(told["axis"], told["middle"], strict=True):
        assert [x / math.hypot(*axis) for x in axis] == pytest.approx(middle, abs=1e-4)


TRUTHS["scales"] = """
answer = {name: asdict(scale) | {"grid": scale.grid, "samples": scale.samples} for name, scale in e.SCALES.items()}
"""


@pytest.mark.engine
def test_the_scales_are_those_that_the_documentation_states(truths: Any) -> None:
    full, short, smoke = (truths["scales"][name] for name in ("full", "short", "smoke"))
    assert (full["pixels"], full["grid"], full["samples"], full["updates"]) == (64, 64, 64, 1500)
    assert (short["pixels"], short["grid"], short["updates"]) == (64, 64, 20)
    assert (smoke["pixels"], smoke["grid"], smoke["samples"], smoke["updates"]) == (24, 32, 32, 150)
    for name, scale in truths["scales"].items():
        assert TEMPLATE.manifest.seeds(name, "aligned") == tuple(scale["seeds"])
