"""The shipped templates' baselines, measured by the command and put on record with their machine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template
from tests.support.bench import BENCH, record
from tests.support.places import ROOT

LONG = str(ROOT / "tests/data/policies/long.yaml")
# Full scales that two cores can be asked for; the others are left to a machine with a GPU.
FULL = ("seir", "2d_diffusion", "compressed_cnn")
CASES = [(name, "smoke") for name in shipped_templates(shipped_root())] + [
    (name, "full") for name in FULL
]


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.parametrize(("name", "scale"), CASES, ids=[f"{n}-{s}" for n, s in CASES])
def test_a_baseline_beats_the_untrained_model_and_is_put_on_record(
    name: str, scale: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(str(ROOT / ".venv/bin/aisci"), "template", "baseline", name),
            *("--scale", scale, "--policy", LONG, "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    baseline = json.loads(done.stdout)["baseline"]
    told = ("template", "scale", "seeds", "used", "means", "stderrs")
    record("baselines", {"kind": baseline["machine"], **{key: baseline[key] for key in told}})


def test_every_baseline_on_record_is_of_a_template_and_its_metrics() -> None:
    """Old entries may be of an older template: they still have to name what is measured."""
    entries = json.loads((BENCH / "baselines.json").read_text())
    have = {(one["template"], one["scale"]) for one in entries}
    assert have >= set(CASES)
    for one in entries:
        manifest = load_template(one["template"], shipped_root()).manifest
        reported = {metric for means in one["means"].values() for metric in means}
        assert reported <= set(manifest.metrics)
        assert one["kind"]
        assert one["used"]["seconds"] > 0
        assert one["used"]["memory_bytes"] > 0
        assert set(one["seeds"]) == set(one["means"])
