"""python experiment.py --out_dir=run_0

Character-level language models: a small decoder-only transformer learns to predict the next
character of a text. seeds.py says which texts are learned at each scale, and with which seeds; a
seed fixes the initial weights, the batches and the samples. Loss is the mean cross-entropy in nats
per character, on windows that are drawn once for each seed, so that two evaluations see the same
ones. Each text is cut 90 to 5 to 5: the model learns the first part, its best state is chosen on
the second (validation), and the loss that is reported is that state's on the third (test).

Writes into out_dir
  final_info.json   {text: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                            "final_info_dict": {metric: [x per seed]}}}
  curves.json       {text: {"step": [x per point], "train_loss", "val_loss": [[x per point] per seed]}}
  samples.json      {text: [what the model of each seed wrote]}

AISCI_SCALE=full (default) is the study, on texts that the host staged below /data; smoke is the
same program made small for a CPU, on the documentation that comes with Python; short is the full
size for 20 updates, on texts of the true formats that are made of that documentation.

But for the seeds, the experiment is one file, long as it is: a reader and an editor see all of it.
"""

import argparse
import json
import math
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from pydoc_data.topics import topics

from seeds import SEEDS

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch
import torch.nn.functional as F
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

LEARNING_RATE = 0.001  # AdamW step size after the warm-up; Corpus.rate multiplies it
FINAL_RATE = 0.1  # share of it that is left at the end of the cosine
WARMUP_SHARE = 0.02  # share of the updates over which it rises linearly, 100 at the most
WEIGHT_DECAY = 0.1  # AdamW, decoupled; of matrices and embeddings alone
BETA2 = 0.99  # AdamW's memory of squared gradients
GRAD_CLIP = 1.0  # greatest norm of a gradient; 0 for none
DROPOUT = 0.2  # probability, at full scale; Scale.dropout multiplies it

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Corpus:
    name: str
    updates: int
    batch: int  # windows per update
    eval_every: int  # updates between two points of a curve
    eval_batches: int  # of the same size, for each of the two estimates
    rate: float = 1.0  # times LEARNING_RATE
    seeds: tuple[int, ...] = ()  # those of seeds.py


@dataclass(frozen=True)
class Scale:
    corpora: tuple[Corpus, ...]
    layers: int
    heads: int
    width: int  # of the residual stream
    block: int  # characters that the model sees at most
    dropout: float  # times DROPOUT: a short run has nothing to forget
    samples: int  # texts written at the end of a seed
    written: int  # characters of each
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it
    made: bool = False  # the texts are made here, in the formats of the real ones


def seeded(scale: str, *corpora: Corpus) -> tuple[Corpus, ...]:
    """The corpora that seeds.py names at this scale, with their seeds."""
    known = {corpus.name: corpus for corpus in corpora}
    return tuple(replace(known[name], seeds=seeds) for name, seeds in SEEDS[scale].items())


FULL = {"layers": 6, "heads": 6, "width": 384, "block": 256}
SCALES = {
    "full": Scale(
        corpora=seeded(
            "full",
            Corpus("shakespeare_char", 5000, 64, 250, 200),
            Corpus("enwik8", 100_000, 32, 1000, 200, rate=0.5),
            Corpus("text8", 100_000, 32, 1000, 200, rate=0.5),
        ),
        **FULL, dropout=1.0, samples=10, written=500, threads=8,
    ),
    "short": Scale(
        corpora=seeded(
            "short",
            Corpus("shakespeare_char", 20, 64, 20, 1),
            Corpus("enwik8", 20, 32, 20, 1, rate=0.5),
            Corpus("text8", 20, 32, 20, 1, rate=0.5),
        ),
        **FULL, dropout=1.0, samples=1, written=20, threads=2, made=True,
    ),
    "smoke": Scale(
        corpora=seeded("smoke", Corpus("python_docs", 240, 16, 40, 8, rate=5.0)),
        layers=2, heads=2, width=48, block=48, dropout=0.25, samples=1, written=100, threads=1,
    ),
}  # fmt: skip

# --------------------------------------------------------------------------------------------------
# Texts: (training, validation and test part, the characters), the parts as uint8 tensors of indices

DATA = Path("/data")


def python_docs() -> str:
    """What `help()` says of Python's topics: English and code, the same in one version of Python."""
    return "\n\n".join(topics[name] for name in sorted(topics))


def staged(corpus: str, file: str, root: Path) -> Path:
    path = root / corpus / file
    if not path.is_file():
        raise SystemExit(
            f"the text {corpus} is not staged; on the host: aisci data prepare nanoGPT"
        )
    return path


def zipped(corpus: str, root: Path) -> bytes:
    with zipfile.ZipFile(staged(corpus, f"{corpus}.zip", root)) as archive:
        return archive.read(corpus)


def encode(raw: bytes) -> tuple[torch.Tensor, list[str]]:
    """Bytes to indices of those that occur; the characters are Latin-1, one for each byte."""
    every = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
    known = torch.unique(every)
    index = torch.zeros(256, dtype=torch.uint8)
    index[known.long()] = torch.arange(len(known), dtype=torch.uint8)
    return index[every.long()], [chr(byte) for byte in known.tolist()]


def load(corpus: str, root: Path) -> tuple[list[torch.Tensor], list[str]]:
    """The three parts of a text, 90 to 5 to 5, as is usual for enwik8 and text8."""
    if corpus in {"enwik8", "text8"}:
        raw = zipped(corpus, root)
    elif corpus == "python_docs":
        raw = python_docs().encode("ascii", "replace")
    else:
        raw = staged(corpus, "input.txt", root).read_bytes()
    data, characters = encode(raw)
    cuts = int(0.9 * len(data)), int(0.95 * len(data))
    return list(data.tensor_split(cuts)), characters


def make(root: Path) -> None:
    """Texts in the formats of the three real ones, as large as Python's documentation."""
    text = python_docs()
    (root / "shakespeare_char").mkdir()
    (root / "shakespeare_char" / "input.txt").write_text(text, encoding="ascii", errors="replace")
    pages = "".join(
        f"  <page>\n    <text>{part}</text>\n  </page>\n" for part in text.split("\n\n")
    )
    letters = "".join(c if "a" <= c <= "z" else " " for c in text.lower())
    for name, content in {"enwik8": pages, "text8": " ".join(letters.split())}.items():
        (root / name).mkdir()
        with zipfile.ZipFile(root / name / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content.encode())


# --------------------------------------------------------------------------------------------------
# Model: a decoder-only transformer without biases, its last matrix tied to the embedding


class Block(nn.Module):
    def __init__(self, scale: Scale) -> None:
        super().__init__()
        width, self.heads, self.dropout = scale.width, scale.heads, DROPOUT * scale.dropout
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.drop = nn.Dropout(self.dropout)

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        n, t, w = x.shape
        qkv = self.qkv(x).view(n, t, 3, self.heads, w // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (n, heads, t, w / heads)
        p = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(n, t, w))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.drop(self.attend(self.norm1(x)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class Transformer(nn.Module):
    def __init__(self, characters: int, scale: Scale) -> None:
        super().__init__()
        self.block = scale.block
        self.token = nn.Embedding(characters, scale.width)
        self.position = nn.Embedding(scale.block, scale.width)
        self.drop = nn.Dropout(DROPOUT * scale.dropout)
        self.blocks = nn.Sequential(*[Block(scale) for _ in range(scale.layers)])
        self.norm = nn.LayerNorm(scale.width, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                last = name.endswith(("proj.weight", "down.weight"))  # what a block adds
                std = 0.02 / math.sqrt(2 * scale.layers) if last else 0.02
                nn.init.normal_(weight, std=std)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Indices (n, t) to logits (n, t, characters); those at a place see it and what is before."""
        x = self.drop(self.token(text) + self.position.weight[: text.shape[1]])
        return F.linear(self.norm(self.blocks(x)), self.token.weight)


@torch.no_grad()
def check_causality(model: Transformer, characters: int, device: str) -> None:
    """Stop if a character changes what is predicted at or before the place in front of it.

    A model that sees what it is to predict reaches any loss, and its paper says nothing.
    """
    model.eval()
    source = torch.Generator().manual_seed(0)
    text = torch.randint(characters, (1, model.block), generator=source)
    before = model(text.to(device)).float()
    for place in sorted({0, 1, model.block // 2, model.block - 2}):
        other = text.clone()
        other[:, place + 1 :] = (other[:, place + 1 :] + 1) % characters
        after = model(other.to(device)).float()
        moved = (after - before)[:, : place + 1].abs().max() / before.std()
        if moved > 1e-3:
            raise SystemExit(
                f"the model is not causal: other characters after place {place} move its prediction "
                f"there or before by {moved:.2g} standard deviations; look at the attention's mask"
            )
    model.train()


# --------------------------------------------------------------------------------------------------
# Training

Metrics = dict[str, float]
Curves = dict[str, list[float]]


def windows(
    data: torch.Tensor, starts: torch.Tensor, block: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets, both (n, block); a target is the character that follows."""
    places = starts.to(data.device)[:, None] + torch.arange(block + 1, device=data.device)
    text = data[places].long()
    return text[:, :-1], text[:, 1:]


def loss_of(model: Transformer, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=inputs.is_cuda):
        logits = model(inputs)
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(model: Transformer, data: torch.Tensor, corpus: Corpus, seed: int) -> float:
    """Mean loss (nats per character) over windows that the seed alone chooses."""
    model.eval()
    source, total = torch.Generator().manual_seed(seed), 0.0
    for _ in range(corpus.eval_batches):
        starts = torch.randint(len(data) - model.block, (corpus.batch,), generator=source)
        total += loss_of(model, *windows(data, starts, model.block)).item()
    model.train()
    return total / corpus.eval_batches


def rate_at(step: int, corpus: Corpus) -> float:
    """Linear warm-up, then a cosine down to FINAL_RATE of the peak."""
    warmup = min(100, WARMUP_SHARE * corpus.updates)
    if step < warmup:
        return LEARNING_RATE * corpus.rate * (step + 1) / (warmup + 1)
    gone = (step - warmup) / max(1, corpus.updates - warmup)
    share = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * gone))
    return LEARNING_RATE * corpus.rate * share


def optimiser_of(model: Transformer, device: str) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [
        {"params": matrices, "weight_decay": WEIGHT_DECAY},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, BETA2), fused=device == "cuda")


@torch.no_grad()
def write(model: Transformer, scale: Scale, device: str, seed: int) -> tuple[torch.Tensor, float]:
    """Texts as indices (samples, written), drawn character by character; and characters a second."""
    model.eval()
    source = torch.Generator(device).manual_seed(seed)
    text = torch.zeros((scale.samples, 1), dtype=torch.long, device=device)
    start = time.monotonic()
    for _ in range(scale.written):
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits = model(text[:, -model.block :])[:, -1].float()
        text = torch.cat([text, torch.multinomial(logits.softmax(-1), 1, generator=source)], dim=1)
    return text[:, 1:], text[:, 1:].numel() / (time.monotonic() - start)


def train(
    corpus: Corpus, scale: Scale, seed: int, device: str, root: Path, advance: Callable[[int], None]
) -> tuple[Metrics, Curves, list[str]]:
    """One seed: its metrics, its curves and the texts that it wrote."""
    torch.manual_seed(seed)
    parts, characters = load(corpus.name, root)
    known, validation, test = (part.to(device) for part in parts)
    model = Transformer(len(characters), scale).to(device)
    check_causality(model, len(characters), device)
    optimiser = optimiser_of(model, device)
    batches = torch.Generator().manual_seed(seed)
    curves: Curves = {"step": [], "train_loss": [], "val_loss": []}
    untrained = evaluate(model, test, corpus, seed)
    best: dict[str, torch.Tensor] = {}
    start = time.monotonic()
    for step in range(corpus.updates + 1):
        if step % corpus.eval_every == 0 or step == corpus.updates:
            curves["step"].append(step)
            curves["train_loss"].append(evaluate(model, known, corpus, seed))
            curves["val_loss"].append(evaluate(model, validation, corpus, seed))
            if curves["val_loss"][-1] <= min(curves["val_loss"]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            advance(0)
        if step == corpus.updates:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, corpus)
        starts = torch.randint(len(known) - scale.block, (corpus.batch,), generator=batches)
        loss = loss_of(model, *windows(known, starts, scale.block))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if GRAD_CLIP > 0:
            nn.utils.clip_grad_norm_(model.parameters(), GRAD_CLIP)
        optimiser.step()
        advance(corpus.batch)
    seconds = time.monotonic() - start
    model.load_state_dict(best)  # chosen on the validation part; what follows is on the test part
    check_causality(model, len(characters), device)
    test_loss = evaluate(model, test, corpus, seed)
    texts, speed = write(model, scale, device, seed)
    metrics = {
        "test_loss": test_loss,
        "test_bits": test_loss / math.log(2),
        "initial_test_loss": untrained,
        "best_val_loss": min(curves["val_loss"]),
        "final_train_loss": curves["train_loss"][-1],
        "total_train_time": seconds,
        "avg_inference_tokens_per_second": speed,
    }
    return metrics, curves, ["".join(characters[i] for i in text) for text in texts.tolist()]


# --------------------------------------------------------------------------------------------------
# Results


def summarise(per_seed: list[Metrics]) -> dict[str, dict]:
    """Means over the seeds, with standard errors and the values themselves.

    A standard error is the sample deviation (n - 1 in its divisor) over the root of n. One seed
    has none.
    """
    n = len(per_seed)
    values = {k: [r[k] for r in per_seed] for k in per_seed[0]}
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


def progress(scale: Scale) -> Callable[[int], None]:
    """Told of each update's windows; says so whenever another hundredth of all is done."""
    total = sum(len(c.seeds) * c.updates * c.batch for c in scale.corpora)
    done, told = 0, -1

    def advance(batch: int) -> None:
        nonlocal done, told
        done += batch
        if int(100 * done / total) > told:
            told = int(100 * done / total)
            print(f"progress: {done / total:.4f}", flush=True)

    return advance


def main() -> None:
    parser = argparse.ArgumentParser(description="Train small language models on characters.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    final_info, all_curves, all_texts = {}, {}, {}
    advance = progress(scale)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) if scale.made else DATA
        if scale.made:
            make(root)
        for corpus in scale.corpora:
            runs = [train(corpus, scale, seed, device, root, advance) for seed in corpus.seeds]
            metrics, curves, texts = zip(*runs, strict=True)
            final_info[corpus.name] = summarise(list(metrics))
            all_curves[corpus.name] = {name: [c[name] for c in curves] for name in curves[0]}
            all_curves[corpus.name]["step"] = curves[0]["step"]  # the same for every seed
            all_texts[corpus.name] = texts
            means = final_info[corpus.name]["means"]
            print(
                f"{corpus.name}:",
                *(f"{name} {x:.4g}" for name, x in means.items()),
                sep="  ",
                flush=True,
            )

    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "curves.json").write_text(json.dumps(all_curves))
    (out_dir / "samples.json").write_text(json.dumps(all_texts, indent=1))
    (out_dir / "final_info.json").write_text(json.dumps(final_info, indent=1))


if __name__ == "__main__":
    main()
