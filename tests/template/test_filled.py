"""`check --run --write`: the manifest gets what the first run shows, and loses nothing."""

from __future__ import annotations

import json

import pytest

from orchestrator.core.errors import BadTemplate
from orchestrator.core.strict_yaml import parse
from orchestrator.template.contract.measured import MeasuredRun
from orchestrator.template.filled import filled_manifest

HEAD = """# my words
version: 1
name: mine  # short
title: T
description: D
editable: [experiment.py]
"""
SCALES = """
scales:
  smoke:  # small
    description: seconds
  full: {description: hours}
"""


def run(seeds: int = 3, more: dict[str, float] | None = None) -> MeasuredRun:
    values = {"loss": [0.5] * seeds} if seeds else {}
    means = {"loss_mean": 0.5, **(more or {})}
    data = {"digits": {"means": means, "final_info_dict": values}}
    return MeasuredRun.of(json.dumps(data).encode())


def filled(
    manifest: str, code: str = "", measured: MeasuredRun | None = None
) -> tuple[str, tuple[str, ...]]:
    done = filled_manifest(manifest.encode(), "template.yaml", "smoke", measured or run(), code)
    before, after = manifest.split("\n"), done.text.split("\n")
    lost = [line for line in before if line not in after]
    assert [line for line in lost if not line.startswith("metrics:")] == []
    return done.text, done.written


@pytest.mark.parametrize(
    "metrics",
    [
        "metrics: {}  # FILL IN: by a run\n",
        "metrics:\n",
        "",
        "# numbers\nmetrics:  # of a run\n  other:\n    direction: lower\n    description: d\n\n# below\nknobs: {}\n",
    ],
)
def test_metrics_and_seeds_are_added_and_every_comment_stays(metrics: str) -> None:
    text, written = filled(HEAD + metrics + SCALES)
    data = parse(text.encode(), "t").data
    assert data["metrics"]["loss_mean"]["direction"] == "none"
    assert data["scales"]["smoke"] == {"seeds": [0, 1, 2], "description": "seconds"}
    assert "direction: none  # FILL IN: lower or higher" in text
    assert "seeds: [0, 1, 2]  # FILL IN" in text
    assert "FILL IN: by a run" not in text
    assert written == (
        "scales.smoke.seeds: [0, 1, 2]",
        "metrics.loss_mean: direction and description to FILL IN",
    )


def test_what_is_there_is_never_changed_and_twice_is_once() -> None:
    text, _ = filled(HEAD + "metrics: {}\n" + SCALES)
    again, written = filled(text)
    assert (again, written) == (text, ())


def test_seeds_that_the_code_names_need_no_mark() -> None:
    text, _ = filled(HEAD + SCALES, "import x\nSEEDS = (7, 8, 9)  # three\n")
    assert "    seeds: [7, 8, 9]\n" in text
    text, _ = filled(HEAD + SCALES, "SEEDS = (7, 8)\n")
    assert "seeds: [0, 1, 2]  # FILL IN" in text


def test_a_run_without_values_by_seed_says_nothing_of_seeds() -> None:
    text, written = filled(HEAD + SCALES, measured=run(0))
    assert "seeds" not in text
    assert len(written) == 1


def test_a_time_is_declared_as_one_and_an_odd_name_is_quoted() -> None:
    text, _ = filled(HEAD + SCALES, measured=run(more={"train_time_mean": 1.0, "top 1: a": 2.0}))
    metrics = parse(text.encode(), "t").data["metrics"]
    assert metrics["train_time_mean"]["repeatable"] is False
    assert set(metrics) == {"loss_mean", "train_time_mean", "top 1: a"}


@pytest.mark.parametrize(
    "manifest",
    [
        HEAD + "metrics: {a: {direction: none, description: d}}\n" + SCALES,
        HEAD + "scales: {smoke: {description: d}}\n",
    ],
)
def test_a_manifest_that_has_no_lines_to_add_to_is_left_alone(manifest: str) -> None:
    with pytest.raises(BadTemplate, match="cannot be added here"):
        filled(manifest)


def test_values_of_epochs_are_no_seeds_and_leave_the_manifest_as_it_is() -> None:
    with pytest.raises(BadTemplate, match="has 101 values") as error:
        filled(HEAD + SCALES, measured=run(101))
    assert "behind the loop over epochs" in error.value.todo
    text, _ = filled(HEAD + SCALES, measured=run(100))
    assert "99]  # FILL IN" in text
