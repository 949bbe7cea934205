"""A baseline that cannot be used is told with the limit or the key, and with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import BadTemplate
from orchestrator.core.job import Job
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.support import run_rig as rig


def refused(folder: Path, ending: Callable[[Job], Ending]) -> BadTemplate:
    """The error of a run whose baseline ends in this way."""

    def over(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, ending)
        return Edges(SweepModel(), rig.asking_editor(blobs), sandbox, Sources())

    tools = RunDeps(edges=over, exporter=FileExporter(), listener=lambda _: None)
    with pytest.raises(BadTemplate) as caught:
        research(rig.setup(folder), rig.place(folder / "run", Mode.RECORD), tools)
    return caught.value


def test_a_flood_of_output_names_the_limit_and_the_key_of_the_policy(tmp_path: Path) -> None:
    error = refused(tmp_path, lambda job: Ending(stdout="x" * (job.limits.logs + 1)))
    assert "log flood: it printed more than 4MiB, the policy's experiment.logs" in error.why
    assert "raise `logs`" in error.todo


def test_a_baseline_that_diverges_is_named_with_its_path_and_not_blamed_on_the_scale(
    tmp_path: Path,
) -> None:
    info = b'{"d": {"means": {"loss": NaN, "other": 1}}}'
    error = refused(tmp_path, lambda _: Ending(files={"run_0/final_info.json": info}))
    assert error.what.startswith("the template's own experiment diverges")
    assert error.where.endswith("final_info.json, d.means.loss")
    assert error.todo.startswith("write finite numbers")


def test_results_that_are_missing_are_not_blamed_on_the_scale_either(tmp_path: Path) -> None:
    error = refused(tmp_path, lambda _: Ending())
    assert error.why.startswith("it did not write run_0/final_info.json")
    assert "--out_dir" in error.todo


def test_a_headline_metric_of_another_name_stops_the_run_at_its_baseline(tmp_path: Path) -> None:
    info = b'{"d": {"means": {"final_los_mean": 0.1, "initial_loss_mean": 1}}}'
    error = refused(tmp_path, lambda _: Ending(files={"run_0/final_info.json": info}))
    assert "does not report the headline metric 'final_loss_mean'" in error.what
    assert error.todo.startswith("did you mean final_los_mean?")


def test_a_baseline_that_fails_is_followed_by_a_command_with_its_template(tmp_path: Path) -> None:
    error = refused(tmp_path, lambda _: Ending())
    name = rig.setup(tmp_path).template.argument
    assert f"`aisci template check {name} --run`" in error.todo
