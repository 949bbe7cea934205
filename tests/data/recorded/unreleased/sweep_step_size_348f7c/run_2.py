"""python experiment.py --out_dir=run_0

Fits a line to noisy points by gradient descent and writes out_dir/final_info.json.
"""

import argparse
import json
import math
import os
import random
from pathlib import Path

STEP_SIZE = 0.5  # of gradient descent
SEEDS = (0, 1, 2)
POINTS = 40  # for training, and as many held out
NOISE = 0.3  # standard deviation, in the unit of y
STEPS = {"smoke": 20, "full": 200}[os.environ.get("AISCI_SCALE", "full")]

parser = argparse.ArgumentParser()
parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
out_dir = parser.parse_args().out_dir


def points(rng):
    xs = [rng.uniform(-1, 1) for _ in range(POINTS)]
    return [(x, 2 * x + 1 + rng.gauss(0, NOISE)) for x in xs]


def loss(slope, offset, data):
    return sum((slope * x + offset - y) ** 2 for x, y in data) / len(data)


def fit(seed):
    rng = random.Random(seed)
    known, held_out = points(rng), points(rng)
    slope = offset = 0.0
    initial = loss(slope, offset, held_out)
    for _ in range(STEPS):
        errors = [(slope * x + offset - y, x) for x, y in known]
        slope -= STEP_SIZE * 2 * sum(e * x for e, x in errors) / POINTS
        offset -= STEP_SIZE * 2 * sum(e for e, _ in errors) / POINTS
    return {"final_loss": loss(slope, offset, held_out), "initial_loss": initial}


runs = [fit(seed) for seed in SEEDS]
values = {key: [run[key] for run in runs] for key in runs[0]}
means = {key: sum(v) / len(v) for key, v in values.items()}
stderrs = {
    key: math.sqrt(sum((x - means[key]) ** 2 for x in v) / (len(v) - 1) / len(v))
    for key, v in values.items()
}
out_dir.mkdir(parents=True, exist_ok=True)
final_info = {
    "line": {
        "means": {f"{k}_mean": v for k, v in means.items()},
        "stderrs": {f"{k}_stderr": v for k, v in stderrs.items()},
        "final_info_dict": values,
    }
}
(out_dir / "final_info.json").write_text(json.dumps(final_info))
print(f"final_loss {means['final_loss']:.4f}")
