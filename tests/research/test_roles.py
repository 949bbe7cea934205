"""Another model for a role: who is asked what, what the record says, and what a replay needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.console.options import named_roles
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.effort import effort_for
from orchestrator.core.errors import Diverged, UserError
from orchestrator.core.model import (
    DEFAULT_ROLE,
    FALLBACK,
    ROLES,
    Ask,
    Message,
    ModelRequest,
    Reply,
    role_of,
)
from orchestrator.core.tree import Tree, canonical
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ModelPin
from orchestrator.record.ports import Edges
from orchestrator.research.pins import pins_of, read_pins, spec_of
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.research.sweep.planning import SWEEP_ANSWERS
from tests.support import run_rig as rig


class Named(SweepModel):
    """A sweep under another name, which keeps what it was asked."""

    def __init__(self, name: str) -> None:
        self.name, self.asked = name, set[str]()

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        self.asked.add(ask.purpose)
        return super().complete(ask, within)


def test_every_purpose_has_a_role() -> None:
    asked = {*SWEEP_ANSWERS, "ideas.reflect", "plots.look", "review.reflect", "instruments.edit"}
    roles = {purpose: role_of(purpose) for purpose in asked}
    assert DEFAULT_ROLE not in roles.values()
    assert set(roles.values()) == set(ROLES) - {FALLBACK}
    assert (roles["writeup.queries"], roles["writeup.setup"]) == ("citing", "writing")
    assert (roles["plots.look"], roles["plots.edit"]) == ("vision", "plotting")
    assert role_of("anything.else") == DEFAULT_ROLE


def test_each_role_asks_its_own_model_and_the_record_and_a_replay_say_so(tmp_path: Path) -> None:
    main, editor, reviewer = Named("builtin/sweep"), Named("test/editor"), Named("test/reviewer")
    folder = tmp_path / "run"
    pins = tuple(
        ModelPin(name=one.name, author=one.name, role=role)
        for role, one in (("editing", editor), ("reviewing", reviewer))
    )
    made = replace(rig.setup(tmp_path), roles=pins)

    def edges(blobs: BlobStore) -> Edges:
        usual = rig.scripted_edges(main)(blobs)
        return replace(usual, roles={"editing": editor, "reviewing": reviewer})

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(made, rig.place(folder, Mode.RECORD), tools)
    assert outcome.status == "finished", outcome.failure
    assert {role_of(purpose) for purpose in editor.asked} == {"editing"}
    assert {role_of(purpose) for purpose in reviewer.asked} == {"reviewing"}
    assert not {"editing", "reviewing"} & {role_of(purpose) for purpose in main.asked}
    assert outcome.study.review is not None
    assert outcome.study.review.reviewer == "test/reviewer"
    paths = RunPaths(folder)
    (own,) = folder.glob("*/journal.jsonl")
    journal = Journal(own, BlobStore(own.parent / "blobs", BlobStore(paths.blobs)), Mode.REPLAY)
    for step in steps(journal):
        if step.port == "model":
            named = {"editing": editor.name, "reviewing": reviewer.name}
            role = role_of(step.model_request.ask.purpose)
            assert step.model_request.model == named.get(role, main.name)
    recorded = read_pins(paths)
    assert recorded.model("editing").name == "test/editor"
    assert recorded.model("writing").name == "builtin/sweep"
    spec = spec_of(recorded, made.template)
    assert spec.roles == pins
    none = absent(spec.author, spec.authors)
    again = RunDeps(edges=lambda _: none, exporter=FileExporter(), listener=lambda _: None)
    research(spec, rig.place(folder, Mode.REPLAY, tmp_path / "again"), again)


def test_a_level_of_effort_is_pinned_asked_for_recorded_and_needed_by_a_replay(
    tmp_path: Path,
) -> None:
    folder, effort = tmp_path / "run", (("default", "medium"), ("reviewing", "high"))
    made = replace(rig.setup(tmp_path), effort=effort)
    tools = RunDeps(edges=rig.scripted_edges(Named("builtin/sweep")), exporter=FileExporter(),
                    listener=lambda _: None)  # fmt: skip
    (outcome,) = research(made, rig.place(folder, Mode.RECORD), tools)
    assert outcome.status == "finished", outcome.failure
    paths = RunPaths(folder)
    (own,) = folder.glob("*/journal.jsonl")
    journal = Journal(own, BlobStore(own.parent / "blobs", BlobStore(paths.blobs)), Mode.REPLAY)
    asks = [step.model_request.ask for step in steps(journal) if step.port == "model"]
    assert {ask.effort for ask in asks} == {"low", "medium", "high"}
    assert all(ask.effort == effort_for(ask.purpose, dict(effort)) for ask in asks)
    spec = spec_of(read_pins(paths), made.template)
    assert spec.effort == effort
    assert read_pins(paths).model_names == "builtin/sweep; effort medium,reviewing=high"
    none = absent(spec.author, spec.authors)
    again = RunDeps(edges=lambda _: none, exporter=FileExporter(), listener=lambda _: None)
    research(spec, rig.place(folder, Mode.REPLAY, tmp_path / "again"), again)
    with pytest.raises(Diverged):
        research(replace(spec, effort=()), rig.place(folder, Mode.REPLAY, tmp_path / "x"), again)


def test_without_a_level_requests_and_pins_are_the_bytes_that_they_were(tmp_path: Path) -> None:
    request = ModelRequest("m", Ask(purpose="p", messages=(Message("user", "?"),)))
    assert "effort" not in canonical(request).decode()
    pins = pins_of(rig.setup(tmp_path), Tree())
    assert "effort" not in canonical(pins).decode()


def test_only_the_role_that_sees_is_shown_pictures(tmp_path: Path) -> None:
    made = replace(
        rig.setup(tmp_path),
        sees=False,
        roles=(ModelPin(name="x", author="x", role="vision", sees=True),),
    )
    assert made.seeing == {"vision"}
    other = ModelPin(name="y", author="y", role="reviewing")
    assert replace(made, sees=True, roles=(other,)).seeing == {DEFAULT_ROLE, *ROLES} - {"reviewing"}


def test_roles_are_read_from_options_and_a_later_one_wins() -> None:
    given = named_roles(["writing=openai/a=b", "editing=x/y"], editing="x/z", reviewing=None)
    assert given == (("editing", "x/y"), ("writing", "openai/a=b"))
    with pytest.raises(UserError, match="not a role and a model"):
        named_roles(["writing"])
