"""The host's own work on a run grows with its ideas, and no faster: measured, and kept in bench/."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bench import record
from tests.support.places import ROOT

SIZES = (10, 100, 1000)
STEPS = ("record", "audit", "report", "replay")
LARGE = ROOT / "tests/data/policies/large.yaml"


def measured(step: str, folder: Path, count: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.growth_rig", step, str(folder), str(count)],
        cwd=ROOT, env=os.environ | {"AISCI_TEST_POLICY": str(LARGE)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.campaign
@pytest.mark.program
def test_no_command_grows_faster_than_its_ideas(tmp_path: Path) -> None:
    start = measured("start", tmp_path, 0)["cpu"]
    sizes = SIZES[: int(os.environ.get("AISCI_TEST_SIZES", len(SIZES)))]
    rows: dict[str, dict[str, float]] = {}
    for count in sizes:
        for step in STEPS:
            found = measured(step, tmp_path / "quick" / f"run_{count}", count)
            rows[f"{step} {count}"] = {name: round(value, 2) for name, value in found.items()}
    exponents = {}
    for step in STEPS:
        first, last = (rows[f"{step} {count}"]["cpu"] - start for count in (sizes[0], sizes[-1]))
        grown = math.log(last / first) / math.log(sizes[-1] / sizes[0])
        exponents[step] = round(grown, 2)
    record("growth", {"ideas": list(sizes), "cpu and MiB": rows, "exponents": exponents})
    assert max(exponents.values()) <= 1.1, exponents
