"""python experiment.py --out_dir=run_0

FILL IN: what this experiment asks, and what it measures. As it stands, it guesses a number from
noisy readings of it, which shows the form: a constant that a study may vary, seeds that decide all
that chance decides, sizes of a run, and numbers that a run writes.

Writes final_info.json into the folder that --out_dir names.
"""

import os
import random

import common

# What a study may vary. Each constant is set once, here, as a plain number.
SHARE = 0.5  # of a new reading in the guess; the rest is the guess before

SEEDS = (1, 2, 3)
READINGS = {"smoke": 20, "full": 200}[os.environ.get("AISCI_SCALE", "full")]


def measure(seed: int) -> common.Metrics:
    """One seed's numbers. FILL IN: your own experiment in place of this one."""
    chance = random.Random(seed)
    guess = first = chance.gauss(1.0, 1.0)
    for _ in range(READINGS):
        guess = (1 - SHARE) * guess + SHARE * chance.gauss(0.0, 0.2)
    return {"error": abs(guess), "first_error": abs(first)}


if __name__ == "__main__":
    found = {"readings": common.summarise([measure(seed) for seed in SEEDS])}
    common.told("readings", found["readings"])
    common.write_results(common.out_dir(), final_info=found)
