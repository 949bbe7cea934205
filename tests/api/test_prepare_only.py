"""`aisci run --prepare-only`: everything before the first question, in order, and no run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api import images
from orchestrator.api import making_ready as subject
from orchestrator.api.baselines import BaselineOutcome
from orchestrator.console.options import View
from orchestrator.console.preparing import make_ready
from orchestrator.core.errors import ControlUnavailable, ImageMissing, ImageStale, MissingKey
from orchestrator.sandbox.images.images import ImageState
from tests.support import run_rig as rig
from tests.support.kept_rig import keep_quick

QUIET = View(quiet=True, as_json=True)


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps in the order in which they were made; what needs an engine only says so."""
    done: list[str] = []
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(subject, "connect", lambda: done.append("engine"))

    def built(policy: Any, *_: Any) -> Any:
        done.append("images")
        return ((policy.limits("experiment").image, "sha256:image"),), True

    def measured(template: Any, policy: Any, **given: Any) -> BaselineOutcome:
        done.append(f"baseline within US$ {policy.run.usd:g}, again: {given['again']}")
        kept = keep_quick(rig.setup(tmp_path), tmp_path)
        return BaselineOutcome(template=template, kept=kept, results=Any, new=True)  # type: ignore[arg-type]

    monkeypatch.setattr(subject, "built_images", built)
    monkeypatch.setattr(subject, "_rehearse", lambda *_: done.append("containers"))
    monkeypatch.setattr(subject, "kept_or_measured", measured)
    return done


def test_images_containers_and_baseline_are_made_ready_and_no_run_is_begun(
    steps: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = replace(rig.wanted(tmp_path / "results"), max_usd=2.0)
    assert make_ready(request, QUIET) == 0
    assert steps == ["engine", "images", "containers", "baseline within US$ 2, again: False"]
    ready = json.loads(capsys.readouterr().out)["ready"]
    assert ready["built"] is True
    assert ready["models"] == []
    assert not (tmp_path / "results").exists()


def test_a_model_is_explained_and_not_asked(
    steps: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    request = rig.wanted(tmp_path, model="openai/gpt-4o")
    assert make_ready(request, View(quiet=False, as_json=False)) == 0
    said = capsys.readouterr().out
    assert "openai/gpt-4o: key present" in said
    assert "it was not asked" in said
    assert "sk-test" not in said
    assert steps


def test_a_request_that_is_wrong_makes_nothing(
    steps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    with pytest.raises(MissingKey):
        make_ready(rig.wanted(tmp_path, model="openai/gpt-4o"), QUIET)
    assert steps == []


def test_what_this_machine_cannot_hold_ends_it_before_the_baseline(
    steps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ControlUnavailable("no quota", where="experiment.storage", todo="loop devices")

    monkeypatch.setattr(subject, "_rehearse", refuse)
    with pytest.raises(ControlUnavailable):
        make_ready(rig.wanted(tmp_path), QUIET)
    assert steps == ["engine", "images"]


def test_only_missing_images_of_ours_are_built_and_what_cannot_be_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, states = rig.setup(tmp_path), ["missing", "ready"]
    built: list[str] = []

    def resolve(*_: Any) -> Any:
        if (state := states.pop(0)) == "missing":
            raise ImageMissing("an image is not built", where="x", todo="build it")
        if state == "old":
            raise ImageStale("too old", where="x", todo="build it fresh")
        return (("aisci-sandbox", "sha256:1"),)

    names = ("aisci-sandbox:cpu", "aisci-sandbox:cuda", "aisci-latex:latest", "aisci-editor:latest",
             "aisci-storage:latest")  # fmt: skip
    every = [ImageState(name=name, about="", state="missing", recipe="") for name in names]
    monkeypatch.setattr(images, "resolve_images", resolve)
    monkeypatch.setattr(images, "list_images", lambda _: every)
    monkeypatch.setattr(images, "build_images", lambda _engine, ours, **_: built.extend(ours))
    monkeypatch.setattr(images, "build_derived", lambda *_, **__: None)

    def made() -> Any:
        return images.built_images(setup.policy, None, setup.template, print)  # type: ignore[arg-type]

    assert made() == ((("aisci-sandbox", "sha256:1"),), True)
    assert "aisci-sandbox:cuda" not in built
    assert {"aisci-sandbox:cpu", "aisci-storage:latest"} <= set(built)
    states[:] = ["ready"]
    assert made()[1] is False
    states[:] = ["old", "old"]
    with pytest.raises(ImageStale):
        made()
