"""python experiment.py --out_dir=run_0

Linear probes on the activations of a small language model, layer by layer, and steering along what
they find. The model is trained here, on generated sentences whose hidden features are known, so
that there is a truth for every question: how well a feature can be read from the words at all, how
far it moves the next word, and in which direction a feature lies that was put there by hand.

A sentence is an opener, a marker, and then words or further markers. A word has three parts:
  topic   hidden, one for each sentence; a word is of the sentence's topic with TOPIC_LEAN
  mode    the kind of the last marker; a word is of that mode with MODE_LEAN
  place   the place of the word before plus one, mostly
The opener (one of two) decides nothing. `planted` is not in the text: it is a random label for each
sentence, added to the activations behind one block, in a random direction.

A probe is a logistic regression on the last token's activations. Development sentences choose its
layer and penalty by cross-validation; what is reported is measured on test sentences, which choose
nothing. Beside each feature stand a control task (a random label for each word, Hewitt and Liang
2019), a random label for each sentence, which no probe may find, and the untrained model.

Writes into out_dir
  final_info.json   {data set: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                                "final_info_dict": {metric: [x per seed]}}}
                    the data sets are language, topic, mode, opener and planted
  curves.json       {data set: {curve: [[x per layer] per seed]}}; of language: step and loss

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates. The experiment is one file, long as it is: a reader and an editor see all of it.
common.py writes its results.
"""

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch
import torch.nn.functional as F
from common import Metrics, summarise, told, write_results
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

TOPIC_LEAN = 0.75  # probability that a word is of its sentence's topic; 0.5 tells nothing
MODE_LEAN = 0.8  # probability that a word is of the mode that the last marker set
PLANTED_SIZE = 0.5  # shift of the planted label to each side, in deviations of the activations
PROBE_SHARE = 1.0  # share of the development sentences that the probes learn from
STEERING_STRENGTH = 1.0  # length of a steering step, in distances between the two classes' means
MEAN_SHARE = 0.0  # of the steering direction: 0 the probe's weights, 1 the difference of the means

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]
    places: int  # values of a word's place; there are four times as many words
    length: int  # tokens of a sentence
    layers: int
    width: int  # of the residual stream
    heads: int
    updates: int
    batch: int  # sentences per update, all of them new
    rate: float  # step size of AdamW after the warm-up
    development: int  # sentences that probes learn from and that choose layer and penalty
    test: int  # sentences that are measured on
    folds: int  # of the cross-validation
    steered: int  # test sentences on which steering is measured, the first ones
    random: int  # random directions that steering is compared with
    eval_every: int  # updates between two points of the curve
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it


SCALES = {
    "full": Scale(
        seeds=(1337, 1338, 1339, 1340, 1341), places=32, length=48, layers=4, width=64, heads=4,
        updates=2000, batch=64, rate=0.003, development=2000, test=2000, folds=5, steered=250,
        random=16, eval_every=100, threads=2,
    ),
    "smoke": Scale(
        seeds=(1337, 1338), places=16, length=24, layers=3, width=32, heads=4,
        updates=300, batch=64, rate=0.01, development=600, test=600, folds=3, steered=150,
        random=4, eval_every=50, threads=1,
    ),
}  # fmt: skip
SCALES["short"] = replace(
    SCALES["full"], seeds=(1337,), updates=20, eval_every=20, development=600, test=600, folds=3,
    steered=100, random=4,
)  # fmt: skip

PENALTIES = (
    1.0,
    0.1,
    0.01,
    0.001,
)  # per sentence, on standardised activations; the first wins a tie
MARKER_RATE = 0.1  # probability that a token is a marker
FOLLOW = 0.7  # probability that a word's place follows that of the word before
SURE = 5.0  # standard errors beyond which a check calls it a leak

# --------------------------------------------------------------------------------------------------
# Sentences


@dataclass(frozen=True)
class Sentences:
    """Token indices (n, length), and the hidden features: 0 or 1 for each sentence."""

    text: torch.Tensor
    topic: torch.Tensor
    mode: torch.Tensor  # at the last token
    opener: torch.Tensor

    def part(self, i: int, j: int) -> "Sentences":
        return Sentences(self.text[i:j], self.topic[i:j], self.mode[i:j], self.opener[i:j])


def vocabulary(scale: Scale) -> int:
    """Words (topic, mode, place), then two markers, then two openers."""
    return 4 * scale.places + 4


def draw(n: int, scale: Scale, source: torch.Generator) -> Sentences:
    words = 4 * scale.places

    def chance(probability: float) -> torch.Tensor:
        return (torch.rand(n, generator=source) < probability).long()

    topic, mode, opener = chance(0.5), chance(0.5), chance(0.5)
    place = torch.zeros(n, dtype=torch.long)
    tokens = [words + 2 + opener, words + mode]
    while len(tokens) < scale.length:
        is_marker, kind = chance(MARKER_RATE), chance(0.5)
        mode = torch.where(is_marker == 1, kind, mode)
        new = torch.randint(scale.places, (n,), generator=source)
        new = torch.where(chance(FOLLOW) == 1, (place + 1) % scale.places, new)
        place = torch.where(is_marker == 1, place, new)
        of_topic = (topic == chance(TOPIC_LEAN)).long()  # topic itself with TOPIC_LEAN
        of_mode = (mode == chance(MODE_LEAN)).long()
        word = (2 * of_topic + of_mode) * scale.places + place
        tokens.append(torch.where(is_marker == 1, words + mode, word))
    return Sentences(torch.stack(tokens, dim=1), topic, mode, opener)


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def topic_odds(text: torch.Tensor, scale: Scale) -> torch.Tensor:
    """Log-odds of topic 1 for who knows the generator, before each token and behind the last."""
    signs = torch.where(text < 2 * scale.places, -1.0, 1.0) * (text < 4 * scale.places)
    odds = (signs.double() * logit(TOPIC_LEAN)).cumsum(1)
    return F.pad(odds, (1, 0))


def least_losses(text: torch.Tensor, scale: Scale) -> torch.Tensor:
    """Nats per token of each sentence, for who knows the generator: no model does better.

    The first token is not predicted.
    """
    places, words = scale.places, 4 * scale.places
    is_one = torch.sigmoid(topic_odds(text, scale))
    total = torch.full((len(text),), math.log(2), dtype=torch.double)  # the first marker
    mode, place = text[:, 1] - words, torch.zeros(len(text), dtype=torch.long)
    for i in range(2, scale.length):
        token = text[:, i]
        is_marker, one = token >= words, is_one[:, i]
        topic_is_one = one * TOPIC_LEAN + (1 - one) * (1 - TOPIC_LEAN)
        of_topic = torch.where(token >= 2 * places, topic_is_one, 1 - topic_is_one)
        agrees = (token // places % 2 == mode).double()
        of_mode = agrees * MODE_LEAN + (1 - agrees) * (1 - MODE_LEAN)
        follows = token % places == (place + 1) % places
        of_place = (1 - FOLLOW) / places + FOLLOW * follows.double()
        word = (1 - MARKER_RATE) * of_topic * of_mode * of_place
        total -= torch.where(is_marker, math.log(MARKER_RATE / 2), word.log())
        mode = torch.where(is_marker, token - words, mode)
        place = torch.where(is_marker, place, token % places)
    return total / (scale.length - 1)


# --------------------------------------------------------------------------------------------------
# Model: a decoder-only transformer whose residual stream can be read and written behind any layer


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        n, t, w = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(n, t, w))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary(scale), scale.width)
        self.position = nn.Embedding(scale.length, scale.width)
        self.blocks = nn.ModuleList([Block(scale.width, scale.heads) for _ in range(scale.layers)])
        self.norm = nn.LayerNorm(scale.width)
        self.head = nn.Linear(scale.width, vocabulary(scale))

    def embed(self, text: torch.Tensor) -> torch.Tensor:
        """The stream behind layer 0; layer i is behind block i."""
        return self.token(text) + self.position.weight[: text.shape[1]]

    def rest(self, x: torch.Tensor, layer: int) -> torch.Tensor:
        """Logits, from the stream behind ``layer``."""
        for block in self.blocks[layer:]:
            x = block(x)
        return self.head(self.norm(x))

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        return self.rest(self.embed(text), 0)


@torch.no_grad()
def streams(
    model: Transformer, text: torch.Tensor, plant: Callable[[torch.Tensor, int], None] | None = None
) -> list[torch.Tensor]:
    """The stream (n, length, width) behind each layer; ``plant`` may change one in place."""
    x = model.embed(text)
    found = [x]
    for layer, block in enumerate(model.blocks, 1):
        x = block(x)
        if plant is not None:
            plant(x, layer)
        found.append(x)
    return found


def losses(model: Transformer, text: torch.Tensor) -> torch.Tensor:
    """Nats per token of each sentence; the first token is not predicted."""
    logits = model(text[:, :-1])
    each = F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten(), reduction="none")
    return each.view(len(text), -1).mean(1)


def train(
    model: Transformer, scale: Scale, seed: int, test: torch.Tensor, advance: Callable[[], None]
) -> dict[str, list[float]]:
    """Train on new sentences at each update; the steps and test losses of the curve."""
    device, source = test.device, torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    warmup, curve = max(1, scale.updates // 20), {"step": [], "loss": []}
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            with torch.no_grad():
                curve["loss"].append(losses(model, test).mean().item())
            curve["step"].append(step)
        if step == scale.updates:
            return curve
        fall = 0.5 * (1 + math.cos(math.pi * step / scale.updates))
        for group in optimiser.param_groups:
            group["lr"] = scale.rate * min((step + 1) / warmup, fall)
        loss = losses(model, draw(scale.batch, scale, source).text.to(device)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        advance()
    return curve


# --------------------------------------------------------------------------------------------------
# Probes


@dataclass(frozen=True)
class Probe:
    """A linear rule: label 1 where activations @ weights + bias > 0."""

    weights: torch.Tensor
    bias: torch.Tensor

    def right(self, activations: torch.Tensor, labels: torch.Tensor) -> float:
        return (
            ((activations @ self.weights + self.bias > 0) == (labels == 1)).double().mean().item()
        )


def fit(activations: torch.Tensor, labels: torch.Tensor) -> list[Probe]:
    """Logistic regression by Newton's method, one probe for each of PENALTIES.

    A penalty is half the squared norm of the weights of standardised activations; the bias is free.
    """
    mean, spread = activations.mean(0), activations.std(0) + 1e-6
    x = F.pad((activations - mean) / spread, (0, 1), value=1.0)
    penalty = torch.tensor(PENALTIES, dtype=x.dtype, device=x.device)[:, None].repeat(1, x.shape[1])
    penalty[:, -1] = 1e-9
    w = torch.zeros_like(penalty)
    for _ in range(10):
        p = torch.sigmoid(w @ x.T)  # (penalties, n)
        slope = (p - labels) @ x / len(x) + penalty * w
        curve = torch.stack([(x * (q * (1 - q))[:, None]).T @ x for q in p]) / len(x)
        w = w - torch.linalg.solve(curve + torch.diag_embed(penalty), slope)
    raw = w[:, :-1] / spread
    return [Probe(one, bias) for one, bias in zip(raw, w[:, -1] - raw @ mean, strict=True)]


@dataclass(frozen=True)
class Found:
    """What probes find of one label; lists are by layer."""

    cross: list[float]  # accuracy in cross-validation, with the best penalty
    test: list[float]  # accuracy on the test sentences, with that penalty
    probes: list[Probe]
    layer: int  # where cross-validation is best


Activations = list[torch.Tensor]  # by layer, (n, width)


def probe(
    known: Activations, labels: torch.Tensor, held_out: Activations, truth: torch.Tensor, folds: int
) -> Found:
    """Probes by layer; the development sentences (known, labels) alone choose layer and penalty."""
    n = round(PROBE_SHARE * len(labels))
    labels = labels[:n].double()
    cross, test, probes = [], [], []
    for layer, activations in enumerate(known):
        shares = torch.zeros(len(PENALTIES), dtype=torch.double)
        for fold in range(folds):
            out = torch.arange(n, device=labels.device) % folds == fold
            fitted = fit(activations[:n][~out], labels[~out])
            right = [one.right(activations[:n][out], labels[out]) for one in fitted]
            shares += torch.tensor(right, dtype=torch.double) / folds
        best = int(shares.argmax())
        chosen = fit(activations[:n], labels)[best]
        cross.append(shares[best].item())
        test.append(chosen.right(held_out[layer], truth))
        probes.append(chosen)
    return Found(cross, test, probes, cross.index(max(cross)))


# --------------------------------------------------------------------------------------------------
# Steering


def favoured(logits: torch.Tensor, feature: str, scale: Scale) -> torch.Tensor:
    """Log-odds of a next word of the feature's kind 1 against kind 0; (n,) from (n, vocabulary)."""
    kind = torch.arange(4 * scale.places, device=logits.device) // scale.places
    is_one = kind >= 2 if feature == "topic" else kind % 2 == 1
    words = logits[:, : len(kind)]
    return words[:, is_one].logsumexp(1) - words[:, ~is_one].logsumexp(1)


@dataclass(frozen=True)
class Step:
    """Mean effects of a step along a direction instead of against it."""

    shift: dict[str, float]  # of `favoured`, by feature (nats)
    divergence: float  # Kullback-Leibler from the prediction without a step, mean of both (nats)


@torch.no_grad()
def steer(
    model: Transformer, stream: torch.Tensor, layer: int, push: torch.Tensor, scale: Scale
) -> Step:
    """Add ``push`` to, and take it from, the last token's stream behind ``layer``."""
    plain = model.rest(stream, layer)[:, -1].double().log_softmax(1)
    sides = []
    for sign in (1, -1):
        moved = stream.clone()
        moved[:, -1] += sign * push
        sides.append(model.rest(moved, layer)[:, -1].double().log_softmax(1))
    shift = {
        name: (favoured(sides[0], name, scale) - favoured(sides[1], name, scale)).mean().item()
        for name in ("topic", "mode")
    }
    apart = [(plain.exp() * (plain - side)).sum(1).mean().item() for side in sides]
    return Step(shift, sum(apart) / 2)


def direction(
    probe: Probe, activations: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """The steering direction, of length 1, and the length of a step to one side."""
    gap = activations[labels == 1].mean(0) - activations[labels == 0].mean(0)
    mixed = (1 - MEAN_SHARE) * F.normalize(probe.weights, dim=0)
    mixed = mixed + MEAN_SHARE * F.normalize(gap, dim=0)
    return F.normalize(mixed, dim=0), STEERING_STRENGTH * gap.norm().item() / 2


def random_directions(count: int, width: int, seed: int, device: str) -> torch.Tensor:
    drawn = torch.randn(count, width, generator=torch.Generator().manual_seed(seed)).double()
    return F.normalize(drawn, dim=1).to(device)


# --------------------------------------------------------------------------------------------------
# Checks: what a run may not find


def check_apart(development: torch.Tensor, test: torch.Tensor) -> None:
    """Stop if a sentence is both learned from and measured on."""
    shared = set(map(tuple, development.tolist())) & set(map(tuple, test.tolist()))
    if shared:
        raise SystemExit(
            f"{len(shared)} sentences are in the development and in the test part; "
            "a probe is measured on sentences that it has not seen"
        )


def check_possible(model_losses: torch.Tensor, least: torch.Tensor) -> None:
    """Stop if the model predicts better than who knows the generator."""
    off = model_losses.double().cpu() - least
    error = off.std().item() / len(off) ** 0.5
    if off.mean().item() < -SURE * error:
        raise SystemExit(
            f"the model's loss is {-off.mean().item():.3g} nats below the least that is possible: "
            "it sees the tokens that it is to predict; look at the attention's mask and the targets"
        )


def check_accuracy(what: str, accuracy: float, ceiling: float, n: int) -> None:
    """Stop if a label is read better than can be, by more than chance explains."""
    error = max(ceiling * (1 - ceiling), 1 / n) ** 0.5 / n**0.5
    if accuracy > ceiling + SURE * error:
        raise SystemExit(
            f"probes read {what} with an accuracy of {accuracy:.3f} where {ceiling:.3f} is the most "
            "that is possible: labels or test sentences leak into the probes"
        )


# --------------------------------------------------------------------------------------------------
# A study

Curves = dict[str, list[float]]
FEATURES = ("topic", "mode", "opener")


@dataclass(frozen=True)
class Planted:
    """A label that is not in the text, and where it is put into the stream."""

    label: torch.Tensor  # 0 or 1 for each sentence
    direction: torch.Tensor  # of length 1
    layer: int

    def __call__(self, stream: torch.Tensor, layer: int) -> None:
        """The planted shift, PLANTED_SIZE deviations along the direction, at the last token."""
        if layer == self.layer:
            one = self.direction.to(stream)
            size = PLANTED_SIZE * (stream[:, -1] @ one).std()
            stream[:, -1] += size * (2 * self.label[:, None] - 1).to(stream) * one


class Bench:
    """One seed's sentences and labels, and what is measured on a model with them."""

    def __init__(self, scale: Scale, seed: int, device: str) -> None:
        self.scale, self.seed, self.device = scale, seed, device
        source = torch.Generator().manual_seed(seed + 1_000_000)  # not that of training
        self.n, every = scale.development, scale.development + scale.test
        self.all = draw(every, scale, source)
        self.development = self.all.part(0, self.n)
        self.test = self.all.part(self.n, every)
        check_apart(self.development.text, self.test.text)
        kinds = torch.randperm(vocabulary(scale), generator=source) % 2
        nothing, planted = (torch.randint(2, (every,), generator=source) for _ in range(2))
        self.labels = {
            **{name: getattr(self.all, name) for name in FEATURES},
            "control": kinds[self.all.text[:, -1]],
            "nothing": nothing,
            "planted": planted,
        }
        (along,) = random_directions(1, scale.width, seed, device)
        self.planted = Planted(planted.to(device), along, (scale.layers + 1) // 2)

    def activations(self, model: Transformer, *, planted: bool = False) -> Activations:
        """The last token's, by layer, of the development and then of the test sentences."""
        plant = self.planted if planted else None
        found = streams(model, self.all.text.to(self.device), plant)
        return [one[:, -1].double() for one in found]

    def probe(self, activations: Activations, name: str) -> Found:
        labels, n = self.labels[name].to(self.device), self.n
        known, held_out = [one[:n] for one in activations], [one[n:] for one in activations]
        return probe(known, labels[:n], held_out, labels[n:], self.scale.folds)

    def ceilings(self) -> dict[str, float]:
        """The accuracy that who knows the generator expects on the test sentences."""
        odds = topic_odds(self.test.text, self.scale)[:, -1]
        return {"topic": torch.sigmoid(odds.abs()).mean().item(), "mode": 1.0, "opener": 1.0}

    def steered(
        self, model: Transformer, activations: Activations, found: Found, name: str
    ) -> dict[str, list]:
        """By layer: the step along the probe's direction, and those along random ones."""
        labels, steps, randoms = self.labels[name][: self.n].to(self.device), [], []
        others = random_directions(self.scale.random, self.scale.width, self.seed + 1, self.device)
        text = self.test.text[: self.scale.steered]
        for layer, stream in enumerate(streams(model, text.to(self.device))):
            known = activations[layer][: self.n]
            along, size = direction(found.probes[layer], known, labels)
            pushes = (size * torch.cat([along[None], others])).to(stream)
            first, *rest = [steer(model, stream, layer, push, self.scale) for push in pushes]
            steps.append(first)
            randoms.append(rest)
        return {"probe": steps, "random": randoms}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def read_text(
    bench: Bench, model: Transformer, untrained: Transformer
) -> tuple[dict[str, Metrics], dict[str, Curves]]:
    """What is read of the features of the text, and what steering along them does."""
    n, curves = bench.scale.test, {}
    trained, before = bench.activations(model), bench.activations(untrained)
    control, nothing = (bench.probe(trained, name) for name in ("control", "nothing"))
    by_chance = nothing.test[nothing.layer]
    check_accuracy("a random label", by_chance, 0.5, n)
    metrics = {"language": {"random_label_accuracy": by_chance}}
    for name in FEATURES:
        found, first = bench.probe(trained, name), bench.probe(before, name)
        at, ceiling = found.layer, bench.ceilings()[name]
        check_accuracy(name, found.test[at], ceiling, n)
        steps = bench.steered(model, trained, found, name)
        along, others = steps["probe"], steps["random"]
        metrics[name] = {
            "test_accuracy": found.test[at],
            "untrained_accuracy": first.test[first.layer],
            "control_accuracy": control.test[at],
            "selectivity": found.test[at] - control.test[at],
            "ceiling_accuracy": ceiling,
            "chosen_layer": float(at),
            "steering_divergence": along[at].divergence,
            "random_divergence": mean([one.divergence for one in others[at]]),
        }
        curves[name] = {
            "test_accuracy": found.test,
            "cross_accuracy": found.cross,
            "untrained_accuracy": first.test,
            "control_accuracy": control.test,
            "steering_divergence": [one.divergence for one in along],
            "random_divergence": [mean([one.divergence for one in some]) for some in others],
        }
        if name in ("topic", "mode"):
            shift = [one.shift[name] for one in along]
            other = [mean([abs(one.shift[name]) for one in some]) for some in others]
            lean = TOPIC_LEAN if name == "topic" else MODE_LEAN
            metrics[name] |= {
                "steering_effect": shift[at],
                "random_effect": other[at],
                "true_effect": 2 * logit(lean),
            }
            curves[name] |= {"steering_effect": shift, "random_effect": other}
    return metrics, curves


def read_planted(bench: Bench, model: Transformer) -> tuple[Metrics, Curves]:
    """What is read of the planted label, and how near the probe's direction is to the true one."""
    activations = bench.activations(model, planted=True)
    found, control = bench.probe(activations, "planted"), bench.probe(activations, "control")
    for layer in range(bench.planted.layer):
        where = f"the planted label behind layer {layer}, in front of where it is planted,"
        check_accuracy(where, found.test[layer], 0.5, bench.scale.test)
    labels, true, cosines = bench.labels["planted"].to(bench.device), bench.planted.direction, []
    for one, known in zip(found.probes, activations, strict=True):
        along, _ = direction(one, known[: bench.n], labels[: bench.n])
        cosines.append((along @ true).item())
    at = found.layer
    metrics = {
        "test_accuracy": found.test[at],
        "control_accuracy": control.test[at],
        "selectivity": found.test[at] - control.test[at],
        "chosen_layer": float(at),
        "direction_cosine": cosines[at],
    }
    return metrics, {
        "test_accuracy": found.test,
        "cross_accuracy": found.cross,
        "control_accuracy": control.test,
        "direction_cosine": cosines,
    }


def study(
    scale: Scale, seed: int, device: str, advance: Callable[[], None] = lambda: None
) -> tuple[dict[str, Metrics], dict[str, Curves]]:
    """One seed: metrics and curves by data set."""
    bench = Bench(scale, seed, device)
    torch.manual_seed(seed)  # initial weights
    model, untrained = Transformer(scale).to(device), Transformer(scale).to(device)
    untrained.load_state_dict(model.state_dict())
    test = bench.test.text.to(device)
    curve = train(model, scale, seed, test, advance)
    with torch.no_grad():
        each, least = losses(model, test), least_losses(bench.test.text, scale)
    check_possible(each, least)
    metrics, curves = read_text(bench, model, untrained)
    metrics["planted"], curves["planted"] = read_planted(bench, model)
    metrics["language"] |= {
        "model_loss": curve["loss"][-1],
        "untrained_loss": curve["loss"][0],
        "least_loss": least.mean().item(),
    }
    return metrics, {"language": curve, **curves}


# --------------------------------------------------------------------------------------------------
# Results


def progress(scale: Scale) -> Callable[[], None]:
    """Told of each update; says so whenever another hundredth of all is done."""
    total, done, told = len(scale.seeds) * scale.updates, 0, 0

    def advance() -> None:
        nonlocal done, told
        done += 1
        if 100 * done // total > told:
            told = 100 * done // total
            print(f"progress: {done / total:.4f}", flush=True)

    return advance


def main() -> None:
    parser = argparse.ArgumentParser(description="Probe and steer a small language model.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    # A warning only, since a GPU's attention may have no repeatable way back; a CPU's is repeatable.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    advance = progress(scale)
    metrics, curves = zip(
        *[study(scale, seed, device, advance) for seed in scale.seeds], strict=True
    )
    final_info = {name: summarise([one[name] for one in metrics]) for name in metrics[0]}
    all_curves = {
        name: {key: [one[name][key] for one in curves] for key in curves[0][name]}
        for name in curves[0]
    }
    all_curves["language"]["step"] = curves[0]["language"]["step"]  # the same for every seed
    for name, results in final_info.items():
        told(name, results)
    write_results(out_dir, final_info=final_info, curves=all_curves)


if __name__ == "__main__":
    main()
