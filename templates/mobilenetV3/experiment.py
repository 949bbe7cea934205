"""python experiment.py --out_dir=run_0

MobileNetV3-small (Howard et al. 2019) learns to classify small images: inverted residuals, whose
wide middle is filtered channel by channel, squeeze-and-excite gates, and the activation h-swish. The
network is written out here, so that each part of it can be changed; its costs are counted layer by
layer. Images of CIFAR-10 are 32 pixels wide where the published network sees 224: the first strides
are therefore 1. The data sets of the results are `cifar10` at full scale and `digits` at smoke.

A seed cuts off validation images, which choose the state of the network. Test images choose nothing.
Beside the network stands a linear rule on the pixels, by least squares, on the same split.

Writes into out_dir
  final_info.json  {data set: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                               "final_info_dict": {metric: [x per seed]}}}
  curves.json      {data set: {"step": [...], "train_loss", "val_loss", "val_acc": [[per step] per seed]}}
  costs.json       {data set: {"part": [name per part], "kind": [kind of layer],
                               "parameters": [...], "multiply_adds": [...]}}, in the order of the network
  gates.json       {data set: {"part": [name of a gate's block], "share": [[per gate] per seed]}}
  confusion.json   {data set: [[test images by true and by predicted class]]}, summed over seeds

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates, on generated images in the format of CIFAR-10.
"""

import argparse
import io
import math
import os
import tarfile
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
from sklearn.datasets import load_digits
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

WIDTH = 1.0  # times the channels of every layer; the one in front of the classifier never shrinks
SQUEEZE = 0.25  # width of a gate's middle, as a share of the channels it gates; 0: no gates
ACTIVATION = 1  # where the paper has h-swish: 0 ReLU, 1 h-swish, 2 swish
KERNEL = 5  # side of the large channel-wise kernels; the small ones have 3
SHIFT = 0.125  # training images move by up to this share of their side
LABEL_SMOOTHING = 0.1  # share of the target that is spread over all classes
LEARNING_RATE = 0.004  # AdamW step size at its highest, after the warm-up

# --------------------------------------------------------------------------------------------------
# Sizes

CLASSES = 10
MOVING = 0.1  # weight of a batch in the running mean and deviation of a batch normalisation


@dataclass(frozen=True)
class Scale:
    data: str
    choosing: float  # share of the images that validate
    mirrored: bool  # whether training images are; a mirrored digit is no digit
    seeds: tuple[int, ...]
    width: float  # times WIDTH
    unstrided: int  # how many of the five strides of 2 are 1, from the first: images are small
    updates: int
    batch: int  # images per update
    eval_every: int  # updates between two looks at the validation images
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it
    made: bool = False  # generated images take the place of the download


SCALES = {
    "full": Scale(
        data="cifar10", choosing=0.1, mirrored=True, seeds=(1337, 1338, 1339), width=1.0, unstrided=2,
        updates=35_000, batch=128, eval_every=700, threads=2,
    ),
    "smoke": Scale(
        data="digits", choosing=0.2, mirrored=False, seeds=(1337, 1338, 1339), width=0.5, unstrided=3,
        updates=120, batch=64, eval_every=20, threads=1,
    ),
}  # fmt: skip
SCALES["short"] = replace(SCALES["full"], seeds=(1337,), updates=20, eval_every=20, made=True)

# --------------------------------------------------------------------------------------------------
# Images

DATA = Path("/data")
ARCHIVE = Path("cifar10", "cifar-10-binary.tar.gz")
FOLDER = "cifar-10-batches-bin"  # in the archive
KNOWN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue pixels, row by row


@dataclass(frozen=True)
class Part:
    images: np.ndarray  # (images, channels, side, side), whole numbers from 0 to 255
    labels: np.ndarray  # (images,)

    def at(self, which: np.ndarray) -> "Part":
        return Part(self.images[which], self.labels[which])


@dataclass(frozen=True)
class Split:
    known: Part  # trained on
    validation: Part  # chooses the state of the network
    test: Part  # chooses nothing


def records(content: bytes) -> Part:
    """The images of one file of CIFAR-10's binary version."""
    if not content or len(content) % RECORD:
        raise SystemExit(
            f"a file of CIFAR-10 has {len(content)} bytes, which is not a multiple of {RECORD}: "
            "stage cifar-10-binary.tar.gz, not the version for Python"
        )
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    return Part(rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0].astype(np.int64))


def cifar10(root: Path) -> tuple[Part, Part]:
    """The five batches together, and the test batch, from the archive as it is downloaded."""
    if not (root / ARCHIVE).is_file():
        raise SystemExit(
            f"CIFAR-10 is not staged: there is no {root / ARCHIVE}; on the host: "
            "aisci data prepare mobilenetV3, or choose the scale smoke or short, which need no data"
        )
    found = {}
    with tarfile.open(root / ARCHIVE) as archive:
        for name in (*KNOWN, "test_batch.bin"):
            member = archive.extractfile(f"{FOLDER}/{name}")
            if member is None:
                raise SystemExit(f"{FOLDER}/{name} is not a file in {ARCHIVE.name}")
            found[name] = records(member.read())
    known = [found[name] for name in KNOWN]
    both = Part(
        np.concatenate([p.images for p in known]), np.concatenate([p.labels for p in known])
    )
    return both, found["test_batch.bin"]


def make(root: Path, per_file: int = 600, seed: int = 1) -> None:
    """An archive in the format of CIFAR-10: each class has four coarse colour patterns, with noise."""
    source = np.random.default_rng(seed)
    patterns = source.uniform(40, 215, (CLASSES, 4, 3, 4, 4))
    (root / ARCHIVE).parent.mkdir()
    with tarfile.open(root / ARCHIVE, "w:gz", compresslevel=1) as archive:
        for name in (*KNOWN, "test_batch.bin"):
            labels = source.integers(CLASSES, size=per_file)
            coarse = patterns[labels, source.integers(4, size=per_file)]
            images = np.kron(coarse, np.ones((8, 8))) + source.normal(0, 30, (per_file, 3, 32, 32))
            pixels = images.clip(0, 255).astype(np.uint8).reshape(per_file, -1)
            content = np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1).tobytes()
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def digits(source: np.random.Generator) -> tuple[Part, Part]:
    """Scikit-learn's digits of 8 x 8 pixels, and a fifth of them as test images."""
    raw = load_digits()
    every = Part((raw.images[:, None] * 15).astype(np.uint8), raw.target)
    order = source.permutation(len(every.labels))
    cut = round(0.8 * len(order))
    return every.at(order[:cut]), every.at(order[cut:])


def split(scale: Scale, seed: int, root: Path) -> Split:
    """One seed's parts. CIFAR-10's test images are the same for all seeds."""
    source = np.random.default_rng(seed)
    rest, test = cifar10(root) if scale.data == "cifar10" else digits(source)
    order = source.permutation(len(rest.labels))
    cut = round(scale.choosing * len(order))
    validation = without(rest.at(order[:cut]), test)
    return Split(without(without(rest.at(order[cut:]), test), validation), validation, test)


def prints(part: Part) -> list[bytes]:
    return [image.tobytes() for image in part.images]


def without(part: Part, other: Part) -> Part:
    """``part`` less the images that ``other`` has too, byte for byte."""
    seen = set(prints(other))
    return part.at(np.array([one not in seen for one in prints(part)], dtype=bool))


# --------------------------------------------------------------------------------------------------
# The network: table 2 of Howard et al. (2019)


@dataclass(frozen=True)
class Row:
    large: bool  # a kernel of KERNEL, else of 3
    ratio: float  # channels that are filtered, for each that comes in
    out: int
    gated: bool
    swish: bool  # h-swish, else ReLU
    stride: int


ROWS = (
    Row(large=False, ratio=1, out=16, gated=True, swish=False, stride=2),
    Row(large=False, ratio=4.5, out=24, gated=False, swish=False, stride=2),
    Row(large=False, ratio=88 / 24, out=24, gated=False, swish=False, stride=1),
    Row(large=True, ratio=4, out=40, gated=True, swish=True, stride=2),
    Row(large=True, ratio=6, out=40, gated=True, swish=True, stride=1),
    Row(large=True, ratio=6, out=40, gated=True, swish=True, stride=1),
    Row(large=True, ratio=3, out=48, gated=True, swish=True, stride=1),
    Row(large=True, ratio=3, out=48, gated=True, swish=True, stride=1),
    Row(large=True, ratio=6, out=96, gated=True, swish=True, stride=2),
    Row(large=True, ratio=6, out=96, gated=True, swish=True, stride=1),
    Row(large=True, ratio=6, out=96, gated=True, swish=True, stride=1),
)
STEM, LAST = 16, 1024  # channels of the first convolution, units in front of the classifier


def divisible(channels: float) -> int:
    """The nearest multiple of 8, never less than nine tenths of ``channels``."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


class HSwish(nn.Module):
    """x times the hard sigmoid min(max(x + 3, 0), 6) / 6, or what ACTIVATION puts in its place."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if ACTIVATION == 0:
            return F.relu(x)
        return x * hard_sigmoid(x) if ACTIVATION == 1 else x * torch.sigmoid(x)


def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return (x + 3).clamp(0, 6) / 6


class Gate(nn.Module):
    """Squeeze-and-excite: each channel is weighted by what the means of all channels say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = divisible(int(channels * SQUEEZE))
        self.squeeze, self.excite = nn.Linear(channels, middle), nn.Linear(middle, channels)

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        """(images, channels), from 0 to 1."""
        return hard_sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3))))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weights(x)[:, :, None, None]


def convolution(inside: int, out: int, kernel: int, stride: int, groups: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inside, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, eps=0.001, momentum=MOVING),
    ]


class Block(nn.Module):
    """An inverted residual: expand, filter each channel, gate, project."""

    def __init__(self, inside: int, row: Row, stride: int, width: float) -> None:
        super().__init__()
        middle, out = divisible(inside * row.ratio), divisible(row.out * width)
        kernel = KERNEL if row.large else 3

        def bend() -> nn.Module:
            return HSwish() if row.swish else nn.ReLU()

        expand = [*convolution(inside, middle, 1, 1, 1), bend()] if middle != inside else []
        self.expand = nn.Sequential(*expand)
        self.filter = nn.Sequential(*convolution(middle, middle, kernel, stride, middle), bend())
        self.gate = Gate(middle) if row.gated and SQUEEZE > 0 else nn.Identity()
        self.project = nn.Sequential(*convolution(middle, out, 1, 1, 1))
        self.skips = stride == 1 and inside == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.project(self.gate(self.filter(self.expand(x))))
        return x + y if self.skips else y


class MobileNetV3(nn.Module):
    def __init__(
        self, classes: int = 1000, width: float = 1.0, unstrided: int = 0, channels: int = 3
    ) -> None:
        super().__init__()
        strides = [2, *(row.stride for row in ROWS)]
        for place in [i for i, stride in enumerate(strides) if stride == 2][:unstrided]:
            strides[place] = 1
        inside = divisible(STEM * width)
        self.stem = nn.Sequential(*convolution(channels, inside, 3, strides[0], 1), HSwish())
        blocks = []
        for row, stride in zip(ROWS, strides[1:], strict=True):
            blocks.append(Block(inside, row, stride, width))
            inside = divisible(row.out * width)
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Sequential(*convolution(inside, 6 * inside, 1, 1, 1), HSwish())
        last = divisible(LAST * max(1.0, width))  # as published: a narrow network keeps it
        self.head = nn.Sequential(
            nn.Linear(6 * inside, last), HSwish(), nn.Dropout(0.2), nn.Linear(last, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.top(self.blocks(self.stem(x))).mean((2, 3)))


def network(scale: Scale, channels: int) -> MobileNetV3:
    return MobileNetV3(CLASSES, scale.width * WIDTH, scale.unstrided, channels)


@torch.no_grad()
def costs(model: MobileNetV3, channels: int, side: int) -> dict[str, list]:
    """Parameters and multiply-adds of each layer that has any, for one image of ``side`` pixels.

    As usual, activations, normalisations and the product with a gate count no multiply-add.
    """
    found: dict[str, list] = {"part": [], "kind": [], "parameters": [], "multiply_adds": []}

    def told_of(name: str) -> Callable[..., None]:
        def hook(layer: nn.Module, _: tuple, out: torch.Tensor) -> None:
            part, _, kind = name.partition(".")
            if part == "blocks":
                number, kind = kind.split(".")[:2]
                part = f"block {int(number) + 1}"
            own = sum(p.numel() for p in layer.parameters())
            counted = isinstance(layer, nn.Conv2d | nn.Linear)
            times = layer.weight[0].numel() * out[0].numel() if counted else 0
            for key, value in zip(found, (part, kind, own, times), strict=True):
                found[key].append(value)

        return hook

    leaves = [
        (name, layer)
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    ]
    hooks = [layer.register_forward_hook(told_of(name)) for name, layer in leaves]
    device = next(model.parameters()).device
    model.eval()
    model(torch.zeros(1, channels, side, side, device=device))
    model.train()
    for hook in hooks:
        hook.remove()
    return found


# --------------------------------------------------------------------------------------------------
# Training

Curve = dict[str, list[float]]
Tensors = tuple[torch.Tensor, torch.Tensor]  # images as they are stored, labels


@dataclass(frozen=True)
class Lens:
    """Scales stored images by the mean and the deviation of each channel of the training images."""

    mean: torch.Tensor  # (1, channels, 1, 1)
    deviation: torch.Tensor

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return (images.float() - self.mean) / self.deviation


def lens(known: torch.Tensor) -> Lens:
    counts = torch.stack(
        [torch.bincount(one.flatten().int(), minlength=256) for one in known.unbind(1)]
    )
    share = counts.double() / counts.sum(1, keepdim=True)
    levels = torch.arange(256.0, dtype=torch.double, device=known.device)
    mean = share @ levels
    deviation = (share @ levels**2 - mean**2).sqrt()
    return Lens(*(one.float()[None, :, None, None] for one in (mean, deviation)))


def moved(images: torch.Tensor, source: torch.Generator, *, mirror: bool) -> torch.Tensor:
    """Each image shifted by up to SHIFT of its side, zeros coming in, and perhaps mirrored."""
    n, _, side, _ = images.shape
    reach = round(SHIFT * side)
    down, right = torch.randint(0, 2 * reach + 1, (2, n, 1), generator=source)
    flip = torch.rand(n, 1, generator=source) < 0.5
    place = torch.arange(side)[None]
    across = torch.where(flip & mirror, side - 1 - place, place)
    padded = F.pad(images, (reach,) * 4)
    which = torch.arange(n)[:, None, None]
    found = padded.permute(0, 2, 3, 1)[
        which, (place + down)[:, :, None], (across + right)[:, None, :]
    ]
    return found.permute(0, 3, 1, 2)


@torch.no_grad()
def logits(model: nn.Module, images: torch.Tensor, see: Lens) -> torch.Tensor:
    model.eval()
    found = torch.cat([model(see(chunk)) for chunk in images.split(500)])
    model.train()
    return found


def evaluate(model: nn.Module, part: Tensors, see: Lens) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy (0 to 1)."""
    found = logits(model, part[0], see)
    right = (found.argmax(1) == part[1]).double().mean().item()
    return F.cross_entropy(found, part[1]).item(), right


def linear(known: Tensors, test: Tensors, see: Lens) -> float:
    """Test accuracy of the linear rule on pixels that least squares fits, with a small penalty."""

    def rows(images: torch.Tensor) -> torch.Tensor:
        return F.pad(see(images).flatten(1), (0, 1), value=1.0).double()

    size = known[0][0].numel() + 1
    product = torch.eye(size, dtype=torch.double, device=known[0].device) * 0.01 * len(known[1])
    aim = torch.zeros(size, CLASSES, dtype=torch.double, device=known[0].device)
    for images, labels in zip(known[0].split(5000), known[1].split(5000), strict=True):
        x = rows(images)
        product += x.T @ x
        aim += x.T @ F.one_hot(labels, CLASSES).double()
    weights = torch.linalg.solve(product, aim)
    found = torch.cat([rows(images) @ weights for images in test[0].split(5000)])
    return (found.argmax(1) == test[1]).double().mean().item()


def pace(step: int, scale: Scale) -> float:
    """The step size: up over the first twentieth of the updates, then down a cosine."""
    warmup = max(1, scale.updates // 20)
    fall = 0.5 * (1 + math.cos(math.pi * step / scale.updates))
    return LEARNING_RATE * min((step + 1) / warmup, 1.0) * fall


@dataclass(frozen=True)
class Trained:
    metrics: Metrics
    curve: Curve
    gates: tuple[list[str], list[float]]
    confusion: np.ndarray
    costs: dict[str, list]


def learn(
    model: nn.Module, known: Tensors, validation: Tensors, see: Lens, scale: Scale,
    seed: int, advance: Callable[[], None],
) -> tuple[Curve, float]:  # fmt: skip
    """Train, and leave the state with the highest validation accuracy; the curve and the seconds."""
    source = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    curve: Curve = {"step": [], "train_loss": [], "val_loss": [], "val_acc": []}
    best, best_state, seconds, losses = (-1.0, 0.0), {}, 0.0, []
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            loss, right = evaluate(model, validation, see)
            recent = sum(losses) / len(losses) if losses else math.log(CLASSES)
            for name, value in zip(curve, (step, recent, loss, right), strict=True):
                curve[name].append(value)
            losses = []
            if (right, -loss) > best:  # of equal accuracies the lower loss
                best = (right, -loss)
                best_state = {name: value.clone() for name, value in model.state_dict().items()}
        if step == scale.updates:
            break
        start = time.monotonic()
        for group in optimiser.param_groups:
            group["lr"] = pace(step, scale)
        batch = torch.randint(len(known[1]), (scale.batch,), generator=source)
        images = moved(see(known[0][batch]), source, mirror=scale.mirrored)
        found = model(images)
        error = F.cross_entropy(found, known[1][batch], label_smoothing=LABEL_SMOOTHING)
        optimiser.zero_grad(set_to_none=True)
        error.backward()
        optimiser.step()
        losses.append(error.item())
        seconds += time.monotonic() - start
        advance()
    model.load_state_dict(best_state)  # chosen on validation images; test images come after it
    return curve, seconds


def share_between(values: torch.Tensor, labels: torch.Tensor) -> float:
    """What share of the variance of ``values`` (images, columns) is that of the classes' means."""
    centred = values - values.mean(0)
    between = centred.new_zeros(())
    for label in labels.unique():
        of_class = centred[labels == label]
        between += len(of_class) * of_class.mean(0).square().sum()
    return (between / centred.square().sum().clamp_min(1e-12)).item()


@torch.no_grad()
def gate_shares(model: MobileNetV3, part: Tensors, see: Lens) -> tuple[list[str], list[float]]:
    """For each gate: what share of its weights' variance over images lies between the classes."""
    taken: dict[str, list[torch.Tensor]] = {}
    hooks = []
    for number, block in enumerate(model.blocks, 1):
        if isinstance(block.gate, Gate):
            kept = taken.setdefault(f"block {number}", [])
            hooks.append(
                block.gate.register_forward_hook(
                    lambda gate, inside, _, kept=kept: kept.append(gate.weights(inside[0]))
                )
            )
    logits(model, part[0], see)
    for hook in hooks:
        hook.remove()
    shares = [share_between(torch.cat(kept).double(), part[1]) for kept in taken.values()]
    return list(taken), shares


def train(
    parts: Split, scale: Scale, seed: int, device: str, advance: Callable[[], None]
) -> Trained:
    """One seed: its metrics, its curve and what its network does."""
    check_apart({name: prints(part) for name, part in vars(parts).items()}, "images")
    torch.manual_seed(seed)  # initial weights and dropout
    known, validation, test = [
        (torch.tensor(part.images).to(device), torch.tensor(part.labels).to(device))
        for part in vars(parts).values()
    ]
    see = lens(known[0])
    channels, side = known[0].shape[1:3]
    model = network(scale, channels).to(device)
    untrained = evaluate(model, test, see)
    curve, seconds = learn(model, known, validation, see, scale, seed, advance)
    val_loss, val_acc = evaluate(model, validation, see)
    few = (known[0][: len(test[1])], known[1][: len(test[1])])  # enough for an accuracy
    train_loss, train_acc = evaluate(model, few, see)
    test_loss, test_acc = evaluate(model, test, see)
    counted = costs(model, channels, side)
    metrics = {
        "test_acc": test_acc,
        "test_loss": test_loss,
        "val_acc": val_acc,
        "val_loss": val_loss,
        "train_acc": train_acc,
        "train_loss": train_loss,
        "initial_test_acc": untrained[1],
        "initial_test_loss": untrained[0],
        "linear_test_acc": linear(known, test, see),
        "parameters": float(sum(counted["parameters"])),
        "multiply_adds": float(sum(counted["multiply_adds"])),
        "train_time": seconds,
    }
    guesses = logits(model, test[0], see).argmax(1)
    pairs = torch.bincount((test[1] * CLASSES + guesses).cpu(), minlength=CLASSES**2)
    confusion = pairs.reshape(CLASSES, CLASSES).numpy()
    return Trained(metrics, curve, gate_shares(model, validation, see), confusion, counted)


def study(scale: Scale, device: str, root: Path) -> list[Trained]:
    advance = counter(len(scale.seeds) * scale.updates)
    return [train(split(scale, seed, root), scale, seed, device, advance) for seed in scale.seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train MobileNetV3-small on small images.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as folder:
        if scale.made:
            make(Path(folder))
        found = study(scale, device, Path(folder) if scale.made else DATA)
    final = summarise([one.metrics for one in found])
    told(scale.data, final)
    curves: dict[str, list] = {name: [one.curve[name] for one in found] for name in found[0].curve}
    curves["step"] = found[0].curve["step"]  # the same for every seed
    gates = {"part": found[0].gates[0], "share": [one.gates[1] for one in found]}
    write_results(
        out_dir,
        final_info={scale.data: final},
        curves={scale.data: curves},
        costs={scale.data: found[0].costs},
        gates={scale.data: gates},
        confusion={scale.data: sum(one.confusion for one in found).tolist()},
    )


if __name__ == "__main__":
    main()
