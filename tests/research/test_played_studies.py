"""Studies that a language model carried out go through the present program, by real Aider, and replay.

The model's replies and what its jobs measured are kept; what the program computes from them is new.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.research.paper import references
from orchestrator.template.results import parse_final_info
from tests.research.test_changes import same_again
from tests.support import played
from tests.support.sample import some

STUDIES = (
    "averaged_weights",
    "floating_start",
    "grokking",
    "nanoGPT_lite",
    "operand_order",
    "seir",
)
MAY_BE_LEFT = {
    "verify.fix",
    "compile.fix",
    "writeup.fix",
}  # a correction is asked for only if something is wrong


@pytest.mark.program
@pytest.mark.sampled
@pytest.mark.parametrize("name", some(STUDIES, 1, "studies"))
def test_a_played_study_ends_as_it_did(name: str, tmp_path: Path) -> None:
    kept = played.load(name)
    model = played.Played(kept["replies"])
    outcome, folder = played.carry_out(kept, model, tmp_path)
    assert outcome.status == "finished", outcome.failure
    assert model.unasked <= MAY_BE_LEFT
    if wanted := kept.get("reviewing"):
        assert len(outcome.study.reviews) == wanted["reviews"]
        assert len(outcome.study.improvements) == wanted["improve"]
        assert outcome.failure is None, "every number has a source, after the improvement too"
    measured = {
        text
        for job in kept["jobs"].values()
        for path, text in job["files"].items()
        if path.endswith("/final_info.json")
    }
    assert len(outcome.study.runs) > 4
    if kept.get("found"):
        known = {one.paper.key for one in outcome.study.citations if one.paper.id}
        cited = set(references.cited("\n".join(text for _, text in outcome.study.sections)))
        assert len(cited & known) >= min(12, len(known)) > 8, (
            "its references come from what was found, and have ids"
        )
    assert {parse_final_info(text.encode()).metrics for text in measured} >= {
        results.metrics for _, results in outcome.study.results
    }
    same_again(folder, tmp_path / "again", model.name)
