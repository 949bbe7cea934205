"""Studies that a language model carried out go through the present program, by real Aider, and replay.

The model's replies and what its jobs measured are kept; what the program computes from them is new.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.files import shipped_root
from orchestrator.core.protocols import Literature
from orchestrator.editor.aider import ProcessEditor
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.ports import Edges
from orchestrator.research.paper import references
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.sandbox.scripted import ScriptedSandbox
from orchestrator.template.results import parse_final_info
from orchestrator.template.template import from_files
from tests.research.test_changes import same_again
from tests.support import played
from tests.support import run_rig as rig

WORKER = shipped_root() / "sandbox/editor/worker.py"
MAY_BE_LEFT = {
    "verify.fix",
    "compile.fix",
    "writeup.fix",
}  # a correction is asked for only if something is wrong


@pytest.mark.program
@pytest.mark.parametrize("name", ["grokking", "nanoGPT_lite", "operand_order", "seir"])
def test_a_played_study_ends_as_it_did(name: str, tmp_path: Path) -> None:
    kept = played.load(name)
    sources = {path: text.encode() for path, text in kept["template"]["files"].items()}
    template = from_files(sources, kept["template"]["name"], "kept")
    model = played.Played(kept["replies"])
    spec = replace(
        rig.setup(tmp_path),
        template=template,
        scale=kept["scale"],
        model=model.name,
        author=model.name,
        sees=kept["sees"],
    )
    listed = LocalLibrary.from_bytes(template.files["library.json"], "library.json")
    library: Literature = Sources([("template", listed)])
    if kept.get("found"):
        library = played.KeptLiterature(kept["found"])

    def edges(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, played.jobs_of(kept, blobs))
        editor = played.KeptEditor(ProcessEditor(blobs, WORKER), kept, blobs)
        return Edges(model, editor, sandbox, library)

    folder = tmp_path / "run"
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(spec, rig.place(folder, Mode.RECORD), tools)
    assert outcome.status == "finished", outcome.failure
    assert model.unasked <= MAY_BE_LEFT
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
        assert len(cited & known) >= 15, "its references come from what was found, and have ids"
    assert {parse_final_info(text.encode()).metrics for text in measured} >= {
        results.metrics for _, results in outcome.study.results
    }
    same_again(folder, tmp_path / "again", model.name)
