"""A baseline that cannot be used is told with the limit or the key, and with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import BadTemplate
from orchestrator.core.job import Job
from orchestrator.literature.local import LocalLibrary
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
        return Edges(SweepModel(), rig.asking_editor(blobs), sandbox, LocalLibrary(()))

    tools = RunDeps(edges=over, exporter=FileExporter(), listener=lambda _: None)
    with pytest.raises(BadTemplate) as caught:
        research(rig.setup(folder), rig.place(folder / "run", Mode.RECORD), tools)
    return caught.value


def test_a_flood_of_output_names_the_limit_and_the_key_of_the_policy(tmp_path: Path) -> None:
    error = refused(tmp_path, lambda job: Ending(stdout="x" * (job.limits.logs + 1)))
    assert "log flood: it printed more than 4MiB, the policy's experiment.logs" in error.why
    assert "raise `logs`" in error.todo


def test_a_number_that_is_none_is_named_with_its_path_and_not_blamed_on_the_scale(
    tmp_path: Path,
) -> None:
    info = b'{"d": {"means": {"loss": 1.0}, "stderrs": {"loss": NaN}}}'
    error = refused(tmp_path, lambda _: Ending(files={"run_0/final_info.json": info}))
    first = error.why.splitlines()[0]
    assert first == (
        "final_info.json cannot be used: NaN is not a finite number, at d.stderrs.loss"
    )
    assert error.todo.startswith("write finite numbers under distinct names; omit failed values")


def test_results_that_are_missing_are_not_blamed_on_the_scale_either(tmp_path: Path) -> None:
    error = refused(tmp_path, lambda _: Ending())
    assert error.why.startswith("it did not write run_0/final_info.json")
    assert "--out_dir" in error.todo
