"""What a hardened start costs beside a plain one, as a ratio; nothing is judged by the clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.bench import record
from tests.support.places import ROOT

pytestmark = [pytest.mark.campaign, pytest.mark.engine]

SAMPLES = 10
ALWAYS = {"plain container", "hardened container"}


def test_what_a_hardened_start_costs_is_measured_and_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.start_bench", str(SAMPLES)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    measured = json.loads(done.stdout)
    assert {"runc"} <= {one["runtime"] for one in measured}
    for one in measured:
        backends = {kind.split()[-1] for kind in one["kinds"] if kind.startswith("whole job")}
        assert backends
        assert set(one["kinds"]) >= ALWAYS | {f"hardened, volume on {name}" for name in backends}
        record("start", one)
