"""`aisci run` notes what its images hold as it begins, and again where a branch may have others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.api import ResumeRequest, image_contents, runs
from orchestrator.api.sbom import bill_of_run
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import read_lines
from orchestrator.record.events import Forked, RunStarted
from orchestrator.record.pins import ImageContents
from orchestrator.record.ports import Edges
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.engine.client import Engine, NotFound
from orchestrator.sandbox.images.build import BASE_LABEL
from tests.exchange.test_image_contents import told
from tests.support import run_rig as rig
from tests.support.audit_rig import IMAGES


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, str], ...]]:
    """The images whose contents were asked for, by runs on scripted edges."""
    found: list[tuple[tuple[str, str], ...]] = []

    @contextmanager
    def edges(*_: object, **__: object) -> Iterator[Callable[[BlobStore], Edges]]:
        yield rig.scripted_edges(SweepModel())

    def contents(
        images: tuple[tuple[str, str], ...], _engine: object, blobs: BlobStore, _listener: object
    ) -> tuple[ImageContents, ...]:
        found.append(images)
        return told(images, blobs)

    monkeypatch.setattr(runs, "connect", lambda: None)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: IMAGES)
    monkeypatch.setattr(runs, "same_images", lambda *_: None)
    monkeypatch.setattr(runs, "kept_for", lambda *_: None)
    monkeypatch.setattr(runs, "rehearse", lambda *_: None)
    monkeypatch.setattr(runs, "fits", lambda *_: None)
    monkeypatch.setattr(runs, "real_edges", edges)
    monkeypatch.setattr(runs, "record_contents", contents)
    return found


def test_a_runs_first_line_has_its_images_contents_and_a_resume_reads_them_no_more(
    tmp_path: Path, asked: list[tuple[tuple[str, str], ...]]
) -> None:
    done = runs.run(rig.wanted(tmp_path))
    assert asked == [IMAGES]
    (first,) = [
        one for one, _ in read_lines(done.folder / "journal.jsonl") if isinstance(one, RunStarted)
    ]
    assert [(one.name, one.id) for one in first.contents] == list(IMAGES)
    runs.resume(ResumeRequest(run=str(done.folder), results=tmp_path))
    assert asked == [IMAGES]
    bill = bill_of_run(str(done.folder), tmp_path)
    assert [one["name"] for one in bill["components"]] == [name for name, _ in IMAGES]


def test_a_branch_says_what_its_own_images_hold(
    tmp_path: Path,
    asked: list[tuple[tuple[str, str], ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = runs.run(rig.wanted(tmp_path))
    others = tuple((name, f"sha256:{'ef' * 32}") for name, _ in IMAGES[:1]) + IMAGES[1:]
    monkeypatch.setattr(runs, "resolve_images", lambda *_: others)
    runs.resume(ResumeRequest(run=str(done.folder), results=tmp_path, fork=True))
    assert asked == [IMAGES, others]
    (fork,) = [
        one for one, _ in read_lines(done.folder / "journal.jsonl") if isinstance(one, Forked)
    ]
    assert tuple((one.name, one.id) for one in fork.contents) == others
    assert replace(fork, contents=()).pins.images == others
    assert len(bill_of_run(str(done.folder), tmp_path)["components"]) == len(IMAGES) + 1


@pytest.mark.parametrize(
    ("own", "base", "wanted"),
    [
        (["corp:5000/ml@sha256:1"], ["debian@sha256:2"], ("debian@sha256:2",)),
        (["corp:5000/ml@sha256:1"], [], ("corp:5000/ml@sha256:1",)),
        ([], None, ()),
    ],
)
def test_an_image_has_the_names_of_the_lowest_one_that_a_registry_has(
    own: list[str], base: list[str] | None, wanted: tuple[str, ...]
) -> None:
    """``base`` None: the engine has it no more."""

    def get(image_id: str) -> SimpleNamespace:
        if image_id == "base":
            if base is None:
                raise NotFound("no such image")
            return SimpleNamespace(labels={}, attrs={"RepoDigests": base})
        return SimpleNamespace(labels={BASE_LABEL: "base"}, attrs={"RepoDigests": own})

    engine = cast("Engine", SimpleNamespace(images=SimpleNamespace(get=get)))
    assert image_contents._origin(engine, "mine") == ("base", wanted)
