"""python experiment.py --out_dir=run_0

An epidemic in a closed population, in four compartments: people who can catch the disease
(susceptible), who caught it and do not pass it on yet (exposed), who pass it on (infectious), and
who no longer do (removed). Three data sets, each a way to look at the same epidemic:

  deterministic  the differential equations; there is nothing random
  outbreaks      people counted one by one, each event drawn by chance; an outbreak per seed
  fitted         an outbreak per seed of which the daily new cases are known up to a day: the three
                 parameters are estimated from them, and the days that follow are forecast

One infectious person among only susceptible ones infects TRANSMISSION x SUSCEPTIBLE x
INFECTIOUS_DAYS others: 21 with the constants below. At that number nearly everybody is infected,
whatever a small change does; a TRANSMISSION of 0.0001 to 0.0003 makes it 2 to 6.

Writes into out_dir
  final_info.json   {data set: {"means": {metric: x}, "stderrs": {metric: x},
                                "final_info_dict": {metric: [x per seed]}}}
  curves.json       {"day": [...], "deterministic": {compartment: [x per day]},
                     "outbreaks": [[infectious per day] per seed],
                     "fitted": [{"cases", "initial", "fit": [x per day],
                                 "parameters": [transmission, latent days, infectious days]} per seed]}

AISCI_SCALE=full (default) is the study; smoke has fewer outbreaks and coarser steps, and short is
the full size for one outbreak.
"""

import argparse
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

TRANSMISSION = 0.001  # infections per day, infectious person and susceptible person
LATENT_DAYS = 14.0  # mean time from catching the disease to passing it on
INFECTIOUS_DAYS = 7.0  # mean time of passing it on
FIRST_INFECTIOUS = 5  # people on day 0
SEEN_DAYS = 20  # days of cases that the fit may use; the rest is forecast
CASE_NOISE = 0.1  # relative standard deviation of what is counted in a day
GUESS_SPREAD = 1.0  # standard deviation of the first guess about a parameter's logarithm

# --------------------------------------------------------------------------------------------------
# Sizes

SUSCEPTIBLE = 3000  # people on day 0 who can catch the disease
DAYS = 100
COMPARTMENTS = ("susceptible", "exposed", "infectious", "removed")


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]  # of outbreaks and fits
    steps_per_day: int  # of an outbreak


SCALES = {
    "full": Scale(seeds=tuple(range(1337, 1357)), steps_per_day=20),
    "short": Scale(seeds=(1337,), steps_per_day=20),
    "smoke": Scale(seeds=(1337, 1338, 1339, 1340, 1341), steps_per_day=4),
}

# --------------------------------------------------------------------------------------------------
# The epidemic

Parameters = tuple[float, float, float]  # transmission, latent days, infectious days
TRUE: Parameters = (TRANSMISSION, LATENT_DAYS, INFECTIOUS_DAYS)
GUESS = (0.5, 2.0, 0.5)  # by which a fit's first guess is off, for each parameter


def check_conserved(states: np.ndarray) -> None:
    """Stop if people appear, vanish or are fewer than none in states (times, 4)."""
    people = states.sum(axis=1)
    if np.abs(people - people[0]).max() > 1e-6 * people[0] or states.min() < -1e-6 * people[0]:
        raise SystemExit(
            f"the epidemic does not conserve people: from {people.min():.6g} to {people.max():.6g} "
            f"of them, the fewest in a compartment {states.min():.3g}; look at the equations"
        )


def start() -> np.ndarray:
    return np.array([SUSCEPTIBLE, 0, FIRST_INFECTIOUS, 0], dtype=float)


def solve(parameters: Parameters) -> np.ndarray:
    """The compartments (DAYS + 1, 4) at the end of each day, by the differential equations."""
    transmission, latent, infectious = parameters

    def slope(_time: float, state: np.ndarray) -> list[float]:
        s, e, i, _ = state
        caught, turned, recovered = transmission * s * i, e / latent, i / infectious
        return [-caught, caught - turned, turned - recovered, recovered]

    days = np.arange(DAYS + 1)
    found = solve_ivp(slope, (0, DAYS), start(), t_eval=days, method="LSODA", rtol=1e-8, atol=1e-6)
    states = found.y.T
    check_conserved(states)
    return states


def outbreak(parameters: Parameters, steps_per_day: int, rng: np.random.Generator) -> np.ndarray:
    """The compartments (DAYS + 1, 4) of one outbreak: whole people, who change by chance.

    In each short step every person leaves a compartment with the probability that a constant rate
    gives, independently of all others: a chain of binomial draws.
    """
    transmission, latent, infectious = parameters
    step = 1 / steps_per_day
    turning, recovering = -math.expm1(-step / latent), -math.expm1(-step / infectious)
    s, e, i, r = SUSCEPTIBLE, 0, FIRST_INFECTIOUS, 0
    states = [(s, e, i, r)]
    for _ in range(DAYS):
        for _ in range(steps_per_day):
            caught = rng.binomial(s, -math.expm1(-transmission * i * step))
            turned, recovered = rng.binomial(e, turning), rng.binomial(i, recovering)
            s, e, i, r = s - caught, e + caught - turned, i + turned - recovered, r + recovered
        states.append((s, e, i, r))
    found = np.array(states, dtype=float)
    check_conserved(found)
    return found


def new_cases(states: np.ndarray) -> np.ndarray:
    """People who became infectious on each day (DAYS,), from the compartments at its ends."""
    return np.diff(states[:, 2] + states[:, 3])


# --------------------------------------------------------------------------------------------------
# The fit

Metrics = dict[str, float]


def curve_of(states: np.ndarray) -> Metrics:
    """What the classic curve is read for: when and how high it peaks, and whom it reaches."""
    infectious = states[:, 2]
    return {
        "infected_peak_day": float(infectious.argmax()),
        "infected_peak": float(infectious.max()),
        "total_infected": float(states[0, 0] - states[-1, 0] + FIRST_INFECTIOUS),
    }


def reproduction(parameters: Parameters) -> float:
    """People whom one infectious person infects while all others are susceptible."""
    transmission, _, infectious = parameters
    return transmission * SUSCEPTIBLE * infectious


def forecast_error(parameters: Parameters, cases: np.ndarray) -> float:
    """Root mean squared error, in people a day, over the days after SEEN_DAYS."""
    off = new_cases(solve(parameters)) - cases
    return float(np.sqrt(np.mean(off[SEEN_DAYS:] ** 2)))


def fit(cases: np.ndarray, guess: Parameters) -> Parameters:
    """Least squares on square roots of the first SEEN_DAYS cases, and on the guess.

    The square root of a count of events has a standard deviation of about a half, whatever its
    mean. Early cases leave the infectious time nearly open; the guess, which is known to
    GUESS_SPREAD, keeps it from wandering off, so that no hard bound decides what is found.
    """
    seen = np.sqrt(cases[:SEEN_DAYS])
    around = np.log(guess)

    def residuals(logs: np.ndarray) -> np.ndarray:
        model = new_cases(solve(tuple(np.exp(logs))))[:SEEN_DAYS]
        off = (np.sqrt(np.clip(model, 0, None)) - seen) / 0.5
        return np.append(off, (logs - around) / GUESS_SPREAD)

    found = least_squares(residuals, around, diff_step=1e-4)
    return tuple(np.exp(found.x).tolist())


def fitted(scale: Scale, seed: int) -> tuple[Metrics, dict[str, list[float]]]:
    """One seed: how good the forecast is, before and after the fit; and the curves."""
    rng = np.random.default_rng(seed)
    true = new_cases(outbreak(TRUE, scale.steps_per_day, rng))
    cases = np.clip(true * (1 + CASE_NOISE * rng.standard_normal(DAYS)), 0, None)
    guess = tuple(value * off for value, off in zip(TRUE, GUESS, strict=True))
    found = fit(cases, guess)
    off = [abs(math.log(a / b)) for a, b in zip(found, TRUE, strict=True)]
    metrics = {
        "forecast_error": forecast_error(found, cases),
        "initial_forecast_error": forecast_error(guess, cases),
        "parameter_error": sum(off) / len(off),
        **dict(zip(("transmission_error", "latent_error", "infectious_error"), off, strict=True)),
    }
    curves = {"initial": new_cases(solve(guess)), "fit": new_cases(solve(found)), "cases": cases}
    told = {name: np.round(curve, 3).tolist() for name, curve in curves.items()}
    return metrics, {**told, "parameters": [float(f"{value:.4g}") for value in found]}


# --------------------------------------------------------------------------------------------------
# Results


def summarise(per_seed: list[Metrics]) -> dict[str, dict]:
    """Means over the seeds, with standard errors and the values themselves.

    A standard error is the sample deviation (n - 1 in its divisor) over the root of n. One seed
    has none.
    """
    values = {k: [r[k] for r in per_seed] for k in per_seed[0]}
    found = {k: (np.mean(v), np.std(v, ddof=1) if len(v) > 1 else None) for k, v in values.items()}
    return {
        "means": {k: float(mean) for k, (mean, _) in found.items()},
        "stderrs": {
            k: float(s / len(per_seed) ** 0.5) for k, (_, s) in found.items() if s is not None
        },
        "final_info_dict": values,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate and fit an epidemic.")
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    out_dir = parser.parse_args().out_dir
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]

    states = solve(TRUE)
    outbreaks, fits = [], []
    for done, seed in enumerate(scale.seeds, 1):
        outbreaks.append(outbreak(TRUE, scale.steps_per_day, np.random.default_rng(seed)))
        fits.append(fitted(scale, seed))
        print(f"progress: {done / len(scale.seeds):.4f}", flush=True)
    final_info = {
        "deterministic": summarise(
            [{**curve_of(states), "reproduction_number": reproduction(TRUE)}]
        ),
        "outbreaks": summarise([curve_of(one) for one in outbreaks]),
        "fitted": summarise([metrics for metrics, _ in fits]),
    }
    for name, results in final_info.items():
        print(f"{name}:", *(f"{k} {x:.4g}" for k, x in results["means"].items()), sep="  ")

    curves = {
        "day": list(range(DAYS + 1)),
        "deterministic": dict(zip(COMPARTMENTS, np.round(states.T, 3).tolist(), strict=True)),
        "outbreaks": [one[:, 2].tolist() for one in outbreaks],
        "fitted": [curve for _, curve in fits],
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "curves.json").write_text(json.dumps(curves))
    (out_dir / "final_info.json").write_text(json.dumps(final_info, indent=1))


if __name__ == "__main__":
    main()
