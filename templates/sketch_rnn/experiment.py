"""python experiment.py --out_dir=run_0

A variational autoencoder over pen strokes (Ha and Eck 2017). A bidirectional LSTM reads a sketch and
says of latent numbers how they are distributed; a second LSTM draws the sketch again, point by point,
each move from a mixture of normal distributions and each state of the pen from three probabilities.

The data set `shapes` is generated: circles, polygons, zigzags, spirals and stars of several strokes,
whose kind, detail, size and turn are drawn from short lists, with a tremor in every move. So the
probability of a sketch is known exactly, and with it the lowest loss that any model can have. At full
scale every category of Quick, Draw! in /data/quickdraw is a data set too: files of simplified drawings
with one JSON object a line (`cat.ndjson`), mounted by `--data DIR` with DIR/quickdraw/cat.ndjson.

The loss is the negative evidence lower bound: reconstruction plus the Kullback-Leibler divergence of
the latent numbers, in nats per point, for moves in units of their deviation over the training
sketches. Validation sketches choose the state of a model; test sketches choose nothing.

Writes into out_dir
  final_info.json  {data set: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                               "final_info_dict": {metric: [x per seed]}}}
  curves.json      {data set: {"step": [...], "val_loss", "val_reconstruction", "val_kl": [[per step] per seed]}}
  sketches.json    {data set: {"original", "reconstruction", "interpolation", "prior":
                               [[[move x, move y, pen] per point] per sketch]}}, of the first seed

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates, on generated drawings in the format of Quick, Draw!.
"""

import argparse
import json
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
import torch.nn.functional as F
from common import Metrics, check_apart, counter, summarise, told, write_results
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

KL_WEIGHT = 1.0  # of the divergence in training; the reported loss always counts it once
KL_WARMUP = 0.8  # share of the updates over which that weight rises from 0
LATENT = 16  # latent numbers of a sketch
MIXTURES = 5  # normal distributions in the mixture for a move
HIDDEN = 1.0  # times the units of both LSTMs
TEMPERATURE = 0.4  # of what is drawn; 1 draws from the model as it is, less takes the likelier
TREMOR = 0.06  # deviation of the noise in each coordinate of a move of `shapes`
LEARNING_RATE = 0.001  # Adam step size at the start of the cosine; ten times that at smoke

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]
    encoder: int  # units of the LSTM that reads, in each direction
    decoder: int  # units of the LSTM that draws
    known: int  # sketches that are trained on, at most
    held_out: int  # validation sketches, and as many test sketches, at most
    updates: int
    batch: int  # sketches per update
    rate: float  # times LEARNING_RATE
    eval_every: int  # updates between two looks at the validation sketches
    drawn: int  # test sketches that are drawn again, to see what becomes of them
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it
    quickdraw: bool  # whether categories of Quick, Draw! are looked for
    made: bool = False  # generated drawings take the place of the categories


SCALES = {
    "full": Scale(
        seeds=(1337, 1338, 1339), encoder=256, decoder=512, known=70_000, held_out=2500,
        updates=20_000, batch=100, rate=1.0, eval_every=500, drawn=500, threads=2, quickdraw=True,
    ),
    "smoke": Scale(
        seeds=(1337, 1338, 1339), encoder=48, decoder=96, known=3000, held_out=400,
        updates=400, batch=64, rate=10.0, eval_every=50, drawn=200, threads=1, quickdraw=False,
    ),
}  # fmt: skip
SCALES["short"] = replace(
    SCALES["full"], seeds=(1337,), known=800, held_out=100, updates=20, eval_every=20, drawn=20,
    made=True,
)  # fmt: skip

MOST_POINTS = 200  # of a drawing that is used
SURE = 5.0  # standard errors beyond which a loss below the least possible is called a leak
DRAW, LIFT, END = 0, 1, 2  # states of the pen at a point: it goes on, it lifts, there is no point

# --------------------------------------------------------------------------------------------------
# Sketches


@dataclass(frozen=True)
class Sketches:
    """Moves (n, steps, 2) from the point before, and the pen (n, steps), END behind the last point."""

    moves: np.ndarray
    pens: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """Of each sketch: its moves. The first point, where the pen is set down, is not counted."""
        return (self.pens != END).sum(axis=1)

    def at(self, which: np.ndarray) -> "Sketches":
        return Sketches(self.moves[which], self.pens[which])

    def prints(self) -> list[bytes]:
        return [m.tobytes() + p.tobytes() for m, p in zip(self.moves, self.pens, strict=True)]


@dataclass(frozen=True)
class Split:
    known: Sketches  # trained on
    validation: Sketches  # chooses the state of the model
    test: Sketches  # chooses nothing


def padded(moves: list[np.ndarray], pens: list[np.ndarray], steps: int) -> Sketches:
    """Sketches of different lengths in two arrays, with one END at least behind each."""
    found = Sketches(
        np.zeros((len(moves), steps, 2), dtype=np.float32),
        np.full((len(moves), steps), END, dtype=np.int64),
    )
    for i, (move, pen) in enumerate(zip(moves, pens, strict=True)):
        found.moves[i, : len(move)] = move
        found.pens[i, : len(pen)] = pen
    return found


# --------------------------------------------------------------------------------------------------
# The generator of `shapes`, and what is known of it

KINDS = ("circle", "polygon", "zigzag", "spiral", "star")
DETAILS, SIZES, TURNS = (
    3,
    (0.6, 0.8, 1.0, 1.2),
    8,
)  # of each kind: 3 x 4 x 8 sketches without tremor


def strokes(kind: str, detail: int) -> list[np.ndarray]:
    """The strokes of a shape without tremor, of radius about 1; a stroke is points (n, 2)."""
    if kind == "circle":
        angle = np.linspace(0, 2 * np.pi, 4 * (detail + 2) + 1)
        return [np.stack([np.cos(angle), np.sin(angle)], axis=1)]
    if kind == "spiral":
        angle = np.linspace(0, np.pi * (detail + 2), 4 * (detail + 2) + 1)
        return [np.stack([np.cos(angle), np.sin(angle)], axis=1) * (angle / angle[-1])[:, None]]
    if kind == "polygon":
        angle = 2 * np.pi * np.arange(detail + 4) / (detail + 3)
        return [along(np.stack([np.cos(angle), np.sin(angle)], axis=1), 3)]
    if kind == "zigzag":
        place = np.linspace(-1, 1, 2 * (detail + 2) + 1)
        return [along(np.stack([place, 0.4 * (np.arange(len(place)) % 2)], axis=1), 2)]
    angles = np.pi * np.arange(detail + 2) / (detail + 2)
    ends = [np.array([[-np.cos(a), -np.sin(a)], [np.cos(a), np.sin(a)]]) for a in angles]
    return [along(one, 4) for one in ends]


def along(corners: np.ndarray, parts: int) -> np.ndarray:
    """Points on the lines between corners, ``parts`` to a line."""
    share = np.arange(parts)[None, :, None] / parts
    lines = corners[:-1, None] + (corners[1:] - corners[:-1])[:, None] * share
    return np.concatenate([lines.reshape(-1, 2), corners[-1:]])


def as_moves(lines: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Moves and pens of strokes; the pen lifts at the last point of each."""
    points = np.concatenate(lines)
    lifts = np.cumsum([len(line) for line in lines]) - 1
    pens = np.full(len(points), DRAW, dtype=np.int64)
    pens[lifts] = LIFT
    return np.diff(points, axis=0), pens[1:]


def ideal() -> tuple[Sketches, np.ndarray]:
    """Every shape without tremor, and its kind as an index of KINDS."""
    moves, pens, kinds = [], [], []
    for k, kind in enumerate(KINDS):
        for detail in range(DETAILS):
            move, pen = as_moves(strokes(kind, detail))
            for size in SIZES:
                for turn in range(TURNS):
                    c, s = np.cos(2 * np.pi * turn / TURNS), np.sin(2 * np.pi * turn / TURNS)
                    moves.append(size * move @ np.array([[c, s], [-s, c]]))
                    pens.append(pen)
                    kinds.append(k)
    steps = max(map(len, pens)) + 1
    return padded(moves, pens, steps), np.array(kinds)


def shapes(count: int, source: np.random.Generator) -> Sketches:
    """Sketches with tremor. No two are alike: their moves are not rounded."""
    every, _ = ideal()
    chosen = every.at(source.integers(len(every.pens), size=count))
    noise = source.normal(0, TREMOR, chosen.moves.shape) * (chosen.pens != END)[..., None]
    return Sketches((chosen.moves + noise).astype(np.float32), chosen.pens)


def distances(sketches: Sketches) -> np.ndarray:
    """Squared distance of all moves to those of each ideal shape, infinite if the pens differ."""
    every, _ = ideal()
    short = every.moves.shape[1]
    if sketches.pens.shape[1] < short:
        room = ((0, 0), (0, short - sketches.pens.shape[1]))
        sketches = Sketches(
            np.pad(sketches.moves, (*room, (0, 0))),
            np.pad(sketches.pens, room, constant_values=END),
        )
    ended = (sketches.pens[:, short:] == END).all(axis=1)
    pens = sketches.pens[:, :short]
    same = (pens[:, None] == every.pens[None]).all(axis=2) & ended[:, None]
    ours, theirs = (
        m[:, :short].reshape(len(m), -1).astype(float) for m in (sketches.moves, every.moves)
    )
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None]
    return np.where(same, np.maximum(squares - 2 * ours @ theirs.T, 0.0), np.inf)


def least_losses(sketches: Sketches) -> np.ndarray:
    """Nats of each sketch for one who knows the generator: minus the logarithm of its density."""
    far = distances(sketches)
    nearest = far.min(axis=1, keepdims=True)
    odds = np.exp(-(far - nearest) / (2 * TREMOR**2)).mean(axis=1)
    noise = sketches.points * math.log(2 * math.pi * TREMOR**2)
    return noise + nearest[:, 0] / (2 * TREMOR**2) - np.log(odds)


# --------------------------------------------------------------------------------------------------
# Quick, Draw!

DATA = Path("/data")


def categories(root: Path) -> dict[str, Path]:
    """The files of simplified drawings, by category; `full_simplified_cat.ndjson` is one of cats."""
    files = sorted((root / "quickdraw").glob("*.ndjson"))
    return {path.stem.removeprefix("full_simplified_"): path for path in files}


def drawings(path: Path, most: int) -> Sketches:
    """The first recognised drawings of a file that are not too long."""
    moves, pens = [], []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                drawing = json.loads(line)
                used = drawing["recognized"] and drawing["drawing"]
                found = [np.array(stroke[:2], dtype=float).T for stroke in drawing["drawing"]]
                if not used or not 1 < sum(map(len, found)) <= MOST_POINTS + 1:
                    continue
                move, pen = as_moves(found)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise SystemExit(
                    f"{path}:{number} is not a drawing of Quick, Draw!: expected a JSON object with "
                    '"recognized" and "drawing", a list of strokes [[x...], [y...]]; stage the '
                    "simplified drawings (.ndjson), not the raw or the binary ones"
                ) from error
            moves.append(move)
            pens.append(pen)
            if len(moves) == most:
                break
    if len(moves) < 10:
        raise SystemExit(f"{path} has {len(moves)} usable drawings, too few to split")
    return padded(moves, pens, max(map(len, pens)) + 1)


def make(root: Path, count: int = 800, seed: int = 1) -> None:
    """Stars in the format of Quick, Draw!: whole numbers from 0 to 255, a drawing a line."""
    source = np.random.default_rng(seed)
    (root / "quickdraw").mkdir()
    for kind in ("star",):
        lines = []
        for i in range(count):
            found = [along(one, 2) for one in strokes(kind, int(source.integers(DETAILS)))]
            found = [one + source.normal(0, TREMOR / 2, one.shape) for one in found]
            every = np.concatenate(found)
            corner, width = every.min(axis=0), np.ptp(every, axis=0).max()
            whole = [np.rint((one - corner) / width * 255).astype(int) for one in found]
            drawing = {
                "word": kind, "countrycode": "XX", "timestamp": "2017-03-01 00:00:00.00000 UTC",
                "recognized": True, "key_id": str(i), "drawing": [one.T.tolist() for one in whole],
            }  # fmt: skip
            lines.append(json.dumps(drawing))
        (root / "quickdraw" / f"{kind}.ndjson").write_text("\n".join(lines) + "\n")


def split(data: str, scale: Scale, seed: int, root: Path) -> Split:
    """One seed's parts; a drawing that occurs twice is left out of the part that comes first."""
    source = np.random.default_rng(seed)
    if data == "shapes":
        every = shapes(min(scale.known, 20_000) + 2 * scale.held_out, source)
    else:
        every = drawings(categories(root)[data], scale.known + 2 * scale.held_out)
    every = every.at(source.permutation(len(every.pens)))
    held_out = min(scale.held_out, len(every.pens) // 5)
    test, validation, known = [
        every.at(part) for part in np.split(np.arange(len(every.pens)), [held_out, 2 * held_out])
    ]
    validation = without(validation, test)
    return Split(without(without(known, test), validation), validation, test)


def without(part: Sketches, other: Sketches) -> Sketches:
    """``part`` less the sketches that ``other`` has too."""
    seen = set(other.prints())
    return part.at(np.array([one not in seen for one in part.prints()], dtype=bool))


# --------------------------------------------------------------------------------------------------
# The model


@dataclass(frozen=True)
class Batch:
    moves: torch.Tensor  # (n, steps, 2), in deviations
    pens: torch.Tensor  # (n, steps)
    points: torch.Tensor  # (n,), on the CPU

    def part(self, which: torch.Tensor | slice) -> "Batch":
        points = self.points[which]
        steps = int(points.max()) + 1
        return Batch(self.moves[which, :steps], self.pens[which, :steps], points)

    def chunks(self, size: int = 500) -> list["Batch"]:
        return [self.part(slice(i, i + size)) for i in range(0, len(self.points), size)]


def batch_of(sketches: Sketches, unit: float, device: str) -> Batch:
    moves = torch.tensor(sketches.moves / unit, dtype=torch.float32)
    pens = torch.tensor(sketches.pens)
    return Batch(moves.to(device), pens.to(device), torch.tensor(sketches.points))


@dataclass(frozen=True)
class Pen:
    """What the model expects of each step: a mixture for the move, and the state of the pen."""

    weights: torch.Tensor  # logarithms, (n, steps, MIXTURES)
    means: torch.Tensor  # (n, steps, MIXTURES, 2)
    deviations: torch.Tensor  # (n, steps, MIXTURES, 2)
    correlations: torch.Tensor  # (n, steps, MIXTURES)
    states: torch.Tensor  # logarithms, (n, steps, 3)

    def move_density(self, moves: torch.Tensor) -> torch.Tensor:
        """Logarithm of the mixture's density at moves (n, steps, 2)."""
        x, y = ((moves[..., None, :] - self.means) / self.deviations).unbind(-1)
        rest = 1 - self.correlations**2
        square = (x**2 + y**2 - 2 * self.correlations * x * y) / rest
        norm = math.log(2 * math.pi) + self.deviations.log().sum(-1) + 0.5 * rest.log()
        return torch.logsumexp(self.weights - square / 2 - norm, dim=-1)


class SketchRNN(nn.Module):
    def __init__(self, scale: Scale) -> None:
        super().__init__()
        reads, draws = (max(1, round(HIDDEN * units)) for units in (scale.encoder, scale.decoder))
        self.encoder = nn.LSTM(5, reads, batch_first=True, bidirectional=True)
        self.latent = nn.Linear(2 * reads, 2 * LATENT)
        self.start = nn.Linear(LATENT, 2 * draws)
        self.decoder = nn.LSTM(5 + LATENT, draws, batch_first=True)
        self.pen = nn.Linear(draws, 6 * MIXTURES + 3)

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and logarithms of variances of the latent numbers, both (n, LATENT)."""
        seen = nn.utils.rnn.pack_padded_sequence(
            steps_of(batch), batch.points, batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.encoder(seen)
        mean, log_variance = self.latent(torch.cat([last[0], last[1]], dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)

    def begin(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, cell = torch.tanh(self.start(z)).chunk(2, dim=1)
        return hidden[None].contiguous(), cell[None].contiguous()

    def expect(
        self, before: torch.Tensor, z: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[Pen, tuple[torch.Tensor, torch.Tensor]]:
        """What is expected of each step, from the steps ``before`` it, (n, steps, 5)."""
        seen = torch.cat([before, z[:, None].expand(-1, before.shape[1], -1)], dim=2)
        out, state = self.decoder(seen, state)
        raw = self.pen(out)
        shape = (*raw.shape[:2], MIXTURES)
        weights, x, y, dx, dy, tilt = raw[..., 3:].reshape(*raw.shape[:2], 6, MIXTURES).unbind(2)
        pen = Pen(
            weights.log_softmax(-1),
            torch.stack([x, y], dim=-1),
            torch.stack([dx, dy], dim=-1).clamp(-6, 4).exp(),
            0.98 * torch.tanh(tilt).reshape(shape),
            raw[..., :3].log_softmax(-1),
        )
        return pen, state


def steps_of(batch: Batch) -> torch.Tensor:
    """Moves and one-hot pens, (n, steps, 5)."""
    return torch.cat([batch.moves, F.one_hot(batch.pens, 3).to(batch.moves.dtype)], dim=2)


def before_each(batch: Batch) -> torch.Tensor:
    """What the decoder sees at each step: the step before it, and at first a pen that is set down."""
    steps = steps_of(batch)
    first = torch.zeros_like(steps[:, :1])
    first[..., 2] = 1
    return torch.cat([first, steps[:, :-1]], dim=1)


def divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence from the standard normal, of each latent number."""
    return (mean**2 + log_variance.exp() - 1 - log_variance) / 2


def reconstruction(model: SketchRNN, batch: Batch, z: torch.Tensor) -> torch.Tensor:
    """Nats of each sketch: of its moves, of the pen at each, and of its end."""
    pen, _ = model.expect(before_each(batch), z, model.begin(z))
    steps = torch.arange(batch.pens.shape[1])[None]
    is_point = (steps < batch.points[:, None]).to(batch.pens.device)
    is_known = (steps <= batch.points[:, None]).to(batch.pens.device)  # and the end behind them
    moves = torch.where(is_point, pen.move_density(batch.moves), 0.0)
    states = pen.states.gather(2, batch.pens[..., None])[..., 0]
    return -(moves + torch.where(is_known, states, 0.0)).sum(1)


@torch.no_grad()
def check_causality(model: SketchRNN, batch: Batch) -> None:
    """Stop if a step, given the latent numbers, changes what is expected of it or of one before it.

    A decoder that sees the point it is to draw reaches any loss, and its paper says nothing.
    """
    few = batch.part(slice(0, 4))
    z = torch.zeros(len(few.points), LATENT, device=few.moves.device)
    for place in (0, few.moves.shape[1] // 2):
        moves = few.moves.clone()
        moves[:, place] += 1
        one, _ = model.expect(before_each(few), z, model.begin(z))
        other, _ = model.expect(before_each(replace(few, moves=moves)), z, model.begin(z))
        if not torch.allclose(one.means[:, : place + 1], other.means[:, : place + 1], atol=1e-5):
            raise SystemExit(
                f"the decoder is not causal: move {place} changes what is expected of it; "
                "look at what the decoder sees at each step"
            )


# --------------------------------------------------------------------------------------------------
# Drawing


@torch.no_grad()
def draw(
    model: SketchRNN, z: torch.Tensor, unit: float, source: torch.Generator, most: int
) -> Sketches:
    """A sketch from each row of ``z``, at TEMPERATURE, of ``most`` points at most."""
    n, device = len(z), z.device
    before = torch.zeros(n, 1, 5, device=device)
    before[..., 2] = 1
    state, ended = model.begin(z), torch.zeros(n, dtype=torch.bool, device=device)
    moves, pens = [], []

    def pick(logits: torch.Tensor) -> torch.Tensor:
        # On the CPU: a sum along a row has no fixed order on a GPU.
        shares = (logits / TEMPERATURE).softmax(-1).cpu().cumsum(-1)
        chance = torch.rand(n, 1, generator=source)
        return (chance > shares).sum(-1).clamp(max=logits.shape[-1] - 1).to(device)

    for _ in range(most):
        pen, state = model.expect(before, z, state)
        which = pick(pen.weights[:, 0])
        row = torch.arange(n, device=device)
        a, b = torch.randn(2, n, generator=source).to(device) * math.sqrt(TEMPERATURE)
        tilt = pen.correlations[row, 0, which]
        unit_move = torch.stack([a, tilt * a + (1 - tilt**2).sqrt() * b], dim=1)
        move = pen.means[row, 0, which] + pen.deviations[row, 0, which] * unit_move
        now = pick(pen.states[:, 0])
        ended = ended | (now == END)
        moves.append(torch.where(ended[:, None], 0.0, move))
        pens.append(torch.where(ended, END, now))
        before = torch.cat([move, F.one_hot(now, 3).to(move.dtype)], dim=1)[:, None]
        if ended.all():
            break
    last = torch.full((n,), END, device=device)
    found_moves = torch.stack([*moves, torch.zeros_like(moves[0])], dim=1) * unit
    return Sketches(found_moves.cpu().numpy(), torch.stack([*pens, last], dim=1).cpu().numpy())


def between(one: torch.Tensor, other: torch.Tensor, count: int) -> torch.Tensor:
    """Latent numbers on the arc from one to the other."""
    cosine = F.cosine_similarity(one, other, dim=0).clamp(-0.9999, 0.9999)
    angle = cosine.acos()
    share = torch.linspace(0, 1, count, device=one.device)[:, None]
    return (((1 - share) * angle).sin() * one + (share * angle).sin() * other) / angle.sin()


def listed(sketches: Sketches) -> list[list[list[float]]]:
    return [
        [[round(float(x), 4), round(float(y), 4), int(pen)] for (x, y), pen in zip(move, state, strict=True)
         if pen != END]
        for move, state in zip(sketches.moves, sketches.pens, strict=True)
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------
# Training

Curve = dict[str, list[float]]


@torch.no_grad()
def evaluate(model: SketchRNN, batch: Batch, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each sketch, the nats of its reconstruction; and the divergence of each latent number.

    The latent numbers are drawn once, by the same chances at every look.
    """
    source = torch.Generator().manual_seed(seed)
    losses, divergences = [], []
    for part in batch.chunks():
        mean, log_variance = model.encode(part)
        noise = torch.randn(mean.shape, generator=source).to(mean.device)
        z = mean + noise * (log_variance / 2).exp()
        losses.append(reconstruction(model, part, z).double().cpu().numpy())
        divergences.append(divergence(mean, log_variance).double().cpu().numpy())
    return np.concatenate(losses), np.concatenate(divergences)


@dataclass(frozen=True)
class Nats:
    """Of a part: nats per point, and per sketch for the divergence."""

    loss: float
    reconstruction: float
    kl: float


def nats(losses: np.ndarray, divergences: np.ndarray, points: np.ndarray) -> Nats:
    kl = divergences.sum(axis=1)
    total = points.sum()
    return Nats((losses + kl).sum() / total, losses.sum() / total, kl.mean())


def gaussian_loss(known: Batch, test: Batch) -> float:
    """Nats per point of a model without memory: one normal distribution, and shares of pen states."""
    moves = torch.cat(
        [m[:n] for m, n in zip(known.moves.cpu(), known.points, strict=True)]
    ).double()
    normal = torch.distributions.MultivariateNormal(moves.mean(0), torch.cov(moves.T))
    counts = torch.bincount(known.pens.cpu()[known.pens.cpu() != END], minlength=3).double()
    counts[END] = len(known.points)
    shares = (counts / counts.sum()).log()
    total = 0.0
    for move, pen, n in zip(test.moves.cpu().double(), test.pens.cpu(), test.points, strict=True):
        total -= (normal.log_prob(move[:n]).sum() + shares[pen[: n + 1]].sum()).item()
    return total / test.points.sum().item()


def check_possible(losses: np.ndarray, least: np.ndarray) -> None:
    """Stop if the model predicts the sketches better than one who knows the generator."""
    ahead = least - losses
    error = ahead.std(ddof=1) / math.sqrt(len(ahead))
    if ahead.mean() > SURE * error:
        raise SystemExit(
            f"the test loss is {ahead.mean():.3g} nats a sketch below the least possible "
            f"(standard error {error:.2g}): the model sees what it is to predict"
        )


def learn(
    model: SketchRNN, known: Batch, validation: Batch, scale: Scale, seed: int, advance: Callable[[], None]
) -> tuple[Curve, float]:  # fmt: skip
    """Train, and leave the state with the lowest validation loss; the curve and the seconds."""
    source = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE * scale.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, scale.updates)
    curve: Curve = {"step": [], "val_loss": [], "val_reconstruction": [], "val_kl": []}
    best: dict[str, torch.Tensor] = {}
    seconds, device = 0.0, known.moves.device
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            now = nats(*evaluate(model, validation, seed), validation.points.numpy())
            for name, value in zip(curve, (step, *vars(now).values()), strict=True):
                curve[name].append(float(value))
            if now.loss <= min(curve["val_loss"]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
        if step == scale.updates:
            break
        start = time.monotonic()
        batch = known.part(torch.randint(len(known.points), (scale.batch,), generator=source))
        mean, log_variance = model.encode(batch)
        noise = torch.randn(mean.shape, generator=source).to(device)
        z = mean + noise * (log_variance / 2).exp()
        weight = KL_WEIGHT * min(1.0, (step + 1) / max(1.0, KL_WARMUP * scale.updates))
        kl = divergence(mean, log_variance).sum(1)
        loss = (reconstruction(model, batch, z) + weight * kl).sum() / batch.points.sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        falling.step()
        seconds += time.monotonic() - start
        advance()
    model.load_state_dict(best)  # chosen on validation sketches; test sketches come after it
    return curve, seconds


def seen_again(
    model: SketchRNN, test: Batch, parts: Split, unit: float, scale: Scale, seed: int
) -> Metrics:
    """What becomes of test shapes that are drawn again: whether there is such a shape, and its kind."""
    few = test.part(slice(0, scale.drawn))
    _, kinds = ideal()
    again = draw(
        model, model.encode(few)[0], unit, torch.Generator().manual_seed(seed), test.moves.shape[1]
    )
    far, true = distances(again), distances(parts.test.at(np.arange(len(few.points))))
    valid = np.isfinite(far.min(axis=1))
    same = valid & (kinds[far.argmin(axis=1)] == kinds[true.argmin(axis=1)])
    return {"valid_share": float(valid.mean()), "same_kind": float(same.mean())}


def gallery(model: SketchRNN, test: Batch, parts: Split, unit: float, seed: int) -> dict[str, list]:
    """Sketches to look at: test sketches, drawn again, on the way between two, and from chance."""
    source, most = torch.Generator().manual_seed(seed), test.moves.shape[1]
    first = torch.arange(min(8, len(test.points)))
    latent = model.encode(test.part(first))[0].detach()
    chance = torch.randn(8, LATENT, generator=source).to(latent.device)
    way = between(latent[0], latent[1], 8)
    return {
        "original": listed(parts.test.at(first.numpy())),
        "reconstruction": listed(draw(model, latent, unit, source, most)),
        "interpolation": listed(draw(model, way, unit, source, most)),
        "prior": listed(draw(model, chance, unit, source, most)),
    }


def train(
    data: str, scale: Scale, seed: int, device: str, root: Path, advance: Callable[[], None]
) -> tuple[Metrics, Curve, dict[str, list]]:
    """One data set, one seed: its metrics, its curve, and sketches to look at."""
    parts = split(data, scale, seed, root)
    check_apart({name: part.prints() for name, part in vars(parts).items()}, "sketches")
    torch.manual_seed(seed)  # initial weights
    real = parts.known.pens != END
    unit = float(parts.known.moves[real].std())
    known, validation, test = [batch_of(part, unit, device) for part in vars(parts).values()]
    model = SketchRNN(scale).to(device)
    check_causality(model, validation)
    points = test.points.numpy()
    before = nats(*evaluate(model, test, seed), points)
    curve, seconds = learn(model, known, validation, scale, seed, advance)
    chosen = nats(*evaluate(model, validation, seed), validation.points.numpy())
    losses, divergences = evaluate(model, test, seed)
    found = nats(losses, divergences, points)
    metrics = {
        "test_loss": float(found.loss),
        "test_reconstruction": float(found.reconstruction),
        "test_kl": float(found.kl),
        "val_loss": float(chosen.loss),
        "initial_test_loss": float(before.loss),
        "gaussian_loss": gaussian_loss(known, test),
        "active_latents": float((divergences.mean(axis=0) > 0.02).sum()),
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "train_time": seconds,
    }
    if data == "shapes":
        least = least_losses(parts.test) - 2 * points * math.log(unit)  # in the units of the loss
        check_possible(losses + divergences.sum(axis=1), least)
        metrics["least_loss"] = float(least.sum() / points.sum())
        metrics |= seen_again(model, test, parts, unit, scale, seed)
    return metrics, curve, gallery(model, test, parts, unit, seed)


def data_sets(scale: Scale, root: Path) -> list[str]:
    found = list(categories(root)) if scale.quickdraw else []
    if scale.quickdraw and not found:
        print(
            f"no Quick, Draw! in {root / 'quickdraw'}: only generated shapes are studied; "
            "--data DIR adds DIR/quickdraw/CATEGORY.ndjson",
            flush=True,
        )
    return ["shapes", *found]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a variational autoencoder on sketches.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    final_info, curves, sketches = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) if scale.made else DATA
        if scale.made:
            make(root)
        names = data_sets(scale, root)
        advance = counter(len(names) * len(scale.seeds) * scale.updates)
        for name in names:
            found = [train(name, scale, seed, device, root, advance) for seed in scale.seeds]
            final_info[name] = summarise([metrics for metrics, _, _ in found])
            curves[name] = {key: [curve[key] for _, curve, _ in found] for key in found[0][1]}
            curves[name]["step"] = found[0][1]["step"]  # the same for every seed
            sketches[name] = found[0][2]
            told(name, final_info[name])
    write_results(out_dir, final_info=final_info, curves=curves, sketches=sketches)


if __name__ == "__main__":
    main()
