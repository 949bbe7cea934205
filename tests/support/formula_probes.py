r"""Sentences that name a metric by a formula, "$R_0$" for ``r0``, and two small studies that have such metrics."""

from __future__ import annotations

import json
import statistics
from functools import cache

from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import check_source
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper.latex import BEGIN, END
from orchestrator.template.results import parse_final_info, per_seed

_VALUES: dict[str, dict[str, tuple[float, ...]]] = {
    "epidemic": {
        "transmission_z2": (1.31, 1.82, 0.77),
        "transmission_error": (0.133, 0.171, 0.115),
        "transmission_sd": (0.054, 0.066, 0.039),
        "r0": (2.45, 3.10, 1.68),
        "beta": (0.41, 0.58, 0.29),
        "gamma_error": (0.062, 0.047, 0.091),
        "final_size": (0.88, 0.95, 0.71),
    },
    "training": {
        "val_loss": (1.62, 1.47, 1.75),
        "delta_loss": (0.23, 0.36, 0.12),
        "p_value": (0.31, 0.64, 0.18),
        "log10_time": (3.42, 3.71, 3.05),
        "r2": (0.83, 0.91, 0.76),
        "l2_norm": (14.2, 17.9, 11.6),
        "top1_acc": (0.704, 0.752, 0.668),
    },
}
"""Means of each run in turn."""


@cache
def ledger(name: str) -> Ledger:
    """A study of three runs on one data set, three seeds each."""
    rows = []
    for run in range(3):
        values = {
            metric: [means[run] - 0.01 * means[run], means[run], means[run] + 0.01 * means[run]]
            for metric, means in _VALUES[name].items()
        }
        found = {
            name: {
                "means": {f"{key}_mean": statistics.fmean(row) for key, row in values.items()},
                "stderrs": {
                    f"{key}_stderr": statistics.stdev(row) / 3**0.5 for key, row in values.items()
                },
                "final_info_dict": values,
            }
        }
        info = json.dumps(found).encode()
        rows.append(
            RunMeasurements(
                number=run, name=f"run {run}" if run else "baseline", base=0, seconds=0.0,
                results=parse_final_info(info), values=per_seed(info),
                code={"experiment.py": "seeds = (1, 2, 3)\n"},
            )
        )  # fmt: skip
    return build_ledger(rows, {}, (), "full")


def problems(study: str, text: str, *, strict: bool = False) -> list[str]:
    tex = rf"{BEGIN}\section{{Results}}{text}{END}"
    found = check_source(tex, ledger(study), strict=strict)
    return [said for one in found for said in one.problems]


TRUE: dict[str, tuple[str, ...]] = {
    "epidemic": (
        "The transmission $z^2$ of run 1 is 1.82.",
        "The transmission $z^{2}$ falls from 1.31 in the baseline to 0.77 in run 2.",
        "Run 1 has the highest $R_0$, 3.10, and run 2 the lowest, 1.68.",
        "In run 2, $R_0 = 1.68$.",
        "$\\mathcal{R}_0$ rises from 2.45 to 3.10 in run 1.",
        "The fitted $\\beta$ is 0.58 in run 1 and 0.29 in run 2.",
        "In run 1 we find $\\beta = 0.58$ and $R_0 = 3.10$.",
        "The error of $\\gamma$ is 0.047 in run 1.",
        "The $\\gamma$ error of the baseline is 0.062.",
    ),
    "training": (
        "The $\\Delta$ loss of run 1 is 0.36.",
        "The $p$-value is 0.64 in run 1 and 0.18 in run 2.",
        "$\\log_{10}$ time grows from 3.42 to 3.71 in run 1.",
        "Run 1 has an $R^2$ of 0.91, against 0.83 for the baseline.",
        "In run 2, $R^2 = 0.76$.",
        "The $L_2$ norm is 17.9 in run 1.",
        "The $\\ell_2$ norm of run 2 is 11.6.",
        "The val loss ($\\mathcal{L}_{val}$) of run 1 is 1.47.",
        "The validation loss $\\mathcal{L}_{\\mathrm{val}}$ falls from 1.62 to 1.47 in run 1.",
        "The top-1 accuracy of run 1 is 75.2\\%.",
    ),
}  # fmt: skip

FALSE: dict[str, tuple[str, ...]] = {
    "epidemic": (
        "The transmission $z^2$ of run 1 is 0.77.",
        "The transmission $z^{2}$ falls from 1.82 in the baseline to 0.77 in run 2.",
        "Run 1 has the highest $R_0$, 2.45, and run 2 the lowest, 1.68.",
        "In run 2, $R_0 = 3.10$.",
        "$\\mathcal{R}_0$ falls from 2.45 to 3.10 in run 1.",
        "The fitted $\\beta$ is 0.29 in run 1 and 0.58 in run 2.",
        "In run 1 we find $\\beta = 3.10$ and $R_0 = 0.58$.",
        "The error of $\\gamma$ is 0.091 in run 1.",
        "The $\\gamma$ error of the baseline is 0.047.",
        "In run 2, $R_0$ is 0.77.",
        "The transmission $z^2$ of run 1 is 0.171.",
    ),
    "training": (
        "The $\\Delta$ loss of run 1 is 0.12.",
        "The $p$-value is 0.18 in run 1 and 0.64 in run 2.",
        "$\\log_{10}$ time is 3.05 in run 1.",
        "Run 1 has an $R^2$ of 0.83, against 0.91 for the baseline.",
        "In run 2, $R^2 = 0.91$.",
        "The $L_2$ norm is 14.2 in run 1.",
        "The $\\ell_2$ norm of run 2 is 17.9.",
        "The val loss ($\\mathcal{L}_{val}$) of run 1 is 1.75.",
        "The validation loss $\\mathcal{L}_{\\mathrm{val}}$ falls from 1.47 to 1.62 in run 1.",
        "The top-1 accuracy of run 1 is 70.4\\%.",
        "Run 1 has an $R^2$ of 0.752.",
        "The $\\Delta$ loss of run 1 is 1.47.",
    ),
}  # fmt: skip
