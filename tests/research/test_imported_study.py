"""An imported study: taken as it came, never measured here, and worked on by our own stages afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.audits import audit
from orchestrator.api.export import FileExporter
from orchestrator.api.find_run import find_run
from orchestrator.api.importing import ImportRequest, import_results, prepare_import
from orchestrator.api.reproduce import replay
from orchestrator.api.resume_request import ResumeRequest, require_makeable
from orchestrator.api.slides import SlidesRequest, slides_of
from orchestrator.api.stage_request import StageCommand, StageRequest, resume_of
from orchestrator.audit.audit import audit_run
from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.model import Ask
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.research.importing.parts import ImportedParts
from orchestrator.research.pins import read_pins
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from tests.research.test_changes import Author, pinned, same_again
from tests.research.test_review import form
from tests.support import run_rig as rig
from tests.support.audit_rig import Forger, Line
from tests.support.places import ROOT
from tests.support.scientist_results import NAME, TEX, half_files, made_folder, whole_files

BETTER = (
    "A decay of 0.9 lowers the final loss, by \\by{Decay of 0.9}{baseline}{line}{final_loss}, and a decay of "
    "0.5 raises it. One task and one seed were measured, so that no other task is spoken of here."
)


def taken(
    folder: Path, files: dict[str, bytes] | None = None, author: Author | None = None
) -> PursuedIdea:
    """The study that is imported into ``folder/run`` on scripted edges."""
    theirs = made_folder(folder / "theirs", files)
    prepared = prepare_import(ImportRequest(folder=theirs, policy=rig.POLICY, results=folder))
    paths = RunPaths(folder / "run")
    paths.folder.mkdir()
    (outcome,) = research(prepared.setup, prepared.stored(paths), deps(author or Author()))
    return outcome


def deps(author: Author) -> RunDeps:
    return RunDeps(
        edges=rig.scripted_edges(author), exporter=FileExporter(), listener=lambda _: None
    )


def then(folder: Path, author: Author, stage: StageCommand) -> PursuedIdea:
    """A stage of the imported idea by itself, as its command asks for it."""
    (path,) = (path.parent for path in folder.glob("*/journal.jsonl"))
    resume = resume_of(StageRequest(stage=stage, idea=str(path)))
    place = replace(rig.place(folder, Mode.RESUME), asked=resume.asked, idea=resume.idea)
    (outcome,) = research(pinned(folder), place, deps(author))
    return outcome


def judging(*marks: int, wants_runs: bool = False) -> Author:
    """A reviewer who gives these marks, and an author who answers each point and writes the conclusion again,
    if it ``wants_runs`` only after it was told that there are none.
    """
    left = [*marks]

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "review.form":
            return form(Overall=left.pop(0))
        if ask.purpose == "review.reflect":
            return "DONE"
        if ask.purpose == "review.answered":
            return '```json\n{"settled": [1], "worse": "", "Overall": 6}\n```'
        if ask.purpose != "writeup.improve":
            return None
        if wants_runs and number == 1:
            run = {"name": "more", "tests": "t", "expects": "e", "refuted_by": "r"}
            rows = [{"point": 1, "kind": "experiment", "note": "made"}]
            return f"```json\n{json.dumps({'answers': rows, 'runs': [run]})}\n```"
        if wants_runs:
            assert "no more run can be made" in ask.messages[-1].content
        points = data_blocks("\n".join(one.content for one in ask.messages))["points"]
        rows = [{"point": one["point"], "kind": "change", "note": "said"} for one in points]
        answers = json.dumps({"answers": rows})
        return f"```json\n{answers}\n```\n\n%% SECTION conclusion\n\n{BETTER}"

    return Author(change)


def page(folder: Path) -> str:
    (path,) = (folder / "run").glob("*/report.html")
    return path.read_text()


def test_a_whole_folder_is_a_finished_study_that_nobody_was_asked_for(tmp_path: Path) -> None:
    author = Author()
    done = taken(tmp_path, author=author)
    assert (done.status, done.failure) == ("finished", None)
    assert not author.asked
    study = done.study
    assert [run.number for run in study.runs] == [0, 1, 2]
    assert study.claims
    assert study.unresolved == ()
    assert study.review is not None
    assert study.review.overall == 4
    (idea,) = (path.parent for path in (tmp_path / "run").glob("*/journal.jsonl"))
    tex = (idea / "latex" / "template.tex").read_text()
    assert "no person wrote or checked this text" in tex
    assert "aisci did not measure them" in tex
    assert "A Language Model" not in tex
    original = idea / "imported" / f"{NAME}.pdf"
    assert original.read_bytes() == whole_files()[f"{NAME}.pdf"]
    assert (idea / "imported" / "latex" / "template.tex").read_text() == TEX
    same_again(tmp_path / "run", tmp_path / "again")


def test_the_report_says_that_nothing_of_it_was_measured_here(tmp_path: Path) -> None:
    taken(tmp_path)
    text = page(tmp_path)
    assert "no container of this program measured them" in text
    assert "its results were not measured by this program" in text
    assert "results imported" in text
    assert "it can run code when it is opened" in text
    assert "the code of the baseline is not known" in text
    assert "0.0 s" not in text.partition("Model calls")[0].partition("description")[2][:2000]


def test_text_under_a_heading_that_no_paper_of_ours_has_is_held_to_the_results_too(
    tmp_path: Path,
) -> None:
    said = "No other schedule was tried."
    for at, (value, right) in enumerate((("0.31", True), ("0.11", False))):
        tex = TEX.replace(
            said, f"The run with a decay of 0.9 has a final loss of {value} on the line."
        )
        folder = tmp_path / str(at)
        folder.mkdir()
        done = taken(folder, whole_files() | {"latex/template.tex": tex.encode()})
        assert (done.study.unresolved == ()) is right
        assert any(one.where.startswith("ablation") for one in done.study.claims) is right
        if not right:
            assert done.study.unresolved[0].startswith("ablation of the schedule: ")


def test_a_number_that_no_result_carries_marks_the_paper_and_is_not_corrected(
    tmp_path: Path,
) -> None:
    wrong = TEX.replace("reaches 0.31.", "reaches 0.11.")
    author = Author()
    done = taken(tmp_path, whole_files() | {"latex/template.tex": wrong.encode()}, author)
    assert not author.asked
    assert any("0.11" in one for one in done.study.unresolved)
    assert done.failure is not None
    assert done.failure.stage == "verify"
    (idea,) = (path.parent for path in (tmp_path / "run").glob("*/journal.jsonl"))
    assert "Not verified." in (idea / "latex" / "template.tex").read_text()
    text = page(tmp_path)
    assert "Not verified: 1 statement of the paper is not carried by the record" in text
    assert "reaches 0.11" in text.partition('id="numbers"')[2].partition("</section>")[0]
    assert "each resolved to a result" not in text


def test_half_a_folder_stops_before_the_paper(tmp_path: Path) -> None:
    done = taken(tmp_path, half_files())
    assert (done.status, done.failure, done.after) == ("stopped", None, "notes")
    assert len(done.study.runs) == 2
    (path,) = (path.parent for path in (tmp_path / "run").glob("*/journal.jsonl"))
    with pytest.raises(UserError, match="no paper"):
        resume_of(StageRequest(stage="review", idea=str(path)))


@pytest.mark.parametrize(
    "files", [{}, {"run_1/final_info.json": b"{}"}, {"run_0/final_info.json": b"\x80pickle"}]
)
def test_a_folder_without_a_baseline_is_refused_before_anything_is_made(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    folder = made_folder(tmp_path, {"notes.txt": b"x", **files})
    with pytest.raises(BadFile, match="no results of a baseline"):
        prepare_import(ImportRequest(folder=folder, policy=rig.POLICY, results=tmp_path))


def reading(name: str) -> dict[str, bytes]:
    """The whole folder, with a paper whose results begin with a file that it reads in."""
    assert "\\section{Results}" in TEX
    tex = TEX.replace("\\section{Results}", f"\\section{{Results}}\n\\input{{{name}}}\n")
    return {**whole_files(), "latex/template.tex": tex.encode()}


def test_a_file_that_the_paper_reads_in_is_checked_with_it(tmp_path: Path) -> None:
    (tmp_path / "true").mkdir()
    (tmp_path / "false").mkdir()
    before = len(
        taken(
            tmp_path / "true", reading("more") | {"latex/more.tex": b"We say so."}
        ).study.unresolved
    )
    false = b"In run 1 the final loss is 0.77."
    study = taken(tmp_path / "false", reading("more") | {"latex/more.tex": false}).study
    assert len(study.unresolved) == before + 1
    assert any("0.77" in one for one in study.unresolved)


def test_a_file_that_the_paper_reads_in_and_the_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, reading("more"))
    prepared = prepare_import(ImportRequest(folder=folder, policy=rig.POLICY, results=tmp_path))
    assert prepared.read.left_out[0][0] == "more"
    assert "not held to the results" in prepared.read.left_out[0][1]
    assert prepared.setup.imported is not None
    assert prepared.setup.imported.left_out == prepared.read.left_out


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x", "..", "a/../../../x"])
def test_a_part_outside_of_an_imported_folder_is_not_looked_for(name: str) -> None:
    with pytest.raises(ValueError, match=r"leads out of the folder|no such file"):
        ImportedParts({"x.tex": b"0.5", "etc/passwd": b"x"})(name)


def test_the_page_names_a_source_that_was_left_out_once_and_with_its_reason(tmp_path: Path) -> None:
    files = {path: data for path, data in whole_files().items() if not path.endswith(".pdf")}
    taken(tmp_path, files | {"latex/template.tex": b"\xe9"})
    (idea,) = (path.parent for path in (tmp_path / "run").glob("*/journal.jsonl"))
    page = (idea / "report.html").read_text()
    assert "it is not UTF-8 text" in page
    assert page.count("latex/template.tex") == 1, "it is not also missing"


def test_a_baseline_that_is_a_link_is_named_where_the_folder_is_refused(tmp_path: Path) -> None:
    folder = made_folder(tmp_path)
    (folder / "run_0").rename(tmp_path / "away")
    (folder / "run_0").symlink_to(tmp_path / "away")
    with pytest.raises(BadFile, match="no results of a baseline") as caught:
        prepare_import(ImportRequest(folder=folder, policy=rig.POLICY, results=tmp_path))
    assert "run_0: a link is in its place" in caught.value.why


@pytest.mark.parametrize(
    "code", [b"(" * 50_000, b"\xff\xfe", b"x = " + b"-" * 50_000 + b"1", b"\0", b"def f(:\n"]
)
def test_code_of_any_kind_makes_a_template_and_is_never_run(tmp_path: Path, code: bytes) -> None:
    files = whole_files() | {"experiment.py": code, "run_1.py": code}
    done = taken(tmp_path, files)
    assert done.status == "finished"
    assert done.study.template.files["experiment.py"] == code


def test_an_imported_study_is_reviewed_improved_and_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    taken(tmp_path)
    reviewed = then(folder, judging(5), "review")
    assert reviewed.study.review is not None
    assert reviewed.study.review.overall == 5
    improved = then(folder, judging(6), "improve").study
    (one,) = improved.improvements
    assert (one.kept, [name for name, *_ in one.changes]) == ("improved", ["conclusion"])
    (idea,) = (path.parent for path in folder.glob("*/journal.jsonl"))
    tex = (idea / "latex" / "template.tex").read_text()
    assert "\\measured{" in tex, "a number by reference is printed from the imported results"
    assert "0.110" in tex
    written = then(folder, Author(), "writeup")
    assert written.status == "stopped"
    assert written.study.unresolved == ()
    assert (
        "The runs were planned and made by The AI Scientist."
        in page(tmp_path) + (idea / "latex" / "template.tex").read_text()
    )
    same_again(folder, tmp_path / "again")


def test_an_improvement_of_it_makes_no_run(tmp_path: Path) -> None:
    taken(tmp_path)
    done = then(tmp_path / "run", judging(6, wants_runs=True), "improve").study
    (one,) = done.improvements
    assert (one.kept, one.runs) == ("improved", ())
    assert [run.number for run in done.runs] == [0, 1, 2]


def test_its_experiments_are_not_made_again_here(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    taken(tmp_path)
    (path,) = (path.parent for path in folder.glob("*/journal.jsonl"))
    resume = resume_of(StageRequest(stage="experiment", idea=str(path)))
    with pytest.raises(UserError, match="cannot be made again"):
        require_makeable(resume, read_pins(RunPaths(folder)))
    require_makeable(ResumeRequest(run=str(folder)), read_pins(RunPaths(folder)))


def test_an_audit_notes_imported_runs_and_finds_one_that_the_folder_does_not_have(
    tmp_path: Path,
) -> None:
    taken(tmp_path)
    done = audit(str(tmp_path / "run"), tmp_path)
    noted = [one for one in done.audit.findings if one.check == "results"]
    assert [one.level for one in noted] == ["noted"]
    assert "3 runs were imported" in noted[0].what
    assert not [one for one in done.audit.findings if one.check in {"blobs", "files"}]
    forger = Forger(tmp_path / "run")

    def swap(lines: list[Line]) -> None:
        (note,) = (line for line in lines if line.get("name") == "imported")
        first, second = (note["body"]["inline"]["runs"][n]["files"]["files"][0] for n in (1, 2))
        first[1] = second[1]

    forger.change(forger.idea, swap)
    wrong = [one for one in audit_run(RunPaths(tmp_path / "run")).findings if one.level == "wrong"]
    assert any("run 1 claims 'run_1/final_info.json'" in one.what for one in wrong)


@pytest.mark.engine
def test_a_folder_is_imported_audited_replayed_reviewed_and_shown_on_slides(tmp_path: Path) -> None:
    theirs, results = made_folder(tmp_path / "theirs"), tmp_path / "results"
    command = [
        sys.executable,
        str(ROOT / "cli.py"),
        "import",
        str(theirs),
        "--results",
        str(results),
    ]
    run = subprocess.run(
        [*command, "--policy", rig.POLICY, "--json"], capture_output=True, check=True, text=True
    )
    (line,) = run.stdout.splitlines()
    said = json.loads(line)["imported"]
    assert (said["paper"], said["runs"], said["unresolved"]) == ("compiled", [0, 1, 2], 0)
    assert f"aisci review {said['idea']}" in said["next"]
    before = sorted(path.name for path in theirs.rglob("*"))
    review = [sys.executable, str(ROOT / "cli.py"), "review", said["idea"], "--quiet"]
    subprocess.run(review, check=True, capture_output=True)
    deck = slides_of(SlidesRequest(idea=said["idea"], results=results))
    assert deck.pdf.read_bytes().startswith(b"%PDF")
    assert find_run("latest", results).folder == Path(said["run"]), "the deck is no run"
    assert replay(said["run"], results).different == ()
    assert audit(said["run"], results).audit.wrong == 0
    assert sorted(path.name for path in theirs.rglob("*")) == before, "their folder is only read"


@pytest.mark.engine
def test_a_paper_that_lacks_a_style_is_read_from_its_own_pdf(tmp_path: Path) -> None:
    files = whole_files()
    del files["latex/smallworkshop.sty"], files["review.txt"], files["review_improved.txt"]
    done = import_results(
        ImportRequest(
            folder=made_folder(tmp_path / "t", files), policy=rig.POLICY, results=tmp_path
        )
    )
    assert (done.idea.status, done.compiled) == ("stopped", False)
    assert "smallworkshop.sty is not in the LaTeX container" in done.warnings[0]
    assert done.idea.paper is not None
    assert done.idea.paper.read_bytes() == files[f"{NAME}_improved.pdf"]
    reviewed = resume_of(StageRequest(stage="review", idea=str(done.idea.folder), results=tmp_path))
    assert reviewed.asked is not None
    assert reviewed.asked.until == "review"
