"""Figures go back to their author until they are whole, legible and captioned; four attempts at most."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.sanitize import plain_line
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.research.looking.inspection import REPORT, SCRIPT
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.research.test_seen_figures import axis, figure, panel
from tests.support.paper_rig import png
from tests.support.plots_rig import Stage, program

CAPTION = "FIGURE: a.png — Loss against updates.\n"
FLAWED = figure(panel(x=axis("")))


def drawn(*names: str, **reports: Any) -> Ending:
    """A container that left these pictures, and says this of each."""
    said = [reports.get(name.removesuffix(".png"), figure()) | {"name": name} for name in names]
    files = dict.fromkeys(names, png(40, 30))
    return Ending(files=files | {REPORT: json.dumps({"figures": said}).encode()})


def stage(folder: Path, script: Callable[[str], Ending], *replies: str) -> Stage:
    """``script`` answers the source of each ``plot.py`` that is run."""
    blobs = BlobStore(folder / "blobs")

    def run(job: Job) -> Ending:
        assert job.argv == ("python", SCRIPT, "plot.py")
        assert set(job.harvest) == {"*.png", REPORT}
        return script(blobs.get(job.files.as_dict()["plot.py"]).decode().strip())

    return Stage(folder, ScriptedSandbox(blobs, run), blobs, *replies)


def test_the_caption_and_what_was_seen_go_with_the_figure(tmp_path: Path) -> None:
    one = stage(tmp_path, lambda _: drawn("a.png"), program("1") + CAPTION)
    study = one.draw()
    (picture,) = study.pictures
    assert (picture.name, picture.caption) == ("a.png", "Loss against updates.")
    assert "x 'updates' 0 to 10" in picture.description
    assert len(one.author.asked) == 1
    assert (one.noted.problems, one.noted.left_out) == ((), ())
    assert not [path for path in study.tree.paths() if path.startswith(".aisci")]


def test_a_flaw_goes_back_in_words_and_is_gone_when_corrected(tmp_path: Path) -> None:
    def run(source: str) -> Ending:
        return drawn("a.png", a=FLAWED if source == "1" else figure())

    one = stage(tmp_path, run, program("1") + CAPTION, program("2"))
    assert one.draw().pictures[0].caption == "Loss against updates."
    assert one.author.troubles == ["a.png: the panel has no label on its x axis"]
    assert '"seen": "6.0 × 3.0 inches' in one.author.asked[1]
    assert one.noted.problems == ()


def test_what_is_left_after_four_attempts_is_noted_and_the_figure_is_shown(tmp_path: Path) -> None:
    one = stage(
        tmp_path,
        lambda _: drawn("a.png", a=FLAWED),
        *(program(str(n)) + CAPTION for n in range(4)),
    )
    assert one.draw().figures == ("a.png",)
    assert len(one.author.asked) == 4
    assert one.noted.problems == ("a.png: the panel has no label on its x axis",)


def test_a_missing_caption_is_asked_for_once_and_then_made(tmp_path: Path) -> None:
    one = stage(tmp_path, lambda _: drawn("a.png"), program("1"), "No words.", CAPTION)
    assert one.draw().pictures[0].caption == "Loss against updates."
    assert len(one.author.asked) == 2
    assert "a.png has no caption" in one.author.troubles[0]
    given = stage(tmp_path / "given", lambda _: drawn("a.png"), program("1"), CAPTION)
    given.draw()
    assert len(given.author.asked) == 2


def test_a_figure_that_is_left_out_is_noted_with_its_reason(tmp_path: Path) -> None:
    reply = program("1") + CAPTION + "LEAVE OUT: b.png — It repeats the first."
    study = (one := stage(tmp_path, lambda _: drawn("a.png", "b.png"), reply)).draw()
    assert study.figures == ("a.png",)
    assert "b.png" not in study.tree.paths()
    assert one.noted.left_out == (("b.png", "It repeats the first."),)


def test_a_paper_keeps_its_figures_if_every_one_is_left_out(tmp_path: Path) -> None:
    one = stage(tmp_path, lambda _: drawn("a.png"), program("1") + "LEAVE OUT: a.png — Dull.")
    assert one.draw().figures == ("a.png",)
    assert "a paper shows at least one" in one.author.troubles[0]
    assert one.noted.left_out == ()


def test_the_best_drawing_counts_if_a_later_one_is_worse(tmp_path: Path) -> None:
    def run(source: str) -> Ending:
        return drawn("a.png", a=FLAWED) if source == "1" else Ending(exit_code=1, stderr="no ink")

    one = stage(tmp_path, run, program("1") + CAPTION, program("2"), program("3"), program("4"))
    study = one.draw()
    assert study.figures == ("a.png",)
    assert one.blobs.get(study.tree.as_dict()["plot.py"]).decode().strip() == "1"
    assert "no ink" in one.author.asked[2]


def test_words_that_cannot_be_read_are_a_flaw_and_no_failure(tmp_path: Path) -> None:
    foul = Ending(files={"a.png": png(40, 30), REPORT: b'{"figures": 1}'})
    one = stage(tmp_path, lambda _: foul, *(program(str(n)) + CAPTION for n in range(4)))
    assert one.draw().pictures[0].description == ""
    assert "could not be read" in one.author.troubles[0]


def test_figures_of_another_library_have_a_caption_and_no_description(tmp_path: Path) -> None:
    bare = Ending(files={"a.png": png(40, 30)})
    one = stage(tmp_path, lambda _: bare, program("1") + CAPTION)
    (picture,) = one.draw().pictures
    assert (plain_line(picture.caption), picture.description) == ("Loss against updates.", "")


def test_a_figure_is_drawn_without_a_gpu_which_serves_experiments(tmp_path: Path) -> None:
    blobs, seen = BlobStore(tmp_path / "blobs"), list[Job]()

    def run(job: Job) -> Ending:
        seen.append(job)
        return drawn("a.png")

    one = Stage(tmp_path, ScriptedSandbox(blobs, run), blobs, program("1") + CAPTION)
    under_gpus = replace(one.study(), policy=load_policy("default", shipped_root() / "policies"))
    one.study = lambda: under_gpus  # type: ignore[method-assign]  # the one change to its study
    one.draw()
    limits = under_gpus.policy.limits("experiment")
    assert (limits.gpus, limits.gpu_memory > 0) == (1, True)
    assert [job.limits for job in seen] == [replace(limits, gpus=0, gpu_memory=0)]
