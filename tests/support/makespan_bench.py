"""How long a run of fifty ideas on eight GPUs takes, by the order of its waiting jobs, on a simulated clock.

``python -m tests.support.makespan_bench`` adds the ratios to ``bench/makespan.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

from tests.support.bench import record
from tests.support.makespan_rig import (
    GPUS,
    HEAD,
    IDEAS,
    MOST_RUNS,
    RECORDED,
    TAIL,
    MadeIdea,
    Simulation,
    bound,
    least,
    plain_bound,
    with_bound_gpus,
    workload,
)

SEEDS = range(30)
FEWEST_RUNS = (2, 3)
MODEL_PER_GPU = (0.1, 0.5, 1.0, 2.0)
IN_FLIGHT = (8, 16, 32)
OFF = 0.3

Ratio = Callable[
    [Sequence[MadeIdea], int, int], float
]  # of the ideas, how many in flight, the seed


def _simulated(
    ideas: Sequence[MadeIdea],
    in_flight: int,
    seed: int,
    *,
    off: float | None = None,
    told: bool = False,
    followers: bool = True,
    proposed: bool = True,
) -> float:
    made = Simulation(ideas, in_flight, off, told, followers, seed, proposed)
    return made.makespan() / bound(ideas)


RATIOS: dict[str, Ratio] = {
    "a GPU bound to an idea": lambda ideas, *_: with_bound_gpus(ideas) / plain_bound(ideas),
    "first come, first served": _simulated,
    "longest work first alone, off by 30 %": partial(_simulated, off=OFF, followers=False),
    "by what the program estimates": partial(_simulated, off=OFF, told=True),
    "by estimates off by 30 %": partial(_simulated, off=OFF),
    "by exact estimates": partial(_simulated, off=0.0),
    "by the same off by 30 %, ideas in their order": partial(_simulated, off=OFF, proposed=False),
    "no order of jobs is below, ideas in their order": lambda ideas, in_flight, _: (
        least(ideas, in_flight) / bound(ideas)
    ),
}


def row(name: str, fewest: int, in_flight: int, model_per_gpu: float) -> dict[str, float]:
    """Makespan over the bound of its run, over all seeds."""
    runs = ((seed, workload(seed, model_per_gpu, fewest)) for seed in SEEDS)
    found = [RATIOS[name](ideas, in_flight, seed) for seed, ideas in runs]
    return {"mean": round(fmean(found), 3), "worst": round(max(found), 3)}


def main() -> None:
    made = {
        f"{fewest} to {MOST_RUNS} runs an idea": {
            f"{in_flight} in flight": {
                f"model:GPU {ratio}": {name: row(name, fewest, in_flight, ratio) for name in RATIOS}
                for ratio in MODEL_PER_GPU
            }
            for in_flight in IN_FLIGHT
        }
        for fewest in FEWEST_RUNS
    }
    setting = {"ideas": IDEAS, "gpus": GPUS, "runs": len(SEEDS), "head": HEAD, "tail": TAIL}
    record("makespan", {**setting, "durations": list(RECORDED), "makespan / bound": made})


if __name__ == "__main__":
    main()
