"""python experiment.py --out_dir=run_0

A ConvLSTM looks at a map of earthquakes day by day and says for each cell whether a larger one comes
in the next days. The catalogues are drawn by a model whose laws are known (ETAS, Ogata 1998), so
that the best possible forecast is known too. Each data set of the results is a kind of catalogue:

  clustered  independent events, and aftershocks of every event: BRANCHING direct ones on average
  poisson    independent events alone, as many in all: only the cell's rate is left to be learned
  catalogue  a real one, at the scale full if /data/catalogue has a CSV file (aisci run --data DIR
             mounts DIR/catalogue); columns time, latitude, longitude, depth, mag as in exports of
             USGS ComCat and ISC, in any order; the host cuts it to a region before

The laws. Independent events come at a steady rate along faults. An event of magnitude m has on
average k exp(PRODUCTIVITY (m - LEAST)) direct aftershocks; their waits follow Omori and Utsu's law
(t + c)^-p; they lie around it by a Gaussian that widens with m; magnitudes follow Gutenberg and
Richter's law with b = 1. The oracle knows these laws and all events until the day of a forecast. It
leaves out the aftershocks of events that are yet to come.

Days are cut in time order into training, validation (chooses the state of the network) and test
(chooses nothing). A window and the days that it forecasts lie within one part.

Writes into out_dir
  final_info.json  {data set: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                               "final_info_dict": {metric: [x per seed]}}}
  curves.json      {data set: {"step": [...], "val_loss", "val_auc": [[per step] per seed]}}
  scores.json      {data set: {forecaster: {"false_alarms", "found", "precision": [[...] per seed]}}}
  decay.json       {data set: {"days": [edges], "cases": [...], forecaster or "observed": [...]}}
  maps.json        {data set: {"rate", "events", "truth", forecaster: [[by cell]]}}: one test day

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates.
"""

import argparse
import csv
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
import torch.nn.functional as F
from common import Metrics, counter, summarise, told, write_results
from scipy.special import erf
from scipy.stats import rankdata
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

WINDOW_DAYS = 64  # days that the network looks back; smoke looks back a quarter of them
HORIZON_DAYS = 3  # days that a forecast is for
MAGNITUDE_THRESHOLD = 3.5  # a forecast is for an event of this magnitude or more
HIDDEN_CHANNELS = 16  # of the ConvLSTM
LEARNING_RATE = 0.01  # AdamW step size at the start of the cosine
POSITIVE_WEIGHT = 1.0  # of a cell with such an event, in the training loss
RATE_INPUT = 1  # 1: the network sees each cell's rate in the training days; 0: it does not

# --------------------------------------------------------------------------------------------------
# The laws of the generated catalogues

LEAST, MOST = 3.0, 6.5  # magnitudes
DECAY = math.log(10)  # of Gutenberg and Richter's law: b = 1
BRANCHING = 0.8  # direct aftershocks of an event on average; below 1, or a sequence need not end
PRODUCTIVITY = 2.0  # how the number of aftershocks grows with magnitude
OMORI_C, OMORI_P = 0.1, 1.2  # days, and the exponent
NEAR, WIDENING = 0.2, 0.4  # of the Gaussian at LEAST, in cells; and its growth with magnitude
FAULTS, SPREAD = 4, 0.4  # the faults, and the share of independent events that is everywhere
WARM_UP = 1000.0  # days before the first one, whose events have aftershocks still

KINDS = ("clustered", "poisson")
USER = Path("/data") / "catalogue"
TRAINING, CHOOSING = 0.6, 0.2  # shares of the days for training and validation; then the test's
COUNT, LARGEST = 0, 1  # channels of a day's map
SURE = 5.0  # standard errors beyond which a check calls it a leak
AFTER = 1.5  # magnitudes above the threshold of the shocks whose aftermath decay.json shows
AGES = (0, 1, 2, 4, 8, 16, 32, 64)  # days since such a shock


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]
    side: int  # the map has side x side cells
    days: int
    rate: float  # events of LEAST or more per day, aftershocks included
    looks_back: float  # share of WINDOW_DAYS
    updates: int
    batch: int  # windows per update
    eval_every: int  # updates between two looks at the validation days
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it

    @property
    def window(self) -> int:
        return max(1, round(self.looks_back * WINDOW_DAYS))


SCALES = {
    "full": Scale(
        seeds=(1337, 1338, 1339, 1340, 1341), side=16, days=5000, rate=8.0, looks_back=1.0,
        updates=400, batch=16, eval_every=50, threads=1,
    ),
    "smoke": Scale(
        seeds=(1337, 1338, 1339), side=8, days=4000, rate=4.0, looks_back=0.25,
        updates=100, batch=16, eval_every=50, threads=1,
    ),
}  # fmt: skip
SCALES["short"] = replace(SCALES["full"], seeds=(1337,), updates=20, eval_every=20)

# --------------------------------------------------------------------------------------------------
# Catalogues


@dataclass(frozen=True)
class Events:
    """In order of time. Days count from the first one of the map; x and y are in cells."""

    day: np.ndarray
    x: np.ndarray
    y: np.ndarray
    magnitude: np.ndarray

    def only(self, which: np.ndarray) -> "Events":
        return Events(*(values[which] for values in vars(self).values()))


@dataclass(frozen=True)
class World:
    """A catalogue, and the truth about it where it was drawn here."""

    events: Events
    background: np.ndarray | None = None  # independent events per day, (side, side) by y and x
    branching: float = 0.0
    direct: int = 0  # aftershocks that the events drew, also those that are late or outside


def magnitudes(n: int, rng: np.random.Generator) -> np.ndarray:
    reach = 1 - math.exp(-DECAY * (MOST - LEAST))
    return LEAST - np.log1p(-reach * rng.random(n)) / DECAY


def above(magnitude: float) -> float:
    """Share of events of this magnitude or more."""
    end = math.exp(-DECAY * (MOST - LEAST))
    return (math.exp(-DECAY * (magnitude - LEAST)) - end) / (1 - end)


def productivity(magnitude: np.ndarray, branching: float) -> np.ndarray:
    """Direct aftershocks on average; their mean over all magnitudes is ``branching``."""
    rest, reach = DECAY - PRODUCTIVITY, MOST - LEAST
    mean = DECAY / rest * (1 - math.exp(-rest * reach)) / (1 - math.exp(-DECAY * reach))
    return branching / mean * np.exp(PRODUCTIVITY * (magnitude - LEAST))


def omori(days: np.ndarray) -> np.ndarray:
    """Share of an event's aftershocks that have come after so many days: the integral of the law."""
    return 1 - (1 + np.maximum(days, 0) / OMORI_C) ** (1 - OMORI_P)


def width(magnitude: np.ndarray) -> np.ndarray:
    return NEAR * np.exp(WIDENING * (magnitude - LEAST))


def faults(side: int, rng: np.random.Generator) -> np.ndarray:
    """Share of the independent events in each cell."""
    x, y = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
    shares = np.full((side, side), SPREAD / side**2)
    for _ in range(FAULTS):
        (across_x, across_y), angle = rng.uniform(0, side, 2), rng.uniform(0, math.pi)
        along = (x - across_x) * math.cos(angle) + (y - across_y) * math.sin(angle)
        aside = (y - across_y) * math.cos(angle) - (x - across_x) * math.sin(angle)
        ridge = np.exp(-0.5 * (along / (side / 4)) ** 2 - 0.5 * (aside / 0.6) ** 2)
        shares += (1 - SPREAD) / FAULTS * ridge / ridge.sum()
    return shares


def aftershocks(
    parents: Events, branching: float, scale: Scale, rng: np.random.Generator
) -> tuple[Events, int]:
    """The direct ones in the map and its days, and how many were drawn in all."""
    numbers = rng.poisson(productivity(parents.magnitude, branching))
    of = np.repeat(np.arange(len(numbers)), numbers)
    n, reach = len(of), width(parents.magnitude[of])
    wait = OMORI_C * (rng.random(n) ** (1 / (1 - OMORI_P)) - 1)
    drawn = Events(
        parents.day[of] + wait,
        parents.x[of] + reach * rng.standard_normal(n),
        parents.y[of] + reach * rng.standard_normal(n),
        magnitudes(n, rng),
    )
    inside = (drawn.x >= 0) & (drawn.x < scale.side) & (drawn.y >= 0) & (drawn.y < scale.side)
    return drawn.only(inside & (drawn.day < scale.days)), n


def generate(kind: str, scale: Scale, seed: int) -> World:
    """A catalogue of the laws above; events from outside the map have no aftershocks in it."""
    rng = np.random.Generator(np.random.PCG64([seed, KINDS.index(kind)]))
    branching = BRANCHING if kind == "clustered" else 0.0
    rates = scale.rate * (1 - branching) * faults(scale.side, rng)
    n = rng.poisson(rates.sum() * (scale.days + WARM_UP))
    cell = rng.choice(scale.side**2, size=n, p=rates.ravel() / rates.sum())
    newest = Events(
        rng.uniform(-WARM_UP, scale.days, n),
        cell % scale.side + rng.random(n),
        cell // scale.side + rng.random(n),
        magnitudes(n, rng),
    )
    found, direct = [newest], 0
    while branching and len(newest.day):
        newest, drawn = aftershocks(newest, branching, scale, rng)
        found.append(newest)
        direct += drawn
    columns = zip(*(vars(events).values() for events in found), strict=True)
    merged = Events(*(np.concatenate(column) for column in columns))
    return World(merged.only(np.argsort(merged.day, kind="stable")), rates, branching, direct)


def read_catalogue(folder: Path, side: int) -> World:
    """The user's events of LEAST or more. The map is the rectangle around them."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise SystemExit(f"{folder} has no .csv file; put one there, or leave the folder out")
    rows: list[tuple[float, ...]] = []
    for path in files:
        with path.open(newline="", encoding="utf-8") as lines:
            table = csv.DictReader(lines)
            lacks = {"time", "latitude", "longitude", "mag"} - set(table.fieldnames or ())
            if lacks:
                raise SystemExit(f"{path.name} lacks the columns {', '.join(sorted(lacks))}")
            rows += [entry(row) for row in table if row["mag"]]
    day, y, x, magnitude = np.array(rows).reshape(-1, 4)[np.argsort([r[0] for r in rows])].T
    large = magnitude >= LEAST
    if not large.any():
        raise SystemExit(f"{folder} has no event of magnitude {LEAST} or more")
    day, y, x, magnitude = day[large], y[large], x[large], magnitude[large]

    def cells(degrees: np.ndarray) -> np.ndarray:
        low, high = degrees.min(), degrees.max()
        return np.clip((degrees - low) / max(high - low, 1e-9), 0, 1 - 1e-9) * side

    return World(Events(day - math.floor(day.min()), cells(x), cells(y), magnitude))


def entry(row: dict[str, str]) -> tuple[float, ...]:
    """Days since 1970 in UTC, latitude, longitude, magnitude."""
    when = datetime.fromisoformat(row["time"])
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.timestamp() / 86400, *(float(row[k]) for k in ("latitude", "longitude", "mag"))


def daily_maps(events: Events, days: int, side: int) -> np.ndarray:
    """(days, 2, side, side): the number of events of a day, and the largest magnitude or 0."""
    maps = np.zeros((days, 2, side, side), np.float32)
    shown = events.only((events.day >= 0) & (events.day < days))
    at = tuple(values.astype(int) for values in (shown.day, shown.y, shown.x))
    np.add.at(maps[:, COUNT], at, 1)
    np.maximum.at(maps[:, LARGEST], at, shown.magnitude.astype(np.float32))
    return maps


# --------------------------------------------------------------------------------------------------
# Training, validation and test


@dataclass(frozen=True)
class Part:
    """Days, and every window in them (examples, channels, side, side, window) with what follows."""

    first: int  # the first day that is forecast
    days: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def labels(self) -> np.ndarray:
        """Whether a cell has an event of the threshold or more in the horizon."""
        return self.after[:, LARGEST].max(axis=-1) >= MAGNITUDE_THRESHOLD

    def apart(self) -> "Part":
        """Forecasts that do not overlap: one for each horizon."""
        step = HORIZON_DAYS
        return replace(self, before=self.before[::step], after=self.after[::step])

    def starts(self, step: int = HORIZON_DAYS) -> np.ndarray:
        """The day on which each forecast of :meth:`apart` begins."""
        return self.first + step * np.arange(len(self.before))


@dataclass(frozen=True)
class Split:
    known: Part  # trained on
    validation: Part  # chooses the state
    test: Part  # chooses nothing


def part(maps: np.ndarray, begin: int, end: int, window: int) -> Part:
    days = maps[begin:end]
    both = np.lib.stride_tricks.sliding_window_view(days, window + HORIZON_DAYS, axis=0)
    return Part(begin + window, days, both[..., :window], both[..., window:])


def split(maps: np.ndarray, window: int) -> Split:
    """Three parts in the order of time. No window and no horizon reaches from one into the next."""
    n = len(maps)
    cuts = (0, round(TRAINING * n), round((TRAINING + CHOOSING) * n), n)
    shortest = min(end - begin for begin, end in pairwise(cuts))
    if shortest < 2 * (window + HORIZON_DAYS):
        raise SystemExit(
            f"{n} days are too few for windows of {window} days: a part of the split has {shortest}; "
            "lower WINDOW_DAYS, or give a longer catalogue"
        )
    return Split(*(part(maps, begin, end, window) for begin, end in pairwise(cuts)))


def check_apart(days: int, window: int) -> None:
    """Stop if a forecast sees its own days, or a day is in two parts.

    The split is made of maps that hold the number of their day, so that each window says what it saw.
    """
    stamps = np.broadcast_to(np.arange(days)[:, None, None, None], (days, 2, 1, 1))
    seen: dict[str, set[int]] = {}
    for name, one in vars(split(stamps, window)).items():
        if (one.before.max(axis=-1) >= one.after.min(axis=-1)).any():
            raise SystemExit(
                f"the split leaks: a window of the {name} part shows a day that it is to forecast"
            )
        seen[name] = {*np.unique(one.days), *np.unique(one.before), *np.unique(one.after)}
    for one, other in (("known", "validation"), ("known", "test"), ("validation", "test")):
        if seen[one] and seen[other] and max(seen[one]) >= min(seen[other]):
            raise SystemExit(
                f"the split leaks: the {one} part does not end before the {other} part begins; "
                "a score on test days means nothing then"
            )


# --------------------------------------------------------------------------------------------------
# Scores


def steps(scores: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Alarms from the highest score down: shares of false alarms, of what is found, and precision."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # equal scores come together
    alarms = ends + 1.0
    found = hits[ends]
    return {
        "false_alarms": (alarms - found) / (len(truth) - hits[-1]),
        "found": found / hits[-1],
        "precision": found / alarms,
    }


def roc_auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """The chance that a cell with an event has a higher score than one without; a tie is half."""
    positive = int(truth.sum())
    negative = len(truth) - positive
    rank = rankdata(scores)[truth].sum() - positive * (positive + 1) / 2
    return float(rank / positive / negative)


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Precision, averaged over the events as they are found from the highest score down."""
    curve = steps(scores, truth)
    return float(np.sum(np.diff(curve["found"], prepend=0.0) * curve["precision"]))


def log_loss(chance: np.ndarray, truth: np.ndarray) -> float:
    """Nats per cell and forecast."""
    right = np.where(truth, chance, 1 - chance)
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def auc_error(auc: float, positive: int, negative: int) -> float:
    """The standard error of an area, by Hanley and McNeil (1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (q1 - auc**2) + (negative - 1) * (q2 - auc**2)
    return math.sqrt(max(spread, 0.0) / positive / negative)


def check_possible(auc: float, oracle: float, truth: np.ndarray) -> None:
    """Stop if the network forecasts better than one who knows the laws."""
    positive = int(truth.sum())
    if auc > oracle + SURE * auc_error(oracle, positive, len(truth) - positive):
        raise SystemExit(
            f"the network's ROC AUC on test days is {auc:.3f}, while one who knows the laws reaches "
            f"{oracle:.3f}: it must have seen what it forecasts"
        )


# --------------------------------------------------------------------------------------------------
# Forecasts without a network


def training_rate(parts: Split) -> np.ndarray:
    """Events per training day in each cell, with half an event more, so that none has none."""
    return (parts.known.days[:, COUNT].sum(axis=0) + 0.5) / len(parts.known.days)


def recent(one: Part, rate: np.ndarray) -> np.ndarray:
    """Events of the window, and those that the rate expects in as many days."""
    return one.before[:, COUNT].sum(axis=-1) + rate * one.before.shape[-1]


def shares(events: Events, side: int) -> np.ndarray:
    """Share of each event's direct aftershocks that fall into each cell, (events, side x side)."""
    edges, spread = np.arange(side + 1), math.sqrt(2) * width(events.magnitude)[:, None]
    over_x = np.diff(erf((edges - events.x[:, None]) / spread)) / 2
    over_y = np.diff(erf((edges - events.y[:, None]) / spread)) / 2
    return (over_y[:, :, None] * over_x[:, None, :]).reshape(len(events.day), -1)


def oracle(world: World, starts: np.ndarray) -> np.ndarray:
    """For who knows the laws: the chance of an event in each cell, (forecasts, side, side).

    The conditional intensity by what was known at the start, integrated over cell and horizon.
    """
    events, side = world.events, len(world.background)
    where, expected = shares(events, side), []
    sizes = productivity(events.magnitude, world.branching)
    for start in starts:
        known = np.searchsorted(events.day, start)
        age = start - events.day[:known]
        coming = sizes[:known] * (omori(age + HORIZON_DAYS) - omori(age))
        expected.append(HORIZON_DAYS * world.background.ravel() + coming @ where[:known])
    return 1 - np.exp(-above(MAGNITUDE_THRESHOLD) * np.array(expected)).reshape(-1, side, side)


# --------------------------------------------------------------------------------------------------
# The network


class ConvLSTM(nn.Module):
    """One layer (Shi et al. 2015); its last state gives each cell a logit."""

    def __init__(self, channels: int, hidden: int, odds: float) -> None:
        """``odds``: the logarithm of those that training cells have, where the network begins."""
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(channels + hidden, 4 * hidden, 3, padding=1)
        self.head = nn.Sequential(
            nn.Conv2d(hidden + channels, hidden, 1), nn.GELU(), nn.Conv2d(hidden, 1, 1)
        )
        nn.init.constant_(self.head[-1].bias, odds)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(windows, days, channels, side, side) to (windows, side, side)."""
        state = x.new_zeros(len(x), self.hidden, *x.shape[-2:])
        memory = torch.zeros_like(state)
        for day in x.unbind(1):
            gates = self.gates(torch.cat([day, state], dim=1))
            let_in, forget, let_out, new = gates.chunk(4, dim=1)
            memory = (forget + 1).sigmoid() * memory + let_in.sigmoid() * new.tanh()
            state = let_out.sigmoid() * memory.tanh()
        return self.head(torch.cat([state, x[:, -1]], dim=1)).squeeze(1)


def inputs(before: np.ndarray, rate: np.ndarray) -> torch.Tensor:
    """Counts and magnitudes of each day, and the logarithm of the rate."""
    days = torch.tensor(np.ascontiguousarray(before)).permute(0, 4, 1, 2, 3)
    count, largest = days[:, :, COUNT].log1p(), (days[:, :, LARGEST] - LEAST + 1).clamp(min=0)
    level = torch.tensor(np.log(rate) - np.log(rate).mean(), dtype=torch.float32)
    return torch.stack([count, largest, RATE_INPUT * level.expand_as(count)], dim=2)


@torch.no_grad()
def forecast(model: nn.Module, one: Part, rate: np.ndarray, device: str) -> np.ndarray:
    """The network's chance of an event in each cell, (forecasts, side, side)."""
    found = [
        model(inputs(one.before[i : i + 64], rate).to(device)).sigmoid().cpu()
        for i in range(0, len(one.before), 64)
    ]
    return torch.cat(found).double().numpy()


Curve = dict[str, list[float]]


def train(
    parts: Split, scale: Scale, seed: int, device: str, advance: Callable[[], None]
) -> tuple[nn.Module, nn.Module, Curve, float]:
    """The network at its best state, the untrained one, losses and scores, and seconds of training."""
    check_apart(sum(len(one.days) for one in vars(parts).values()), scale.window)
    torch.manual_seed(seed)  # initial weights
    batches, rate = np.random.default_rng(seed), training_rate(parts)
    known, labels = parts.known, torch.tensor(parts.known.labels(), dtype=torch.float32)
    choosing = parts.validation.apart()
    happened = choosing.labels().ravel()
    odds = torch.logit(labels.mean()).item() + math.log(POSITIVE_WEIGHT)
    model, untrained = (ConvLSTM(3, HIDDEN_CHANNELS, odds).to(device) for _ in range(2))
    untrained.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, scale.updates)
    weight = torch.tensor(float(POSITIVE_WEIGHT), device=device)
    curve: Curve = {"step": [], "val_loss": [], "val_auc": []}
    best: dict[str, torch.Tensor] = {}
    seconds = 0.0
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            chance = forecast(model, choosing, rate, device).ravel()
            auc, loss = roc_auc(chance, happened), log_loss(chance, happened)
            if not curve["val_auc"] or auc > max(curve["val_auc"]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            for name, value in zip(curve, (step, loss, auc), strict=True):
                curve[name].append(value)
        if step == scale.updates:
            break
        start = time.monotonic()
        batch = batches.integers(len(labels), size=scale.batch)
        logits = model(inputs(known.before[batch], rate).to(device))
        loss = F.binary_cross_entropy_with_logits(
            logits, labels[batch].to(device), pos_weight=weight
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        falling.step()
        seconds += time.monotonic() - start
        advance()
    model.load_state_dict(best)  # chosen on validation days; test days come after it
    return model, untrained, curve, seconds


# --------------------------------------------------------------------------------------------------
# One catalogue


@dataclass(frozen=True)
class Found:
    metrics: Metrics
    curve: Curve
    scores: dict[str, dict[str, list[float]]]
    decay: dict[str, np.ndarray]
    maps: dict[str, list]


def aftermath(
    test: Part, chances: dict[str, np.ndarray], truth: np.ndarray
) -> dict[str, np.ndarray]:
    """Sums over cells by the days since their last large shock: cases, events, and chances."""
    large = test.before[:, LARGEST] >= MAGNITUDE_THRESHOLD + AFTER  # the last axis is time
    age = np.where(large.any(axis=-1), large[..., ::-1].argmax(axis=-1), -1)
    found: dict[str, list[float]] = {name: [] for name in ("cases", "observed", *chances)}
    for low, high in pairwise(AGES):
        here = (age >= low) & (age < high)
        found["cases"].append(float(here.sum()))
        found["observed"].append(float(truth[here].sum()))
        for name, chance in chances.items():
            found[name].append(float(chance[here].sum()))
    return {name: np.array(sums) for name, sums in found.items()}


def thinned(curve: dict[str, np.ndarray], points: int = 60) -> dict[str, list[float]]:
    """A curve at equal steps of what is found, to be drawn."""
    at = np.searchsorted(curve["found"], np.linspace(0, 1, points)[1:])
    at = np.minimum(at, len(curve["found"]) - 1)
    return {name: values[at].round(5).tolist() for name, values in curve.items()}


def one_day(
    test: Part, rate: np.ndarray, chances: dict[str, np.ndarray], truth: np.ndarray
) -> dict:
    """The forecast on the day after the largest shock of the test days that are looked at."""
    i = int(test.before[..., -1][:, LARGEST].max(axis=(1, 2)).argmax())
    return {
        "rate": rate.tolist(),
        "events": test.before[i, COUNT].sum(axis=-1).tolist(),
        "truth": truth[i].astype(int).tolist(),
        **{name: chance[i].round(6).tolist() for name, chance in chances.items()},
    }


def study(
    world: World, scale: Scale, seed: int, device: str, advance: Callable[[], None] = lambda: None
) -> Found:
    """Train on one catalogue, and compare all forecasters on its test days."""
    days = scale.days if world.background is not None else int(world.events.day.max()) + 1
    parts = split(daily_maps(world.events, days, scale.side), scale.window)
    for name, one in vars(parts).items():
        if not 0 < one.apart().labels().mean() < 1:
            raise SystemExit(
                f"no event of magnitude {MAGNITUDE_THRESHOLD} is in the {name} part; lower "
                "MAGNITUDE_THRESHOLD, or give more days"
            )
    rate, test = training_rate(parts), parts.test.apart()
    model, untrained, curve, seconds = train(parts, scale, seed, device, advance)
    truth = test.labels()
    chances = {"network": forecast(model, test, rate, device)}
    others = {"rate": np.broadcast_to(rate, truth.shape), "recent": recent(test, rate)}
    if world.background is not None:
        chances["oracle"] = oracle(world, test.starts())
    metrics: Metrics = {}
    every = {
        "test": chances["network"],
        "initial_test": forecast(untrained, test, rate, device),
        **others,
        **{name: chance for name, chance in chances.items() if name == "oracle"},
    }
    for name, score in every.items():
        metrics[f"{name}_auc"] = roc_auc(score.ravel(), truth.ravel())
        metrics[f"{name}_ap"] = average_precision(score.ravel(), truth.ravel())
    if "oracle" in chances:
        check_possible(metrics["test_auc"], metrics["oracle_auc"], truth.ravel())
        metrics["branching_ratio"] = world.direct / len(world.events.day)
    if world.branching:
        gap = metrics["oracle_auc"] - metrics["rate_auc"]
        metrics["found_share"] = (metrics["test_auc"] - metrics["rate_auc"]) / gap
    metrics |= {
        "positive_share": float(truth.mean()),
        "forecast_share": float(chances["network"].mean()),
        "val_auc": max(curve["val_auc"]),
        "test_loss": log_loss(chances["network"].ravel(), truth.ravel()),
        "events": float((world.events.day >= 0).sum()),
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "train_time": seconds,
    }
    seen = {name: every[name] for name in every if name != "initial_test"}
    seen["network"] = seen.pop("test")
    curves = {n: thinned(steps(score.ravel(), truth.ravel())) for n, score in seen.items()}
    days_after = aftermath(test, chances, truth)
    return Found(metrics, curve, curves, days_after, one_day(test, rate, chances, truth))


def gathered(found: list[Found]) -> dict[str, dict]:
    """What is written of one data set, over its seeds."""
    curves = {name: [one.curve[name] for one in found] for name in found[0].curve}
    curves["step"] = found[0].curve["step"]  # the same for every seed
    sums = {name: sum(one.decay[name] for one in found) for name in found[0].decay}
    cases = np.maximum(sums.pop("cases"), 1)
    decay = {"days": list(AGES), "cases": cases.tolist()}
    return {
        "final_info": summarise([one.metrics for one in found]),
        "curves": curves,
        "scores": {
            name: {key: [one.scores[name][key] for one in found] for key in curve}
            for name, curve in found[0].scores.items()
        },
        "decay": decay | {name: (total / cases).tolist() for name, total in sums.items()},
        "maps": found[0].maps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Forecast earthquakes on a map.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    size = os.environ.get("AISCI_SCALE", "full")
    scale = SCALES[size]
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(scale.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    own = size == "full" and USER.is_dir()
    names = (*KINDS, "catalogue") if own else KINDS
    advance = counter(len(names) * len(scale.seeds) * scale.updates)
    written: dict[str, dict] = {
        name: {} for name in ("final_info", "curves", "scores", "decay", "maps")
    }
    for name in names:
        found = []
        for seed in scale.seeds:
            drawn = name in KINDS
            world = generate(name, scale, seed) if drawn else read_catalogue(USER, scale.side)
            found.append(study(world, scale, seed, device, advance))
        for file, content in gathered(found).items():
            written[file][name] = content
        told(name, written["final_info"][name])
    write_results(out_dir, **written)


if __name__ == "__main__":
    main()
