"""What requests tell of a study: each thing once, under one name, and nothing that no record carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.core.research import PlannedRun, PlanOutcome
from orchestrator.record.ports import Ports
from orchestrator.research.claims.build import build_ledger
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import metrics_block, study_block
from orchestrator.research.stages.paper_facts import descriptions, measured_facts, subject_facts
from orchestrator.research.stages.study_ledger import run_measurements
from orchestrator.template.results import Dataset, Results
from tests.support import paper_rig as rig


def study_and_ledger(folder: Path, added: str = "") -> tuple[Study, Ledger, Ports]:
    """A study of a baseline and two runs; the last measures a metric more, if it is named."""
    here = rig.ports(folder)
    study = rig.study(here.blobs)
    if added:
        *before, (number, last) = study.results
        data = {
            name: Dataset({**one.means, added: 0.5}, one.stderrs)
            for name, one in last.datasets.items()
        }
        study = replace(study, results=(*before, (number, Results(data))))
    records = run_measurements(study.runs, dict(study.results), here.blobs)
    manifest = study.template.manifest
    ledger = build_ledger(records, study.metrics, study.headline, study.scale, manifest)
    return study, ledger, here


def outcome(number: int, tests: str) -> PlanOutcome:
    planned = PlannedRun(
        name=f"r{number}", base="baseline", tests=tests, expects="e", refuted_by="r"
    )
    return PlanOutcome(number=number, planned=planned, finding="unclear", why="w")


def test_a_data_set_without_chance_has_no_seeds_to_add(tmp_path: Path) -> None:
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    manifest = study.template.manifest
    seeds = {"exact one": (0,), "x_plus_y": (1, 2)}
    scale = manifest.scales["smoke"].model_copy(update={"seeds": seeds})
    named = manifest.model_copy(update={"scales": {"smoke": scale}, "exact": ("exact one",)})
    told = data_blocks(
        study_block(replace(study, template=replace(study.template, manifest=named)))
    )
    assert told["study"]["scale"]["seeds"] == {"x_plus_y": [1, 2]}
    assert told["study"]["scale"]["without_chance"] == ["exact one"]
    assert "without_chance" not in data_blocks(study_block(study))["study"]["scale"]


def test_metrics_have_the_same_words_for_whoever_plans_and_writes(tmp_path: Path) -> None:
    study = rig.study(rig.ports(tmp_path).blobs)
    planning, writing = data_blocks(metrics_block(study)), data_blocks(subject_facts(study))
    assert planning["metrics"] == writing["metrics"]
    assert set(planning["metrics"]["final_val_loss_mean"]) == {
        "direction", "unit", "description", "headline",
    }  # fmt: skip


def test_the_text_of_an_idea_is_a_proposal_once_runs_were_planned(tmp_path: Path) -> None:
    study = rig.study(rig.ports(tmp_path).blobs)
    assert "experiment" in data_blocks(subject_facts(study))["idea"]
    planned = replace(study, outcomes=(outcome(1, "t"),))
    assert {*data_blocks(subject_facts(planned))["idea"]} == {
        "name", "title", "proposed_before_the_plan",
    }  # fmt: skip


def test_what_a_run_tests_is_told_once(tmp_path: Path) -> None:
    study, ledger, here = study_and_ledger(tmp_path)
    same = outcome(1, study.runs[1].description), outcome(2, "something else")
    told = data_blocks(measured_facts(replace(study, outcomes=same), ledger, here.blobs))
    assert [row["tests"] for row in told["plan"]] == ["as its description", "something else"]
    assert told["runs"][1]["description"] == study.runs[1].description


def test_a_metric_of_which_nothing_is_known_is_named_with_the_run_that_brought_it(
    tmp_path: Path,
) -> None:
    study, ledger, here = study_and_ledger(tmp_path / "a", "cost_gain")
    told = data_blocks(measured_facts(study, ledger, here.blobs))
    assert told["metrics_without_unit"] == {"cost_gain": "added by r2, whose code says what it is"}
    study, ledger, here = study_and_ledger(tmp_path / "b")
    assert "metrics_without_unit" not in data_blocks(measured_facts(study, ledger, here.blobs))


def test_a_ready_phrase_names_metric_data_set_and_side(tmp_path: Path) -> None:
    study, ledger, here = study_and_ledger(tmp_path)
    said = data_blocks(measured_facts(study, ledger, here.blobs))["comparisons"]["say"]
    assert 0 < len(said) <= 6
    assert any(
        one.startswith("r2 has a higher final validation loss on x_minus_y than baseline by \\by{")
        for one in said
    )


def test_where_nothing_was_described_no_heading_says_so() -> None:
    assert descriptions("Description of run 1: (to be described)\n") == ""
    told = descriptions("Description of run 1: It is lower.\nDescription of a.png: It falls.\n")
    assert told.startswith("What the author of the runs and figures said of each:")
    assert data_blocks(told)["descriptions"] == {"run 1": "It is lower.", "a.png": "It falls."}
