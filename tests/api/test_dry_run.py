"""`aisci run --dry-run`: all that is missing is found at once, and nothing is started, asked or written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api import dry_runs as subject
from orchestrator.api.dry_runs import preview_run
from orchestrator.api.sweepable import require_sweepable
from orchestrator.console.dry_run import show_dry_run
from orchestrator.core.errors import ImageMissing, UserError
from orchestrator.core.job import KINDS
from orchestrator.core.model import SWEEP
from orchestrator.template.template import from_files
from tests.support import run_rig as rig
from tests.support.kept_rig import keep_quick
from tests.support.places import ROOT

IMAGE = "sha256:image"
LONG = str(ROOT / "tests/data/policies/long.yaml")


class _Engine:
    def close(self) -> None:
        pass


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with no key, no data and no engine."""
    for kind in ("DATA", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    return tmp_path


def with_images(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """An engine on this machine that has every image but those of the ``missing`` kinds."""

    def resolve(policy, _engine, _template, kinds):  # type: ignore[no-untyped-def]
        if kinds[0] in missing:
            raise ImageMissing("an image is not built", where=kinds[0], todo="aisci images build")
        return ((policy.limits(kinds[0]).image, IMAGE),)

    monkeypatch.setattr(subject, "connect", _Engine)
    monkeypatch.setattr(subject, "resolve_images", resolve)


def test_a_run_that_can_start_lacks_nothing_and_leaves_no_folder(
    user: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_images(monkeypatch)
    keep_quick(rig.setup(user), user)
    request = replace(rig.wanted(user / "results"), leave_out="review", ideas=3)
    assert show_dry_run(request, as_json=False) == 0
    said = capsys.readouterr().out
    for words in (
        "3, proposed",
        "left out",
        "review, improve",
        "as kept since",
        "quick",
        "nothing is missing",
    ):
        assert words in said
    assert not (user / "results").exists()


def test_what_is_not_asked_for_and_costs_nothing_is_not_shown(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_images(monkeypatch)
    request = rig.wanted(user / "results")
    free = preview_run(request)
    assert (free.stages[-1], free.usd) == ("review", 0.0)
    improved = replace(request, reviewing=replace(request.reviewing, improve=1))
    assert preview_run(improved).stages[-1] == "improve"
    paid = preview_run(replace(request, model="openai/gpt-5", price="1,2"))
    assert paid.usd > 0


def test_everything_that_is_missing_is_told_at_once(user: Path) -> None:
    request = replace(
        rig.wanted(user), template="nanoGPT_lite", scale="full", policy=LONG, model="openai/gpt-4o"
    )
    found = preview_run(request)
    told = " ".join(f"{one.what} {one.why} {one.todo}" for one in found.lacks)
    assert len(found.lacks) == 3
    for words in ("OPENAI_API_KEY", "aisci data prepare", "No Docker engine answers"):
        assert words in told
    assert found.estimate.likely is not None


def test_each_image_that_is_missing_is_a_finding(
    user: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_images(monkeypatch, *KINDS[1:])
    assert show_dry_run(rig.wanted(user), as_json=True) == 1
    found = json.loads(capsys.readouterr().out)["dry_run"]
    assert [one["where"] for one in found["lacks"]] == list(KINDS[1:])
    assert dict(found["images"]).values()
    assert found["policy"] == "quick"
    assert found["baseline"] == "not known without the images"


def test_what_the_request_gets_wrong_is_an_error_as_in_a_run(user: Path) -> None:
    with pytest.raises(UserError):
        preview_run(replace(rig.wanted(user), scale="huge"))


def test_a_folder_of_results_that_takes_no_files_is_named(user: Path) -> None:
    (user / "file").write_text("")
    found = preview_run(rig.wanted(user / "file" / "results"))
    assert found.lacks[0].what == f"cannot write to {user / 'file' / 'results'}"
    with pytest.raises(UserError, match="cannot write to /proc/x"):
        preview_run(replace(rig.wanted(Path("/proc/x")), policy=None))


def test_what_names_no_gpus_is_an_error_as_in_a_run(user: Path) -> None:
    with pytest.raises(UserError, match="this says no GPUs"):
        preview_run(replace(rig.wanted(user), gpus="banana"))


def test_gpus_that_the_policy_does_not_give_are_missing(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_images(monkeypatch)
    found = preview_run(replace(rig.wanted(user), gpus="device=7"))
    assert ["--gpus 'device=7'" in one.where for one in found.lacks] == [True]


def test_whoever_cannot_be_told_of_the_end_is_found_before_a_run(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_images(monkeypatch)
    with pytest.raises(UserError, match="nobody can be told") as caught:
        show_dry_run(rig.wanted(user), as_json=False, notify="nothere-cmd --loud")
    assert "there is no command 'nothere-cmd'" in caught.value.why
    assert show_dry_run(rig.wanted(user), as_json=False, notify="true") == 0


def test_a_sweep_without_knob_and_seed_is_found_before_its_baseline(user: Path) -> None:
    setup = rig.setup(user)
    files = {**setup.template.files, "experiment.py": b"rate = 1\n"}
    text = setup.template.text("template.yaml")
    bare = text[: text.index("knobs:")] + text[text.index("data:") :]
    files["template.yaml"] = bare.encode()
    without = replace(setup, model=SWEEP, template=from_files(files, "quick", "./quick"))
    with pytest.raises(UserError, match="has nothing to study") as error:
        require_sweepable(without)
    assert "declare `knobs`" in error.value.todo
    seeded = {**files, "experiment.py": b"seed = 1\n"}
    for one in (
        setup,
        replace(without, model="openai/x"),
        replace(without, template=from_files(seeded, "quick", "./quick")),
    ):
        require_sweepable(one)
