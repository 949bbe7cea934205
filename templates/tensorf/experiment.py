"""python experiment.py --out_dir=run_0

A radiance field learned from pictures: density and colour of a scene are read from tensors that are
sums of products of vectors and matrices (TensoRF, Chen et al. 2022), and pictures are made by
integrating along rays. Each data set of the results is a kind of scene:

  aligned  boxes along the axes of the tensors
  tilted   the same boxes, turned
  spheres  balls
  others   at the scale full, each folder of /data/nerf_synthetic with transforms_train.json,
           transforms_val.json, transforms_test.json and their PNG pictures, the format of NeRF's
           synthetic scenes (aisci run --data DIR mounts DIR/nerf_synthetic)

Within a box or ball, density and colour are constant, so that every picture of the truth is a closed
form: no samples, no error. `true_field_psnr` is what the truth itself reaches through the samples that
the learned field is rendered with.

Cameras are split into training, validation (chooses the state of the field) and test (chooses
nothing). Quality is the peak signal-to-noise ratio (PSNR) of whole test pictures.

Writes into out_dir
  final_info.json  {scene: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                            "final_info_dict": {metric: [x per seed]}}}
  curves.json      {scene: {"step": [...], "val_psnr", "train_psnr": [[per step] per seed]}}
  views.json       {scene: {"psnr", "nearest": [[per test view] per seed]}}: degrees to the nearest
                   training camera
  pictures.json    {scene: {"truth", "rendered": [pixels, rows of red, green, blue]}}: the first test
                   view of the first seed

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
import torch.nn.functional as F
from common import Metrics, counter, summarise, told, write_results
from PIL import Image
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

COMPONENTS = 8  # a tensor is a sum of three times so many products
DECOMPOSITION = 0  # 0: each product is a vector and a matrix (VM); 1: three vectors (CP)
GRID_RESOLUTION = 64  # entries along an axis; smoke has half of them
SAMPLES_PER_RAY = 64  # smoke has half of them
TV_WEIGHT = 0.01  # of the total variation of the tensors, in the training loss
LEARNING_RATE = 0.1  # Adam step size of the tensors at the start; the decoder's is a tenth
TRAIN_VIEWS = 24  # pictures that the field learns from

# --------------------------------------------------------------------------------------------------
# Sizes

OBJECTS = 4  # of a drawn scene
DISTANCE, ANGLE = 2.8, 0.6911  # of a camera from the middle; its field of view in radians
FEATURES = 8  # that the decoder turns into a colour
DENSITY_SCALE, DENSITY_SHIFT = 20.0, -4.0  # an untrained field is nearly clear
USER = Path("/data") / "nerf_synthetic"
USER_BOUND = 1.5  # half the side of the box around a user's scene
KINDS = ("aligned", "tilted", "spheres")


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]
    pixels: int  # of a picture's side
    detail: float  # share of GRID_RESOLUTION and SAMPLES_PER_RAY
    choosing: int  # validation views
    test: int  # test views
    updates: int
    batch: int  # rays per update
    eval_every: int  # updates between two looks at the validation views
    width: int  # of the decoder
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it

    @property
    def grid(self) -> int:
        return max(2, round(self.detail * GRID_RESOLUTION))

    @property
    def samples(self) -> int:
        return max(2, round(self.detail * SAMPLES_PER_RAY))


SCALES = {
    "full": Scale(
        seeds=(1337, 1338, 1339), pixels=64, detail=1.0, choosing=6, test=12,
        updates=1500, batch=1024, eval_every=150, width=32, threads=1,
    ),
    "smoke": Scale(
        seeds=(1337, 1338, 1339), pixels=24, detail=0.5, choosing=3, test=6,
        updates=150, batch=256, eval_every=50, width=16, threads=1,
    ),
}  # fmt: skip
SCALES["short"] = replace(SCALES["full"], seeds=(1337,), updates=20, eval_every=20)

# --------------------------------------------------------------------------------------------------
# The integral along rays


def composite(density: torch.Tensor, colour: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Colours of rays (rays, 3) in front of white, from stretches of constant density and colour.

    Exact for such stretches (Max 1995): each lets through exp(-density x length).
    """
    depth = density * length
    before = F.pad(depth.cumsum(dim=1)[:, :-1], (1, 0))
    weight = torch.exp(-before) * -torch.expm1(-depth)
    left = torch.exp(-depth.sum(dim=1, keepdim=True))
    return (weight[..., None] * colour).sum(dim=1) + left


Field = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def inside_box(
    origin: torch.Tensor, direction: torch.Tensor, bound: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where rays enter and leave the cube of half side ``bound``; equal where they miss it."""
    return crossing(origin, direction, torch.full((3,), bound).to(origin))


def crossing(
    origin: torch.Tensor, direction: torch.Tensor, half: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where rays enter and leave a box around 0, in lengths of ``direction``."""
    steep = torch.where(direction.abs() < 1e-9, torch.full_like(direction, 1e-9), direction)
    one, other = (-half - origin) / steep, (half - origin) / steep
    enter = torch.minimum(one, other).amax(dim=-1).clamp(min=0)
    leave = torch.maximum(one, other).amin(dim=-1)
    return enter, torch.maximum(leave, enter)


def render(
    field: Field,
    rays: torch.Tensor,
    samples: int,
    bound: float,
    jitter: torch.Generator | None = None,
) -> torch.Tensor:
    """Colours of ``rays`` (rays, 6: origin and unit direction), by equal stretches within the cube.

    A stretch is as the field is at its middle, or with ``jitter`` at a random place in it.
    """
    origin, direction = rays[:, None, :3], rays[:, None, 3:]
    enter, leave = inside_box(rays[:, :3], rays[:, 3:], bound)
    step = ((leave - enter) / samples)[:, None]
    share = torch.full((len(rays), samples), 0.5)
    if jitter is not None:
        share = torch.rand(len(rays), samples, generator=jitter)
    place = enter[:, None] + step * (torch.arange(samples, device=rays.device) + share.to(rays))
    points = origin + place[..., None] * direction
    density, colour = field(points.reshape(-1, 3), direction.expand_as(points).reshape(-1, 3))
    shape = (len(rays), samples)
    return composite(density.view(shape), colour.view(*shape, 3), step.expand(shape))


# --------------------------------------------------------------------------------------------------
# Scenes whose pictures are closed forms


@dataclass(frozen=True)
class Scene:
    """Boxes or balls, within 1 of the middle; where they overlap, densities add."""

    balls: bool
    centre: torch.Tensor  # (objects, 3)
    half: torch.Tensor  # (objects, 3): half the sides, or the radius three times
    colour: torch.Tensor  # (objects, 3)
    density: torch.Tensor  # (objects,)
    turn: torch.Tensor  # (3, 3): from the world to the axes of the boxes

    def field(
        self, points: torch.Tensor, _: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The true density and colour at points."""
        away = (points @ self.turn.T.to(points))[:, None] - self.centre.to(points)
        away = away / self.half.to(points)
        inside = (away**2).sum(-1) <= 1 if self.balls else away.abs().amax(-1) <= 1
        return self.mixed(inside)

    def mixed(self, inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        each = inside * self.density.to(inside.device)
        total = each.sum(dim=-1)
        colour = each @ self.colour.to(each) / total.clamp(min=1e-9)[..., None]
        return total, colour

    def crossings(self, rays: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where each ray enters and leaves each object, (rays, objects)."""
        origin = (rays[:, :3] @ self.turn.T)[:, None] - self.centre
        direction = (rays[:, 3:] @ self.turn.T)[:, None].expand_as(origin)
        if not self.balls:
            return crossing(origin, direction, self.half)
        along = (origin * direction).sum(-1)
        inner = along**2 - (origin**2).sum(-1) + self.half[:, 0] ** 2
        reach = inner.clamp(min=0).sqrt()
        enter = (-along - reach).clamp(min=0)
        return enter, torch.maximum(-along + reach, enter)

    def exact(self, rays: torch.Tensor) -> torch.Tensor:
        """Colours of rays without any sampling: between two crossings nothing changes."""
        rays = rays.double()
        enter, leave = self.crossings(rays)
        edges = torch.cat([enter, leave], dim=1).sort(dim=1).values
        middle = ((edges[:, 1:] + edges[:, :-1]) / 2)[..., None]
        inside = (middle > enter[:, None]) & (middle < leave[:, None])
        return composite(*self.mixed(inside), edges.diff(dim=1)).float()


def turned(angle: float, axis: tuple[float, float, float]) -> torch.Tensor:
    """The rotation by ``angle`` about ``axis`` (Rodrigues)."""
    x, y, z = (c / math.hypot(*axis) for c in axis)
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.double)
    eye = torch.eye(3, dtype=torch.double)
    return eye + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def draw_scene(kind: str, seed: int) -> Scene:
    """`aligned` and `tilted` of one seed have the same objects."""
    rng = np.random.Generator(np.random.PCG64([seed, int(kind == "spheres")]))
    away = rng.standard_normal((OBJECTS, 3))
    away *= rng.uniform(0.2, 0.5, (OBJECTS, 1)) / np.linalg.norm(away, axis=1, keepdims=True)
    half = rng.uniform(0.15, 0.29, (OBJECTS, 3))
    if kind == "spheres":
        half = np.repeat(rng.uniform(0.2, 0.42, (OBJECTS, 1)), 3, axis=1)
    hue = rng.permutation(OBJECTS)[:, None] / OBJECTS + np.array([0, 1 / 3, 2 / 3])
    colour = 0.5 + 0.4 * np.cos(2 * np.pi * hue)
    turn = turned(0.8, (1.0, 0.7, 0.4)) if kind == "tilted" else torch.eye(3, dtype=torch.double)
    density = rng.uniform(8, 40, OBJECTS)
    parts = (torch.tensor(values) for values in (away, half, colour, density))
    return Scene(kind == "spheres", *parts, turn)


# --------------------------------------------------------------------------------------------------
# Views


@dataclass(frozen=True)
class Views:
    place: torch.Tensor  # (views, 3)
    rays: torch.Tensor  # (views, pixels x pixels, 6)
    pictures: torch.Tensor  # (views, pixels x pixels, 3)


@dataclass(frozen=True)
class Split:
    known: Views  # learned from
    validation: Views  # chooses the state
    test: Views  # chooses nothing


def rays_of(pose: torch.Tensor, pixels: int, angle: float) -> torch.Tensor:
    """A ray through the middle of each pixel, by rows; a camera looks along its -z, as in Blender."""
    focal = 0.5 * pixels / math.tan(0.5 * angle)
    at = torch.arange(pixels, dtype=torch.double) + 0.5 - pixels / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    local = torch.stack([x / focal, -y / focal, -torch.ones_like(x)], dim=-1).reshape(-1, 3)
    direction = F.normalize(local @ pose[:3, :3].T, dim=-1)
    return torch.cat([pose[:3, 3].expand_as(direction), direction], dim=-1)


def looking_in(place: torch.Tensor) -> torch.Tensor:
    """The pose of a camera at ``place`` that looks at the middle, z being up."""
    back = F.normalize(place, dim=0)
    right = F.normalize(torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0]).to(place), back), dim=0)
    return torch.stack([right, torch.linalg.cross(back, right), back, place], dim=1)


def views(poses: list[torch.Tensor], scene: Scene, pixels: int) -> Views:
    rays = torch.stack([rays_of(pose, pixels, ANGLE) for pose in poses])
    pictures = torch.stack([scene.exact(one) for one in rays])
    return Views(torch.stack([pose[:, 3] for pose in poses]), rays.float(), pictures)


def draw_views(scene: Scene, scale: Scale, seed: int) -> Split:
    """Cameras at random places around the scene, all at one distance; test cameras come first.

    So the test views of a seed are the same whatever TRAIN_VIEWS is.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 2]))
    drawn = rng.random((scale.test + scale.choosing + TRAIN_VIEWS, 2))  # a row for each camera
    height, around = 1.5 * drawn[:, 0] - 0.6, 2 * np.pi * drawn[:, 1]
    flat = np.sqrt(1 - height**2)
    places = DISTANCE * np.stack([flat * np.cos(around), flat * np.sin(around), height], axis=1)
    poses = [looking_in(torch.tensor(place)) for place in places]
    test, rest = poses[: scale.test], poses[scale.test :]
    parts = (rest[scale.choosing :], rest[: scale.choosing], test)
    return Split(*(views(part, scene, scale.pixels) for part in parts))


def read_views(folder: Path, part: str, pixels: int, which: np.ndarray) -> Views:
    """Some views of NeRF's format: transforms_PART.json, and pictures with an alpha channel."""
    told_of = json.loads((folder / f"transforms_{part}.json").read_text())
    places, rays, pictures = [], [], []
    for frame in (told_of["frames"][i] for i in which if i < len(told_of["frames"])):
        pose = torch.tensor(frame["transform_matrix"], dtype=torch.double)
        with Image.open(folder / f"{frame['file_path'].removeprefix('./')}.png") as image:
            both = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255
        shown = both[..., :3] * both[..., 3:] + 1 - both[..., 3:]
        block = max(1, len(shown) // pixels)  # averages of blocks, as a coarser sensor sees
        side = len(shown) // block
        shown = shown[: side * block, : side * block]
        shown = shown.reshape(side, block, side, block, 3).mean(axis=(1, 3))
        places.append(pose[:3, 3])
        rays.append(rays_of(pose, side, told_of["camera_angle_x"]).float())
        pictures.append(torch.tensor(shown.reshape(-1, 3), dtype=torch.float32))
    return Views(torch.stack(places), torch.stack(rays), torch.stack(pictures))


def read_split(folder: Path, scale: Scale, seed: int) -> Split:
    """The test views are the same for all seeds; a seed chooses those that are learned from."""
    order = np.random.default_rng(seed).permutation(100)[:TRAIN_VIEWS]
    wanted = {
        "train": order,
        "val": np.arange(0, 100, max(1, 100 // scale.choosing))[: scale.choosing],
        "test": np.arange(0, 200, max(1, 200 // scale.test))[: scale.test],
    }
    return Split(*(read_views(folder, part, scale.pixels, i) for part, i in wanted.items()))


def check_apart(parts: Split) -> None:
    """Stop if a validation or test view is learned from, or a test view helps to choose."""
    names = list(vars(parts))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        a, b = (getattr(parts, names[i]) for i in (one, other))
        same_place = torch.cdist(a.place, b.place) < 1e-6
        apart = torch.cdist(a.pictures.flatten(1), b.pictures.flatten(1))
        shown = (b.pictures < 1).any(dim=2).any(dim=1)  # two empty pictures may be equal
        shared = int((same_place | ((apart == 0) & shown)).any(dim=0).sum())
        if shared:
            raise SystemExit(
                f"the split leaks: {shared} views of the {names[other]} part are in the "
                f"{names[one]} part too; the quality of test views means nothing then"
            )


# --------------------------------------------------------------------------------------------------
# Quality


def psnr(pictures: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each picture in decibels; 100 and more is as good as equal."""
    error = ((pictures - truth).double() ** 2).flatten(1).mean(dim=1)
    return -10 * torch.log10(error.clamp(min=1e-10))


def ssim(pictures: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Structural similarity of each picture (Wang et al. 2004), by windows of 11 x 11 pixels."""
    n, side = len(pictures), math.isqrt(pictures.shape[1])
    x, y = (p.double().view(n, side, side, 3).movedim(3, 1) for p in (pictures, truth))
    bell = torch.exp(-((torch.arange(11, dtype=torch.double) - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(bell, bell) / bell.sum() ** 2
    window = window.expand(3, 1, 11, 11).contiguous().to(x)

    def near(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(values, window, groups=3)

    mean_x, mean_y = near(x), near(y)
    spread = near(x * x) - mean_x**2 + near(y * y) - mean_y**2
    both = near(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return (alike / ((mean_x**2 + mean_y**2 + c1) * (spread + c2))).flatten(1).mean(dim=1)


# --------------------------------------------------------------------------------------------------
# The field


class Tensors(nn.Module):
    """Sums of products over a grid: every term read at points, (points, 3 x COMPONENTS)."""

    def __init__(self, grid: int) -> None:
        super().__init__()
        if DECOMPOSITION == 1:
            self.lines = nn.Parameter(0.3 * torch.randn(3, 3 * COMPONENTS, grid, 1))
            self.planes = None
        else:
            self.lines = nn.Parameter(0.1 * torch.randn(3, COMPONENTS, grid, 1))
            self.planes = nn.Parameter(0.1 * torch.randn(3, COMPONENTS, grid, grid))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """``points`` within -1 and 1."""
        along = points.T[:, :, None]  # an axis, a point
        at = torch.stack([torch.zeros_like(along), along], dim=-1)
        lines = F.grid_sample(self.lines, at, align_corners=True)[..., 0]
        if self.planes is None:
            return lines.prod(dim=0).T
        across = torch.stack([points[:, [1, 2]], points[:, [0, 2]], points[:, [0, 1]]])
        planes = F.grid_sample(self.planes, across[:, :, None], align_corners=True)[..., 0]
        return (lines * planes).flatten(0, 1).T

    def variation(self) -> torch.Tensor:
        """Mean squared differences of neighbours: the total variation of TensoRF."""
        total = self.lines.diff(dim=2).square().mean()
        if self.planes is not None:
            total = total + self.planes.diff(dim=2).square().mean()
            total = total + self.planes.diff(dim=3).square().mean()
        return total


class RadianceField(nn.Module):
    """Density is a sum of the terms; a colour comes from features of other terms and the direction."""

    def __init__(self, grid: int, width: int, bound: float) -> None:
        super().__init__()
        self.bound = bound
        self.density, self.appearance = Tensors(grid), Tensors(grid)
        self.basis = nn.Linear(3 * COMPONENTS, FEATURES, bias=False)
        self.decoder = nn.Sequential(
            nn.Linear(FEATURES + 3, width), nn.ReLU(), nn.Linear(width, 3), nn.Sigmoid()
        )

    def forward(
        self, points: torch.Tensor, direction: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        points = points / self.bound
        density = F.softplus(self.density(points).sum(dim=1) + DENSITY_SHIFT)
        seen = torch.cat([self.basis(self.appearance(points)), direction], dim=1)
        return DENSITY_SCALE * density, self.decoder(seen)


@torch.no_grad()
def picture(field: Field, some: Views, samples: int, bound: float, device: str) -> torch.Tensor:
    """Whole pictures, as ``some.pictures``."""
    rays = some.rays.flatten(0, 1)
    found = [
        render(field, rays[i : i + 4096].to(device), samples, bound).cpu()
        for i in range(0, len(rays), 4096)
    ]
    return torch.cat(found).view_as(some.pictures)


# --------------------------------------------------------------------------------------------------
# Training

Curve = dict[str, list[float]]


def train(
    parts: Split, bound: float, scale: Scale, seed: int, device: str, advance: Callable[[], None]
) -> tuple[RadianceField, Metrics, Curve]:
    """The field at its best state, first metrics, and quality over training."""
    check_apart(parts)
    torch.manual_seed(seed)  # initial values
    source = torch.Generator().manual_seed(seed)
    field = RadianceField(scale.grid, scale.width, bound).to(device)
    tensors = [*field.density.parameters(), *field.appearance.parameters()]
    others = [*field.basis.parameters(), *field.decoder.parameters()]
    optimiser = torch.optim.Adam(
        [{"params": tensors}, {"params": others, "lr": LEARNING_RATE / 10}],
        lr=LEARNING_RATE,
        betas=(0.9, 0.99),
    )
    falling = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1 ** (1 / scale.updates))
    rays, truth = parts.known.rays.flatten(0, 1), parts.known.pictures.flatten(0, 1)

    def quality(some: Views) -> float:
        seen = picture(field, some, scale.samples, bound, device)
        return psnr(seen, some.pictures).mean().item()

    few = Views(*(values[: scale.choosing] for values in vars(parts.known).values()))
    initial, seconds = quality(parts.test), 0.0
    curve: Curve = {"step": [], "val_psnr": [], "train_psnr": []}
    best: dict[str, torch.Tensor] = {}
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            seen = (step, quality(parts.validation), quality(few))
            if not curve["val_psnr"] or seen[1] > max(curve["val_psnr"]):
                best = {name: value.clone() for name, value in field.state_dict().items()}
            for name, value in zip(curve, seen, strict=True):
                curve[name].append(value)
        if step == scale.updates:
            break
        start = time.monotonic()
        batch = torch.randint(len(rays), (scale.batch,), generator=source)
        colours = render(field, rays[batch].to(device), scale.samples, bound, source)
        loss = F.mse_loss(colours, truth[batch].to(device))
        rough = field.density.variation() + field.appearance.variation()
        optimiser.zero_grad(set_to_none=True)
        (loss + TV_WEIGHT * rough).backward()
        optimiser.step()
        falling.step()
        seconds += time.monotonic() - start
        advance()
    field.load_state_dict(best)  # chosen on validation views; test views come after it
    parameters = sum(p.numel() for p in tensors)
    metrics = {
        "val_psnr": max(curve["val_psnr"]),
        "train_psnr": quality(few),
        "initial_test_psnr": initial,
        "parameters": float(parameters + sum(p.numel() for p in others)),
        "dense_share": parameters / (scale.grid**3 * (1 + FEATURES)),
        "train_time": seconds,
    }
    return field, metrics, curve


@dataclass(frozen=True)
class Found:
    metrics: Metrics
    curve: Curve
    psnr: list[float]  # of each test view
    nearest: list[float]  # degrees to the nearest training camera
    truth: list
    rendered: list


def study(
    parts: Split,
    scene: Scene | None,
    scale: Scale,
    seed: int,
    device: str,
    advance: Callable[[], None] = lambda: None,
) -> Found:
    """Learn one scene from its training views, and measure its test views."""
    bound = 1.0 if scene is not None else USER_BOUND
    field, metrics, curve = train(parts, bound, scale, seed, device, advance)
    test = parts.test
    seen = picture(field, test, scale.samples, bound, device)
    each = psnr(seen, test.pictures)
    metrics = {
        "test_psnr": each.mean().item(),
        "test_ssim": ssim(seen, test.pictures).mean().item(),
        **metrics,
    }
    if scene is not None:
        true = picture(scene.field, test, scale.samples, bound, "cpu")
        metrics["true_field_psnr"] = psnr(true, test.pictures).mean().item()
    cosines = F.normalize(test.place, dim=1) @ F.normalize(parts.known.place, dim=1).T
    nearest = torch.rad2deg(torch.acos(cosines.amax(dim=1).clamp(-1, 1)))
    shown = [one[0].clamp(0, 1).double().numpy().round(3).tolist() for one in (test.pictures, seen)]
    return Found(metrics, curve, each.tolist(), nearest.tolist(), *shown)


def gathered(found: list[Found]) -> dict[str, dict]:
    """What is written of one scene, over its seeds."""
    curves = {name: [one.curve[name] for one in found] for name in found[0].curve}
    curves["step"] = found[0].curve["step"]  # the same for every seed
    return {
        "final_info": summarise([one.metrics for one in found]),
        "curves": curves,
        "views": {
            "psnr": [one.psnr for one in found],
            "nearest": [one.nearest for one in found],
        },
        "pictures": {"truth": found[0].truth, "rendered": found[0].rendered},
    }


def own_scenes(size: str) -> dict[str, Path]:
    """The user's scenes by the names of their folders."""
    if size != "full" or not USER.is_dir():
        return {}
    found = sorted(path.parent for path in USER.glob("*/transforms_train.json"))
    return {folder.name: folder for folder in found if folder.name not in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn radiance fields from pictures.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    size = os.environ.get("AISCI_SCALE", "full")
    scale = SCALES[size]
    # A warning only, since a GPU has no repeatable way back from a grid; a CPU's is repeatable.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    own = own_scenes(size)
    advance = counter((len(KINDS) + len(own)) * len(scale.seeds) * scale.updates)
    written: dict[str, dict] = {name: {} for name in ("final_info", "curves", "views", "pictures")}
    for name in (*KINDS, *own):
        found = []
        for seed in scale.seeds:
            scene = None if name in own else draw_scene(name, seed)
            parts = (
                draw_views(scene, scale, seed)
                if scene is not None
                else read_split(own[name], scale, seed)
            )
            found.append(study(parts, scene, scale, seed, device, advance))
        for file, content in gathered(found).items():
            written[file][name] = content
        told(name, written["final_info"][name])
    write_results(out_dir, **written)


if __name__ == "__main__":
    main()
