"""python experiment.py --out_dir=run_0

Grokking on small algebraic tasks: a small transformer learns `a . b = c` from a part of all pairs
(a, b). Long after it knows that part by heart it may begin to answer the held-out pairs too. Each
task is learned with several seeds; a seed fixes the split, the initial weights and the batches.

Writes into out_dir
  final_info.json   {task: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                            "final_info_dict": {metric: [x per seed]}}}
                    step_val_acc_99 only for a task that every seed learned: "never" has no mean
  curves.json       {task: {"step": [x per point], curve: [[x per point] per seed]}}, the curves
                    being train_loss, train_acc, val_loss and val_acc

AISCI_SCALE=full (default) is the study; smoke is the same program made small for a CPU, and short
is the full size for 20 updates.
"""

import argparse
import itertools
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch
import torch.nn.functional as F
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

LEARNING_RATE = 0.001  # AdamW step size at full scale; Scale.rate multiplies it
WEIGHT_DECAY = 0.5  # AdamW, decoupled; per unit of learning rate
WARMUP_UPDATES = 50  # updates over which the learning rate rises linearly
DROPOUT = 0.0  # probability, after attention and after the MLP
INIT_SCALE = 1.0  # times every weight matrix and embedding at the start
LABEL_SMOOTHING = 0.0  # of the training loss only; every reported loss is without it

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Scale:
    tasks: tuple[str, ...]
    modulus: int  # of x_div_y, x_minus_y, x_plus_y; a prime, so that every y but 0 divides
    letters: int  # of permutation
    train_fraction: float  # share of all pairs that is trained on; the rest is held out
    seeds: tuple[int, ...]
    layers: int
    width: int  # of the residual stream
    heads: int
    updates: int
    batch: int  # pairs per update
    eval_every: int  # updates between two points of a curve
    rate: float  # times LEARNING_RATE: few updates want large steps
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it


SCALES = {
    "full": Scale(
        tasks=("x_div_y", "x_minus_y", "x_plus_y", "permutation"),
        modulus=97,
        letters=5,
        train_fraction=0.5,
        seeds=(1337, 1338, 1339),
        layers=2,
        width=128,
        heads=4,
        updates=7500,
        batch=512,
        eval_every=100,
        rate=1.0,
        threads=4,
    ),
    "smoke": Scale(
        tasks=("x_minus_y", "x_plus_y"),
        modulus=31,
        letters=3,
        train_fraction=0.8,
        seeds=(1337, 1338, 1339),
        layers=1,
        width=48,
        heads=4,
        updates=360,
        batch=128,
        eval_every=40,
        rate=10.0,
        threads=1,
    ),
}
SCALES["short"] = replace(SCALES["full"], seeds=(1337,), updates=20, eval_every=20, threads=1)
LEARNED = 0.99  # held-out accuracy at which a task counts as learned (step_val_acc_99)

# --------------------------------------------------------------------------------------------------
# Tasks: every pair of operands and its answer, as token ids


def modular(task: str, p: int) -> list[tuple[int, int, int]]:
    """All (a, b, a . b) over the integers modulo the prime p."""
    if task == "x_plus_y":
        return [(a, b, (a + b) % p) for a in range(p) for b in range(p)]
    if task == "x_minus_y":
        return [(a, b, (a - b) % p) for a in range(p) for b in range(p)]
    if task == "x_div_y":
        return [(a, b, a * pow(b, -1, p) % p) for a in range(p) for b in range(1, p)]
    raise SystemExit(f"unknown task {task!r}: x_div_y, x_minus_y, x_plus_y or permutation")


def permutations(letters: int) -> list[tuple[int, int, int]]:
    """All (a, b, a after b) over the permutations of some letters, numbered in lexical order."""
    group = list(itertools.permutations(range(letters)))
    number = {g: i for i, g in enumerate(group)}
    return [(number[a], number[b], number[tuple(a[i] for i in b)]) for a in group for b in group]


def load_task(task: str, scale: Scale, seed: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """One seed's training and held-out triples, both (pairs, 3) int64, and the number of answers."""
    triples = permutations(scale.letters) if task == "permutation" else modular(task, scale.modulus)
    table = torch.tensor(triples)
    table = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))]
    cut = round(scale.train_fraction * len(table))
    assert 0 < cut < len(table), "train_fraction must leave pairs on both sides"
    return table[:cut], table[cut:], int(table.max()) + 1


# --------------------------------------------------------------------------------------------------
# Model: a decoder-only transformer that reads `a . b =` and answers at the last of the four tokens


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(DROPOUT)
        future = torch.full((4, 4), float("-inf")).triu(1)  # no token sees a later one
        self.register_buffer("future", future)

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        n, t, w = x.shape
        qkv = self.qkv(x).view(n, t, 3, self.heads, w // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (n, heads, t, w / heads)
        # Plain products: for four tokens they are faster on a CPU than the fused kernel.
        scores = q @ k.transpose(-2, -1) / math.sqrt(w // self.heads)
        y = (scores + self.future).softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, t, w))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.drop(self.attend(self.norm1(x)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class Transformer(nn.Module):
    def __init__(self, answers: int, scale: Scale) -> None:
        super().__init__()
        self.dot, self.equals = answers, answers + 1  # the two tokens that are not elements
        self.token = nn.Embedding(answers + 2, scale.width)
        self.position = nn.Embedding(4, scale.width)
        self.blocks = nn.Sequential(*[Block(scale.width, scale.heads) for _ in range(scale.layers)])
        self.norm = nn.LayerNorm(scale.width)
        self.head = nn.Linear(scale.width, answers, bias=False)
        with torch.no_grad():
            for weight in self.parameters():
                weight.mul_(INIT_SCALE if weight.ndim == 2 else 1.0)

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        """Pairs (n, 2) to logits (n, answers)."""
        a, b = pairs.unbind(1)
        dot, equals = torch.full_like(a, self.dot), torch.full_like(a, self.equals)
        text = torch.stack([a, dot, b, equals], dim=1)
        x = self.token(text) + self.position.weight
        return self.head(self.norm(self.blocks(x)[:, -1]))


# --------------------------------------------------------------------------------------------------
# Training


@torch.no_grad()
def evaluate(model: Transformer, data: torch.Tensor) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy (0 to 1) over all of data."""
    model.eval()
    logits = torch.cat([model(part[:, :2]) for part in data.split(4096)])
    model.train()
    right = logits.argmax(1) == data[:, 2]
    return F.cross_entropy(logits, data[:, 2]).item(), right.float().mean().item()


Metrics = dict[str, float]
Curves = dict[str, list[float]]


def train(
    task: str, scale: Scale, seed: int, device: str, advance: Callable[[], None] = lambda: None
) -> tuple[Metrics, Curves]:
    """One task, one seed: the final metrics, and the curves with their steps.

    ``advance`` is told of each point of the curves but the first.
    """
    torch.manual_seed(seed)  # initial weights, dropout
    batches = torch.Generator().manual_seed(seed)
    known, held_out, answers = load_task(task, scale, seed)
    known, held_out = known.to(device), held_out.to(device)
    model = Transformer(answers, scale).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True
    )
    names = ("step", "train_loss", "train_acc", "val_loss", "val_acc")
    curves: Curves = {name: [] for name in names}
    learned_at = math.inf

    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            point = (step, *evaluate(model, known), *evaluate(model, held_out))
            if step:
                advance()
            for name, value in zip(names, point, strict=True):
                curves[name].append(value)
            if point[-1] >= LEARNED:
                learned_at = min(learned_at, step)
        if step == scale.updates:
            break
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * scale.rate * min(1.0, (step + 1) / max(1, WARMUP_UPDATES))
        batch = known[torch.randint(len(known), (scale.batch,), generator=batches).to(device)]
        loss = F.cross_entropy(model(batch[:, :2]), batch[:, 2], label_smoothing=LABEL_SMOOTHING)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    metrics = {f"final_{name}": curves[name][-1] for name in names[1:]}
    metrics["initial_val_loss"] = curves["val_loss"][0]
    metrics["reached_val_acc_99"] = float(learned_at < math.inf)
    if learned_at < math.inf:
        metrics["step_val_acc_99"] = float(learned_at)
    return metrics, curves


# --------------------------------------------------------------------------------------------------
# Results


def summarise(per_seed: list[Metrics]) -> dict[str, dict]:
    """Means over the seeds, with standard errors and the values themselves.

    A standard error is the sample deviation (n - 1 in its divisor) over the root of n. One seed
    has none. A metric that some seed lacks, since it never happened there, has no mean.
    """
    n = len(per_seed)
    shared = [k for k in per_seed[0] if all(k in r for r in per_seed)]
    values = {k: [r[k] for r in per_seed] for k in shared}
    means = {k: sum(v) / n for k, v in values.items()}
    stderrs = {
        k: math.sqrt(sum((x - means[k]) ** 2 for x in v) / (n - 1) / n)
        for k, v in values.items()
        if n > 1
    }
    return {
        "means": {f"{k}_mean": m for k, m in means.items()},
        "stderrs": {f"{k}_stderr": s for k, s in stderrs.items()},
        "final_info_dict": values,
    }


def progress(scale: Scale) -> Callable[[], None]:
    """Told of each point of a curve; says so whenever another hundredth of all is done."""
    total = len(scale.tasks) * len(scale.seeds) * math.ceil(scale.updates / scale.eval_every)
    done = told = 0

    def advance() -> None:
        nonlocal done, told
        done += 1
        if 100 * done // total > told:
            told = 100 * done // total
            print(f"progress: {done / total:.4f}", flush=True)

    return advance


def main() -> None:
    parser = argparse.ArgumentParser(description="Train small transformers on algebraic tasks.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    final_info, all_curves = {}, {}
    advance = progress(scale)
    for task in scale.tasks:
        start = time.monotonic()
        metrics, curves = zip(
            *[train(task, scale, seed, device, advance) for seed in scale.seeds], strict=True
        )
        final_info[task] = summarise(metrics)
        all_curves[task] = {name: [c[name] for c in curves] for name in curves[0]}
        all_curves[task]["step"] = curves[0]["step"]  # the same for every seed
        shown = ("initial_val_loss", "final_val_loss", "final_train_acc", "final_val_acc")
        values = [f"{name} {final_info[task]['means'][f'{name}_mean']:.3f}" for name in shown]
        print(f"{task}:", *values, f"seconds {time.monotonic() - start:.1f}", sep="  ", flush=True)

    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "curves.json").write_text(json.dumps(all_curves))
    (out_dir / "final_info.json").write_text(json.dumps(final_info, indent=1))


if __name__ == "__main__":
    main()
