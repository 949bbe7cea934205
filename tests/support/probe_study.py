"""A made study in the AI Scientist's format, with values per seed and settings that runs change: what probes are
held to.
"""

from __future__ import annotations

import json
import math
import statistics
from functools import cache

from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import check_source
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper.latex import BEGIN, END
from orchestrator.template.results import parse_final_info, per_seed

VALUES: dict[str, dict[str, tuple[tuple[float, ...], ...]]] = {
    "shakespeare_char": {
        "final_train_loss": ((0.80, 0.82, 0.84), (0.94, 0.95, 0.97), (0.70, 0.71, 0.69), (0.88, 0.91, 0.90)),
        "best_val_loss": ((1.45, 1.47, 1.48), (1.38, 1.40, 1.39), (1.50, 1.52, 1.54), (1.41, 1.43, 1.45)),
        "val_acc": ((0.54, 0.55, 0.56), (0.57, 0.58, 0.60), (0.52, 0.53, 0.53), (0.56, 0.55, 0.58)),
        "total_train_time": ((298.0, 300.0, 305.0), (312.0, 318.0, 315.0), (201.0, 199.0, 200.0), (603.0, 598.0, 602.0)),
    },
    "enwik8": {
        "final_train_loss": ((0.93, 0.94, 0.92), (0.96, 0.97, 0.98), (0.89, 0.90, 0.91), (0.95, 0.94, 0.96)),
        "best_val_loss": ((1.00, 1.01, 1.03), (0.96, 0.98, 0.97), (1.04, 1.05, 1.07), (1.02, 1.04, 1.03)),
        "val_acc": ((0.70, 0.71, 0.72), (0.73, 0.72, 0.75), (0.69, 0.68, 0.70), (0.71, 0.70, 0.74)),
        "total_train_time": ((2400.0, 2410.0, 2390.0), (2500.0, 2510.0, 2520.0), (1500.0, 1510.0, 1490.0), (4800.0, 4810.0, 4790.0)),
    },
}  # fmt: skip
"""Values per seed, of each run in turn."""
CODE = """import time
began = time.time()
dropout = {dropout}
learning_rate = {rate}
n_layer = {layers}
batch_size = 64
block_size = 256
max_iters = 5000
seeds = (1337, 1338, 1339)
"""
SETTINGS = (
    {"dropout": 0.2, "rate": 0.001, "layers": 6},
    {"dropout": 0.3, "rate": 0.001, "layers": 6},
    {"dropout": 0.2, "rate": 0.0003, "layers": 4},
    {"dropout": 0.2, "rate": 0.001, "layers": 12},
)


def info(run: int, *, only: str = "") -> bytes:
    """The results file of a run; ``only``: of one data set alone."""
    found = {}
    for data, metrics in VALUES.items():
        if only in ("", data):
            rows = {name: values[run] for name, values in metrics.items()}
            found[data] = {
                "means": {f"{name}_mean": statistics.fmean(row) for name, row in rows.items()},
                "stderrs": {
                    f"{name}_stderr": statistics.stdev(row) / math.sqrt(len(row))
                    for name, row in rows.items()
                },
                "final_info_dict": {name: list(row) for name, row in rows.items()},
            }
    return json.dumps(found).encode()


@cache
def ledger(only: str = "") -> Ledger:
    """What a folder of these results says whose template declares nothing."""
    return build_ledger(
        [
            RunMeasurements(
                number=run,
                name=f"run {run}" if run else "baseline",
                base=0,
                seconds=0.0,
                results=parse_final_info(info(run, only=only)),
                values=per_seed(info(run, only=only)),
                code={"experiment.py": CODE.format(**settings)},
            )
            for run, settings in enumerate(SETTINGS)
        ],
        {}, (), "full",
    )  # fmt: skip


def problems(
    text: str, part: str = "Results", *, only: str = "", strict: bool = False
) -> list[str]:
    """What is wrong in a paper with this one section."""
    tex = rf"{BEGIN}\section{{{part}}}{text}{END}"
    found = check_source(tex, ledger(only), strict=strict)
    return [said for one in found for said in one.problems]
