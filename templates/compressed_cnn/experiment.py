"""python experiment.py --out_dir=run_0

A small convolutional network learns handwritten digits from compressed images. Each data set of the
results is a kind of compression, and each kind has a ladder of settings with more and more bits:

  none        every pixel as it is stored
  dct         the coefficients of lowest frequency of a discrete cosine transform, quantised
  projection  random sums of all pixels, quantised
  downsample  averages of equal blocks, quantised
  threshold   one bit for each pixel, or for the average of a block: brighter than THRESHOLD, or not

An image costs features x bits per feature. What all images share (means, deviations, the matrix of
a projection) costs nothing. Every setting trains a network of its own. Validation images choose the
state of a network, and for each kind the setting among those that cost BIT_BUDGET bits or less (of
`none`, which has one setting, whatever it costs). Test images choose nothing.

Writes into out_dir
  final_info.json  {kind: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                           "final_info_dict": {metric: [x per seed]}}}, of the chosen settings
  ladder.json      {"budget": bits, kind: {"features": [per setting], "bits": [per setting],
                    "test_acc", "val_acc", "val_loss": [[per setting] per seed]}}
  curves.json      {kind: {"step": [...], "train_loss", "val_loss": [[per step] per seed]}}, of the
                   chosen settings
  inputs.json      {kind: [[pixels], ...]}: validation images of the first seed, decoded from the
                   most that fits the budget
  times.json       {kind: [[seconds of training per setting] per seed]}

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates.
"""

import argparse
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
from sklearn.datasets import load_digits
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

BIT_BUDGET = 64  # bits that an image may cost; 64 is a bit for each pixel
BITS_PER_FEATURE = 4  # of dct, projection and downsample
CLIP_STDS = 2.5  # standard deviations at which their quantiser ends, on both sides of the mean
THRESHOLD = 0.5  # brightness between 0 and 1 above which a bit is set
DECODE = 0  # 0: the network sees the features; 1: an image of full size, decoded from them
LEARNING_RATE = 0.003  # AdamW step size at the start of the cosine

# --------------------------------------------------------------------------------------------------
# Sizes

SIDE = 8  # pixels of an image's side
LEVELS = 17  # values of a stored pixel: 0 to 16
CLASSES = 10
KINDS = ("none", "dct", "projection", "downsample", "threshold")
KNOWN, CHOOSING = 0.6, 0.2  # shares for training and for validation; the rest is for the test


@dataclass(frozen=True)
class Scale:
    sides: tuple[int, ...]  # of the ladder: a setting keeps side x side features
    seeds: tuple[int, ...]
    width: int  # channels of the first convolution; the second has twice as many
    updates: int
    batch: int  # images per update
    eval_every: int  # updates between two looks at the validation images
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it


SCALES = {
    "full": Scale(
        sides=(2, 3, 4, 6, 8),
        seeds=tuple(range(1337, 1347)),
        width=16,
        updates=600,
        batch=128,
        eval_every=20,
        threads=1,
    ),
    "smoke": Scale(
        sides=(2, 3, 4, 6, 8),
        seeds=(1337, 1338, 1339),
        width=8,
        updates=120,
        batch=64,
        eval_every=20,
        threads=1,
    ),
}
SCALES["short"] = replace(SCALES["full"], seeds=(1337,), updates=20)

# --------------------------------------------------------------------------------------------------
# Images


@dataclass(frozen=True)
class Part:
    images: np.ndarray  # (images, SIDE x SIDE), brightness from 0 to 1
    labels: np.ndarray  # (images,)


@dataclass(frozen=True)
class Split:
    known: Part  # trained on
    validation: Part  # chooses the state and the setting
    test: Part  # chooses nothing


def split(seed: int) -> Split:
    """One seed's training, validation and test images."""
    digits = load_digits()
    images, labels = digits.data / (LEVELS - 1), digits.target
    order = np.random.default_rng(seed).permutation(len(images))
    cuts = [round(KNOWN * len(images)), round((KNOWN + CHOOSING) * len(images))]
    parts = [Part(images[part], labels[part]) for part in np.split(order, cuts)]
    return Split(*parts)


def check_apart(parts: Split) -> None:
    """Stop if a validation or test image is trained on, or a test image helps to choose."""
    seen = {name: {i.tobytes() for i in part.images} for name, part in vars(parts).items()}
    for one, other in (("known", "validation"), ("known", "test"), ("validation", "test")):
        shared = len(seen[one] & seen[other])
        if shared:
            raise SystemExit(
                f"the split leaks: {shared} images are in both the {one} and the {other} part; "
                "a test accuracy means nothing then"
            )


# --------------------------------------------------------------------------------------------------
# Compression


@dataclass(frozen=True)
class Setting:
    kind: str
    side: int  # side x side features are kept

    @property
    def features(self) -> int:
        return self.side**2

    @property
    def levels(self) -> int:
        """Values that a feature can have."""
        return {"none": LEVELS, "threshold": 2}.get(self.kind, 2**BITS_PER_FEATURE)

    @property
    def bits(self) -> int:
        """Bits that an image costs."""
        return self.features * math.ceil(math.log2(self.levels))


def cosines() -> np.ndarray:
    """The orthonormal discrete cosine transform of SIDE values, lowest frequency first."""
    place, frequency = np.arange(SIDE), np.arange(SIDE)[:, None]
    rows = np.cos(np.pi * (2 * place + 1) * frequency / (2 * SIDE)) * math.sqrt(2 / SIDE)
    rows[0] /= math.sqrt(2)
    return rows


def averages(side: int) -> np.ndarray:
    """Averages of SIDE values over ``side`` equal stretches, by how much of each value they cover."""
    edge = np.arange(side + 1)[:, None] * SIDE / side
    place = np.arange(SIDE)
    covered = np.minimum(edge[1:], place + 1) - np.maximum(edge[:-1], place)
    return np.clip(covered, 0, None) * side / SIDE


def matrix_of(setting: Setting, seed: int) -> np.ndarray:
    """From SIDE x SIDE pixels to the features, (features, SIDE x SIDE)."""
    if setting.kind == "none":
        return np.eye(SIDE**2)
    if setting.kind == "dct":
        rows = cosines()[: setting.side]
        return np.kron(rows, rows)
    if setting.kind == "projection":  # it keeps the squared length of an image on average
        normal = np.random.default_rng(seed).standard_normal((setting.features, SIDE**2))
        return normal / math.sqrt(setting.features)
    return np.kron(averages(setting.side), averages(setting.side))


@dataclass(frozen=True)
class Compressor:
    """A setting with what it learned from the training images, which all images share."""

    setting: Setting
    matrix: np.ndarray
    mean: np.ndarray  # of each feature
    deviation: np.ndarray
    average: np.ndarray  # the mean training image

    def codes(self, images: np.ndarray) -> np.ndarray:
        """What is stored of each image: whole numbers from 0 to ``setting.levels`` - 1."""
        found = features(self.matrix, images)
        if self.setting.kind == "none":
            return np.rint(found * (LEVELS - 1)).astype(np.int64)
        if self.setting.kind == "threshold":
            return (found > THRESHOLD).astype(np.int64)
        share = ((found - self.mean) / self.deviation / CLIP_STDS + 1) / 2
        levels = self.setting.levels
        return np.clip(np.floor(share * levels), 0, levels - 1).astype(np.int64)

    def values(self, codes: np.ndarray) -> np.ndarray:
        """The features that codes stand for, in the units of the features."""
        if self.setting.kind in ("none", "threshold"):
            return codes / (self.setting.levels - 1)
        share = (codes + 0.5) / self.setting.levels
        return (2 * share - 1) * CLIP_STDS * self.deviation + self.mean

    def pixels(self, codes: np.ndarray) -> np.ndarray:
        """The images of full size that have the codes' features, as near to the mean as can be.

        A bit says too little to move a mean by: its block is black or white.
        """
        back, values = np.linalg.pinv(self.matrix), self.values(codes)
        if self.setting.kind == "threshold":
            return features(back, values)
        return features(back, values - self.mean) + self.average


def features(matrix: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Each image times the matrix; the order of the sums is the same on any number of threads."""
    return np.einsum("fp,np->nf", matrix, images)


def compressor(setting: Setting, known: np.ndarray, seed: int) -> Compressor:
    """Learned from the training images alone."""
    matrix = matrix_of(setting, seed)
    return Compressor(setting, matrix, *moments(features(matrix, known)), known.mean(axis=0))


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature; 1 for a feature that never changes."""
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0)


def inputs(setting: Setting, parts: Split, seed: int) -> list[np.ndarray]:
    """What the network sees of each part, (images, 1, side, side), scaled by the training images."""
    coder = compressor(setting, parts.known.images, seed)
    codes = [coder.codes(part.images) for part in vars(parts).values()]
    seen = [coder.pixels(one) if DECODE else coder.values(one) for one in codes]
    mean, deviation = moments(seen[0])
    side = SIDE if DECODE else setting.side
    return [((one - mean) / deviation).reshape(-1, 1, side, side) for one in seen]


# --------------------------------------------------------------------------------------------------
# Training

Curve = dict[str, list[float]]
Tensors = tuple[torch.Tensor, torch.Tensor]  # images, labels


def network(side: int, width: int) -> nn.Sequential:
    """Two convolutions, the second of which halves the side, and a linear layer."""
    half = (side + 1) // 2
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * half**2, CLASSES),
    )


@torch.no_grad()
def evaluate(model: nn.Module, part: Tensors) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy (0 to 1)."""
    model.eval()
    images, labels = part
    logits = model(images)
    model.train()
    right = (logits.argmax(1) == labels).double().mean().item()
    return F.cross_entropy(logits, labels).item(), right


def train(
    parts: Split, setting: Setting, scale: Scale, seed: int, device: str
) -> tuple[Metrics, Curve]:
    """One setting, one seed: its metrics, and the losses over training."""
    check_apart(parts)
    torch.manual_seed(seed)  # initial weights
    batches = torch.Generator().manual_seed(seed)
    seen = inputs(setting, parts, seed)
    known, validation, test = [
        (torch.tensor(one, dtype=torch.float32).to(device), torch.tensor(part.labels).to(device))
        for one, part in zip(seen, vars(parts).values(), strict=True)
    ]
    model = network(known[0].shape[-1], scale.width).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, scale.updates)
    untrained = evaluate(model, test)
    curve: Curve = {"step": [], "train_loss": [], "val_loss": []}
    best: dict[str, torch.Tensor] = {}
    seconds = 0.0
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            losses = (evaluate(model, known)[0], evaluate(model, validation)[0])
            for name, value in zip(curve, (step, *losses), strict=True):
                curve[name].append(value)
            if losses[1] <= min(curve["val_loss"]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
        if step == scale.updates:
            break
        start = time.monotonic()
        batch = torch.randint(len(known[1]), (scale.batch,), generator=batches).to(device)
        loss = F.cross_entropy(model(known[0][batch]), known[1][batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        falling.step()
        seconds += time.monotonic() - start
    model.load_state_dict(best)  # chosen on validation images; test images come after it
    (train_loss, train_acc), (val_loss, val_acc) = (
        evaluate(model, known),
        evaluate(model, validation),
    )
    test_loss, test_acc = evaluate(model, test)
    metrics = {
        "test_acc": test_acc,
        "test_loss": test_loss,
        "bits_per_input": float(setting.bits),
        "features_kept": float(setting.features),
        "val_acc": val_acc,
        "val_loss": val_loss,
        "train_acc": train_acc,
        "train_loss": train_loss,
        "initial_test_acc": untrained[1],
        "initial_test_loss": untrained[0],
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "train_time": seconds,
    }
    return metrics, curve


# --------------------------------------------------------------------------------------------------
# The ladder of a kind, and its choice


def ladder(kind: str, scale: Scale) -> list[Setting]:
    return [Setting(kind, side) for side in ((SIDE,) if kind == "none" else scale.sides)]


def affordable(kind: str, scale: Scale) -> list[int]:
    """Which settings of a kind's ladder may be chosen."""
    settings = ladder(kind, scale)
    fit = [i for i, one in enumerate(settings) if kind == "none" or one.bits <= BIT_BUDGET]
    if not fit:
        raise SystemExit(
            f"no setting of {kind} costs {BIT_BUDGET} bits or less, the smallest {settings[0].bits}; "
            "raise BIT_BUDGET, or lower BITS_PER_FEATURE"
        )
    return fit


def choose(kind: str, scale: Scale, rows: list[Metrics]) -> int:
    """The setting with the lowest validation loss of those that may be chosen."""
    return min(affordable(kind, scale), key=lambda i: rows[i]["val_loss"])


def shown(scale: Scale) -> dict[str, list[list[float]]]:
    """Five validation images of the first seed, decoded from the most that fits the budget."""
    seed = scale.seeds[0]
    parts, found = split(seed), {}
    for kind in KINDS:
        setting = ladder(kind, scale)[affordable(kind, scale)[-1]]
        coder = compressor(setting, parts.known.images, seed)
        found[kind] = coder.pixels(coder.codes(parts.validation.images[:5])).round(4).tolist()
    return found


# --------------------------------------------------------------------------------------------------
# Results


def climb(
    kind: str, scale: Scale, device: str, advance: Callable[[], None]
) -> tuple[list[list[Metrics]], list[int], list[Curve]]:
    """For each seed: the metrics of every setting of a kind, which one is chosen, and its curve."""
    rows, chosen, curves = [], [], []
    for seed in scale.seeds:
        parts, found = split(seed), []
        for setting in ladder(kind, scale):
            found.append(train(parts, setting, scale, seed, device))
            advance()
        rows.append([metrics for metrics, _ in found])
        chosen.append(choose(kind, scale, rows[-1]))
        curves.append(found[chosen[-1]][1])
    return rows, chosen, curves


def main() -> None:
    parser = argparse.ArgumentParser(description="Train small networks on compressed digits.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    written: dict[str, dict] = {"final_info": {}, "curves": {}, "times": {}, "inputs": shown(scale)}
    steps: dict = {"budget": BIT_BUDGET}
    advance = counter(len(scale.seeds) * sum(len(ladder(kind, scale)) for kind in KINDS))
    for kind in KINDS:
        rows, chosen, curves = climb(kind, scale, device, advance)
        final = summarise([found[i] for found, i in zip(rows, chosen, strict=True)])
        written["final_info"][kind] = final
        written["times"][kind] = [[row["train_time"] for row in found] for found in rows]
        written["curves"][kind] = {name: [c[name] for c in curves] for name in curves[0]}
        written["curves"][kind]["step"] = curves[0]["step"]  # the same for every seed
        settings = ladder(kind, scale)
        steps[kind] = {
            "features": [one.features for one in settings],
            "bits": [one.bits for one in settings],
            **{
                k: [[row[k] for row in found] for found in rows]
                for k in ("test_acc", "val_acc", "val_loss")
            },
        }
        told(kind, final)

    write_results(out_dir, **written, ladder=steps)


if __name__ == "__main__":
    main()
