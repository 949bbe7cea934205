"""python experiment.py --out_dir=run_0

Diffusion models of points in the plane: a small network learns to take the noise out of points of
a circle, a dinosaur, a line and two half-moons, and from noise alone it then draws new points.
Each cloud is learned with several seeds; a seed fixes the points, the initial weights, the batches
and the samples. Loss is the mean squared error of the predicted noise, on points held out from
training; how well the samples fit is the Kullback-Leibler divergence of the cloud from them, in
nats, estimated from nearest neighbours (Wang, Kulkarni and Verdu, 2009).

Writes into out_dir
  final_info.json   {cloud: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                             "final_info_dict": {metric: [x per seed]}}}
  curves.json       {cloud: {"step": [x per point], "train_loss": [[x per point] per seed]}}
  points.json       {cloud: {"held_out": [[x, y]], "samples": [[x, y]]}}, a thousand of the first seed

AISCI_SCALE=full (default) is the study; smoke is the same program made small for a CPU, and short
is the full size for 20 updates.
"""

import argparse
import csv
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
import torch.nn.functional as F
from common import Metrics, summarise, told, write_results
from scipy.spatial import cKDTree
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

LEARNING_RATE = 0.0003  # AdamW step size at the start of the cosine; Scale.rate multiplies it
NOISE_STEPS = 100  # steps from a point to pure noise, and back
NOISE_FIRST = 0.0001  # variance that the first step adds; linear from here …
NOISE_LAST = 0.02  # … to the last; with 100 steps a third of the signal's power is left at the end
EMA_DECAY = 0.995  # of the average of weights that is sampled from
GRAD_CLIP = 0.5  # greatest norm of a gradient; 0 for none
INPUT_SCALE = 25.0  # by which coordinates are multiplied before their sines are taken

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Scale:
    clouds: tuple[str, ...]
    seeds: tuple[int, ...]
    points: int  # for training
    held_out: int  # for evaluation, and as many samples
    embedding: int  # features of each coordinate and of the time
    hidden: int
    blocks: int
    updates: int
    batch: int
    average_every: int  # updates between two steps of the average
    eval_every: int  # updates over which a point of the curve is averaged
    rate: float  # times LEARNING_RATE: few updates want large steps
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it. Layers as
    # small as these wait for one another: a second thread makes them slower.


CLOUDS = ("circle", "dino", "line", "moons")
SCALES = {
    "full": Scale(
        clouds=CLOUDS, seeds=(1337, 1338, 1339), points=100_000, held_out=10_000, embedding=128,
        hidden=256, blocks=3, updates=10_000, batch=256, average_every=10, eval_every=100, rate=1.0,
        threads=1,
    ),
    "short": Scale(
        clouds=CLOUDS, seeds=(1337,), points=100_000, held_out=2000, embedding=128, hidden=256,
        blocks=3, updates=20, batch=256, average_every=10, eval_every=5, rate=1.0, threads=1,
    ),
    "smoke": Scale(
        clouds=CLOUDS, seeds=(1337, 1338), points=4000, held_out=1000, embedding=32, hidden=64,
        blocks=2, updates=400, batch=256, average_every=2, eval_every=40, rate=10.0, threads=1,
    ),
}  # fmt: skip
NEIGHBOURS = 5  # of the divergence's estimate

# --------------------------------------------------------------------------------------------------
# Clouds: points (n, 2), each drawn anew, some eight units across


def circle(n: int, rng: np.random.Generator) -> np.ndarray:
    """A circle of radius 3; its line is a tenth of a unit thick on either side."""
    angle, around, out = rng.uniform(0, 2 * np.pi, (3, n))
    at = 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    thick = 0.09 * out / (2 * np.pi)
    return at + thick[:, None] * np.stack([np.cos(around), np.sin(around)], axis=1)


def line(n: int, rng: np.random.Generator) -> np.ndarray:
    """A broad line: uniform over four by eight units."""
    return np.stack([rng.uniform(-2, 2, n), rng.uniform(-4, 4, n)], axis=1)


def moons(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two half circles that reach into each other, with noise of 0.03, stretched to 2 by 3."""
    angle, upper = rng.uniform(0, np.pi, n), rng.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1) + rng.normal(0, 0.03, (n, 2))
    return (points + 0.3) * np.array([2, 3]) - 1


def dino(n: int, rng: np.random.Generator) -> np.ndarray:
    """The 142 points of the Datasaurus, a hundred units high, each with noise of 0.15 of a unit."""
    with Path(__file__).with_name("dino.csv").open() as file:
        known = np.array([[float(row["x"]), float(row["y"])] for row in csv.DictReader(file)])
    points = known[rng.integers(len(known), size=n)] + rng.normal(0, 0.15, (n, 2))
    return 4 * (points / np.array([54, 48]) - 1)


DRAW = {"circle": circle, "dino": dino, "line": line, "moons": moons}

# --------------------------------------------------------------------------------------------------
# Divergence


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(P || Q) in nats from samples (n, d) of P and (m, d) of Q, by the k-th nearest neighbours.

    Of each point of P, the distance to its k-th neighbour in P (itself left out) is compared with
    that in Q. The estimate is consistent and may be a little below 0. Points that coincide have
    distance 0; they are told apart by a jitter far below what matters.
    """
    rng = np.random.default_rng(0)
    jitter = 1e-9 * max(float(np.ptp(p)), 1e-9)
    p = p + rng.normal(0, jitter, p.shape)
    q = q + rng.normal(0, jitter, q.shape)
    n, d = p.shape
    own = cKDTree(p).query(p, k=NEIGHBOURS + 1)[0][:, -1]
    other = cKDTree(q).query(p, k=NEIGHBOURS)[0][:, -1]
    return float(d * np.log(other / own).mean() + math.log(len(q) / (n - 1)))


# --------------------------------------------------------------------------------------------------
# Diffusion


class Noise:
    """The way from points to noise in NOISE_STEPS steps, and one step of the way back.

    The variances are as in The AI Scientist's experiment of the same name. Step t adds Gaussian noise of variance beta[t] and shrinks the rest, so that after it a point x
    is sqrt(kept[t]) x + sqrt(1 - kept[t]) e with e of unit variance.
    """

    def __init__(self, device: str) -> None:
        self.beta = torch.linspace(NOISE_FIRST, NOISE_LAST, NOISE_STEPS, dtype=torch.float64)
        self.kept = torch.cumprod(1 - self.beta, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), self.kept[:-1]])
        # of a point one step earlier, given the point and where it came from
        self.spread = (self.beta * (1 - before) / (1 - self.kept)).sqrt().float().tolist()
        self.from_start = (before.sqrt() * self.beta / (1 - self.kept)).float().tolist()
        self.from_now = ((1 - self.beta).sqrt() * (1 - before) / (1 - self.kept)).float().tolist()
        self.signal = self.kept.sqrt().float().to(device)
        self.noise = (1 - self.kept).sqrt().float().to(device)

    def add(self, x: torch.Tensor, e: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Points (n, 2) after step t (n,), with the noise e (n, 2)."""
        return self.signal[t, None] * x + self.noise[t, None] * e

    def back(self, x: torch.Tensor, e: torch.Tensor, t: int, fresh: torch.Tensor) -> torch.Tensor:
        """Points one step earlier, given the predicted noise e and fresh unit noise."""
        start = (x - self.noise[t] * e) / self.signal[t]
        return self.from_start[t] * start + self.from_now[t] * x + self.spread[t] * fresh


def waves(x: torch.Tensor, size: int, scale: float) -> torch.Tensor:
    """Sines and cosines (n, size) of scale * x (n,) at geometrically spaced frequencies."""
    half = size // 2
    frequency = torch.exp(-math.log(10_000) * torch.arange(half, device=x.device) / (half - 1))
    angle = scale * x[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.linear(F.relu(x))


class Denoiser(nn.Module):
    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.embedding = scale.embedding
        self.network = nn.Sequential(
            nn.Linear(3 * scale.embedding, scale.hidden),
            *[Block(scale.hidden) for _ in range(scale.blocks)],
            nn.ReLU(),
            nn.Linear(scale.hidden, 2),
        )

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The noise (n, 2) in points (n, 2) after step t (n,)."""
        size = self.embedding
        parts = [waves(x[:, 0], size, INPUT_SCALE), waves(x[:, 1], size, INPUT_SCALE)]
        return self.network(torch.cat([*parts, waves(t.float(), size, 1.0)], dim=1))


# --------------------------------------------------------------------------------------------------
# Training


@torch.no_grad()
def evaluate(model: Denoiser, noise: Noise, points: torch.Tensor, seed: int) -> float:
    """Mean squared error of the noise over points (n, 2), at steps that the seed alone chooses."""
    source = torch.Generator().manual_seed(seed)
    e = torch.randn(points.shape, generator=source).to(points.device)
    t = torch.randint(NOISE_STEPS, (len(points),), generator=source).to(points.device)
    return F.mse_loss(model(noise.add(points, e, t), t), e).item()


@torch.no_grad()
def sample(model: Denoiser, noise: Noise, n: int, seed: int, device: str) -> np.ndarray:
    """New points (n, 2), from noise in NOISE_STEPS steps."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn((n, 2), generator=source).to(device)
    for t in reversed(range(NOISE_STEPS)):
        fresh = torch.randn((n, 2), generator=source).to(device)
        x = noise.back(x, model(x, torch.full((n,), t, device=device)), t, fresh)
    return x.double().cpu().numpy()


def judged(
    model: Denoiser, noise: Noise, held_out: torch.Tensor, seed: int
) -> tuple[Metrics, np.ndarray]:
    """Loss and divergence on held-out points, and the samples that it was judged by."""
    start = time.monotonic()
    points = sample(model, noise, len(held_out), seed, str(held_out.device))
    seconds = time.monotonic() - start
    divergence = kl_divergence(held_out.double().cpu().numpy(), points)
    loss = evaluate(model, noise, held_out, seed)
    return {"eval_loss": loss, "kl_divergence": divergence, "inference_time": seconds}, points


def train(
    cloud: str, scale: Scale, seed: int, device: str, advance: Callable[[], None]
) -> tuple[Metrics, list[float], np.ndarray, np.ndarray]:
    """One seed: its metrics, its curve, the held-out points and the samples."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    drawn = torch.tensor(DRAW[cloud](scale.points + scale.held_out, rng), dtype=torch.float32)
    known, held_out = drawn[: scale.points].to(device), drawn[scale.points :].to(device)
    model, average, noise = Denoiser(scale).to(device), Denoiser(scale).to(device), Noise(device)
    average.load_state_dict(model.state_dict())
    before, _ = judged(average, noise, held_out, seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE * scale.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, scale.updates)
    source = torch.Generator().manual_seed(seed)
    curve: list[float] = []
    since = torch.zeros((), device=device)
    start = time.monotonic()
    for step in range(1, scale.updates + 1):
        x = known[torch.randint(len(known), (scale.batch,), generator=source).to(device)]
        e = torch.randn(x.shape, generator=source).to(device)
        t = torch.randint(NOISE_STEPS, (scale.batch,), generator=source).to(device)
        loss = F.mse_loss(model(noise.add(x, e, t), t), e)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if GRAD_CLIP > 0:
            nn.utils.clip_grad_norm_(model.parameters(), GRAD_CLIP)
        optimiser.step()
        schedule.step()
        if step % scale.average_every == 0:
            # corrected for its beginning, as Adam's averages are: the first weights are not kept
            share = (1 - EMA_DECAY) / (1 - EMA_DECAY ** (step // scale.average_every))
            with torch.no_grad():
                for mean, now in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(now, share)
        since += loss.detach()
        if step % scale.eval_every == 0:
            curve.append((since / scale.eval_every).item())
            since.zero_()
            advance()
    seconds = time.monotonic() - start
    after, points = judged(average, noise, held_out, seed)
    metrics = {**after, "training_time": seconds}
    metrics |= {
        "initial_eval_loss": before["eval_loss"],
        "initial_kl_divergence": before["kl_divergence"],
    }
    return metrics, curve, held_out.cpu().numpy(), points


# --------------------------------------------------------------------------------------------------
# Results


def progress(scale: Scale) -> Callable[[], None]:
    """Told of each point of a curve; says so whenever another hundredth of all is done."""
    total = len(scale.clouds) * len(scale.seeds) * (scale.updates // scale.eval_every)
    done = told = 0

    def advance() -> None:
        nonlocal done, told
        done += 1
        if 100 * done // total > told:
            told = 100 * done // total
            print(f"progress: {done / total:.4f}", flush=True)

    return advance


def main() -> None:
    parser = argparse.ArgumentParser(description="Train diffusion models of points in the plane.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    final_info, curves, clouds = {}, {}, {}
    advance = progress(scale)
    for cloud in scale.clouds:
        runs = [train(cloud, scale, seed, device, advance) for seed in scale.seeds]
        final_info[cloud] = summarise([run[0] for run in runs])
        steps = range(scale.eval_every, scale.updates + 1, scale.eval_every)
        curves[cloud] = {"step": list(steps), "train_loss": [run[1] for run in runs]}
        first = {"held_out": runs[0][2][:1000], "samples": runs[0][3][:1000]}
        clouds[cloud] = {name: np.round(points, 4).tolist() for name, points in first.items()}
        told(cloud, final_info[cloud])
    write_results(out_dir, final_info=final_info, curves=curves, points=clouds)


if __name__ == "__main__":
    main()
