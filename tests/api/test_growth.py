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
EVENTS = (1000, 10_000, 100_000)
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
@pytest.mark.engine
def test_the_memory_for_a_jobs_outputs_does_not_grow_with_them(tmp_path: Path) -> None:
    rows = {
        f"outputs of {size} MiB": {
            name: round(value, 2)
            for name, value in measured("outputs", tmp_path / str(size), size).items()
        }
        for size in (8, 1024)
    }
    record("growth", {"cpu and MiB": rows})
    small, large = (row["mib"] for row in rows.values())
    assert large < small + 64


@pytest.mark.campaign
@pytest.mark.program
def test_writing_and_reading_a_journal_grow_no_faster_than_its_lines(tmp_path: Path) -> None:
    start = measured("start", tmp_path, 0)["cpu"]
    rows = {
        f"{step} {count}": measured(step, tmp_path / str(count), count)
        for count in EVENTS
        for step in ("write_events", "read_events")
    }
    exponents = {
        step: round(exponent(rows, step, (EVENTS[0], EVENTS[-1]), start), 2)
        for step in ("write_events", "read_events")
    }
    shown = {name: {k: round(v, 2) for k, v in row.items()} for name, row in rows.items()}
    record("growth", {"events": list(EVENTS), "cpu and MiB": shown, "exponents": exponents})
    assert max(exponents.values()) <= 1.1, exponents


def exponent(
    rows: dict[str, dict[str, float]], step: str, sizes: tuple[int, int], start: float
) -> float:
    """Of the CPU time of ``step`` beyond the start of a process, between two sizes."""
    first, last = (rows[f"{step} {count}"]["cpu"] - start for count in sizes)
    return math.log(last / first) / math.log(sizes[1] / sizes[0])


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
    ends = (sizes[0], sizes[-1])
    exponents = {step: round(exponent(rows, step, ends, start), 2) for step in STEPS}
    record("growth", {"ideas": list(sizes), "cpu and MiB": rows, "exponents": exponents})
    assert max(exponents.values()) <= 1.1, exponents
