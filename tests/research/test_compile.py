"""Compiling: real LaTeX in its real container, and LaTeX that attacks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.job import Attestation, Job, JobResult, Peaks, Verdict
from orchestrator.core.model import Ask
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.latex_report import CompileReport, read_report, texts_of_pages
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import compile as compiling
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.compile import (
    compile_paper,
    compile_problems,
)
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.verify import verify_numbers
from orchestrator.research.stages.writeup import write_sections
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.template.contract.files import sample_paper
from tests.support import paper_rig as rig
from tests.support.sandbox_rig import opened_sandbox

PAGE = r"""\documentclass{article}
\usepackage{graphicx}
\begin{document}
%s
\end{document}
"""


@dataclass
class Bench:
    """Real LaTeX under the shipped policy, and an author."""

    sandbox: DockerSandbox
    folder: Path
    model: SweepModel = field(default_factory=SweepModel)

    def ports(self, name: str) -> Ports:
        blobs = self.sandbox._blobs
        edges = Edges(self.model, rig.editor(blobs), self.sandbox, rig.TWO_PAPERS)
        return Ports(
            edges, Journal(self.folder / f"{name}.jsonl", blobs), blobs, JournalBudget(), name
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("latex")
    engine = connect()
    try:
        blobs = BlobStore(folder / "blobs")
        name = f"test-latex-{folder.parent.name[-6:]}"
        with opened_sandbox(
            engine, blobs, name, lambda image: resolve_image(engine, image)
        ) as sandbox:
            yield Bench(sandbox, folder)
    finally:
        engine.close()


def added(study: Study, ports: Ports, text: str) -> Study:
    """The study with a line more in its abstract, put together again."""
    rows = ((n, f"{t}\n{text}" if n == "abstract" else t) for n, t in study.sections)
    study = replace(study, sections=tuple(rows))
    return assembled(study, ports, study_ledger(study, ports, study.skeleton))


def compiled(
    bench: Bench, name: str, body: str, whole: str = PAGE
) -> tuple[CompileReport, JobResult]:
    """The container's report on one document."""
    ports = bench.ports(name)
    study = rig.with_source(rig.study(ports.blobs), ports, whole % body)
    result = ports.run(compiling._job(study, ports))
    return read_report(result, ports.blobs), result


@pytest.mark.engine
def test_the_sweeps_paper_compiles_verifies_and_has_all_that_a_paper_has(bench: Bench) -> None:
    ports = bench.ports("whole")
    study = write_sections(rig.study(ports.blobs), ports.within("writeup"))
    study = verify_numbers(compile_paper(study, ports.within("compile")), ports.within("verify"))
    assert study.paper is not None
    assert study.paper.hidden == (), "nothing in it is hidden from a reader"
    said = " ".join(study.paper.layer).split()
    assert len(" ".join(study.paper.pages).split()) > 0.98 * len(said)
    text = "\n".join(study.paper.pages)
    for part in ("Abstract", "Introduction", "Results", "References", "Table 1", "Figure 1"):
        assert part in text
    assert "builtin/sweep" in study.paper.pages[0]
    assert "??" not in text
    assert 2 <= len(study.paper.pages) <= 6
    files = study.paper.files.as_dict()
    assert ports.blobs.get(files[PAPER_PDF]).startswith(b"%PDF-")
    assert ports.blobs.get(files[f"{LATEX_OUTPUT}/page-1.png"]).startswith(b"\x89PNG")
    assert study.claims
    assert all(claim.source for claim in study.claims)


@pytest.mark.engine
def test_a_paper_whose_numbers_stay_open_compiles_with_the_list_on_its_first_page(
    bench: Bench,
) -> None:
    ports = bench.ports("open")
    study = write_sections(rig.study(ports.blobs), ports.within("writeup"))
    study = added(study, ports, "It rises by 43.21\\% \\& more.")
    study = compile_paper(study, ports.within("compile"))
    study = verify_numbers(study, ports.within("verify"))
    assert study.unresolved
    assert study.paper is not None
    first_page = " ".join(study.paper.pages[0].split())
    assert "Not verified." in first_page
    assert "43.21" in first_page.partition("Not verified.")[2].partition("Abstract")[0]


@pytest.mark.engine
def test_an_error_goes_back_to_the_author_and_its_correction_is_taken(bench: Bench) -> None:
    asked: list[str] = []

    def change(ask: Ask, text: str) -> str:
        if ask.purpose != "compile.fix":
            return text
        asked.append(ask.messages[-1].content)
        rows = [{"section": "abstract", "old": "\\brokencommand", "new": ""}]
        return f"```json\n{json.dumps({'corrections': rows})}\n```"

    mending = Bench(bench.sandbox, bench.folder, rig.Writer(change))
    ports = mending.ports("mend")
    study = write_sections(rig.study(ports.blobs), ports.within("writeup"))
    study = compile_paper(added(study, ports, "\\brokencommand"), ports.within("compile"))
    assert study.paper is not None
    assert len(asked) == 1
    assert "Undefined control sequence" in asked[0]
    assert "of the source: \\brokencommand" in asked[0]


@pytest.mark.engine
def test_a_paper_that_is_never_mended_ends_the_idea_with_the_log(bench: Bench) -> None:
    ports = bench.ports("never")
    study = write_sections(rig.study(ports.blobs), ports.within("writeup"))
    study = added(study, ports, "\\nonsense")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_FIXES", 0)
        with pytest.raises(IdeaFailed) as caught:
            compile_paper(study, ports.within("compile"))
    assert r"\nonsense" in caught.value.why


@pytest.mark.engine
def test_undefined_references_and_wide_lines_are_told_from_small_ones(bench: Bench) -> None:
    body = r"See \ref{nowhere}. \noindent\rule{1.2\linewidth}{1pt} \cite{ghost}"
    report, _ = compiled(bench, "gate", body)
    assert {"nowhere", "ghost"} <= set(report.undefined)
    assert max(points for points, _ in report.overfull) > 20


@pytest.mark.engine
def test_names_are_undefined_only_after_a_pass_that_ended(bench: Bench) -> None:
    """With the one error mended there would be none of them."""
    body = r"\section{A}\label{a} See \ref{a}, \ref{b}. \nonsense \section{B}\label{b}"
    report, _ = compiled(bench, "broken", body)
    assert report.undefined == ()
    assert [error for error in report.errors if "line 4: Undefined control sequence." in error]
    assert len(report.errors) == 1
    mended, _ = compiled(bench, "mended", body.replace(r"\nonsense", ""))
    assert (mended.ok, mended.undefined) == (True, ())


@pytest.mark.engine
@pytest.mark.parametrize(
    ("body", "whole", "name"),
    [
        ("x", PAGE.replace("graphicx", "graphicx,nosuchpackage"), "nosuchpackage.sty"),
        ("x", PAGE.replace("{article}", "{nosuchclass}"), "nosuchclass.cls"),
        (r"\input{gone.tex}", PAGE, "gone.tex"),
    ],
)
def test_a_file_that_is_not_there_is_the_one_error_and_is_told_by_its_name(
    bench: Bench, body: str, whole: str, name: str
) -> None:
    report, _ = compiled(bench, f"missing-{name}", body, whole)
    assert [error for error in report.errors if f"File `{name}' not found" in error]
    assert len(report.errors) == 1


@pytest.mark.engine
def test_what_is_too_tall_for_its_page_is_reported_with_its_place(bench: Bench) -> None:
    body = (
        "\\begin{table}[!ht]\n\\vbox to 900pt{\\vfil x}\n\\end{table}\ny\\newpage\n"
        "\\vbox to 800pt{x}"
    )
    report, _ = compiled(bench, "tall", body)
    assert report.ok
    places = {place: points for points, place in report.tall}
    assert places["in a figure or table, input line 6"] > 300
    assert places["on page 2"] > 200


@pytest.mark.engine
def test_in_our_look_no_float_passes_the_references_and_no_page_holds_nothing_else(
    bench: Bench,
) -> None:
    ports = bench.ports("look")
    study = rig.study(ports.blobs)
    wide = (
        "\\begin{figure*}[!ht]\\includegraphics[width=\\linewidth]{val_curves.png}"
        "\\caption{Late.}\\end{figure*}\n"
    )
    tex = sample_paper(paper_source(study, ports).replace("APPENDIX HERE", ""))
    tex = tex.replace("The conclusion", f"{wide}{wide}\\citet{{power2022grokking}} The conclusion")
    result = ports.run(compiling._job(rig.with_source(study, ports, tex), ports))
    report = read_report(result, ports.blobs)
    assert (report.ok, report.undefined, report.overfull, report.tall) == (True, (), (), ())
    pages = texts_of_pages(result, ports.blobs)
    assert len(pages) == 2
    assert "The conclusion stands here." in pages[0]
    assert pages[1].count("Late.") == 2
    assert pages[1].rindex("Late.") < pages[1].index("References")


ATTACKS = {
    "read": r"\newread\f \openin\f=/etc/passwd \ifeof\f CLOSED\else OPEN\fi"
    r" \openin\f=../latex/template.tex \ifeof\f CLOSED\else OPEN\fi"
    r" \immediate\write18{cp /etc/passwd ../latex/out/} \immediate\write18{id > shell.txt} done",
    "input": r"\input{/etc/passwd}",
    "openout": r"\newwrite\f \immediate\openout\f=../latex/out/report.json \immediate\write\f{x} x",
    "dotfile": r"\newwrite\f \immediate\openout\f=.latexmkrc \immediate\write\f{x} x",
    "lua": r"\directlua{os.execute('id')}",
}


@pytest.mark.engine
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_latex_that_reaches_out_of_its_folder_gets_nothing(bench: Bench, name: str) -> None:
    report, result = compiled(bench, f"attack-{name}", ATTACKS[name])
    text = json.dumps(report.model_dump()) + result.stdout
    assert "root:x:0" not in text
    if name in {"input", "openout", "dotfile", "lua"}:
        assert report.errors
    else:
        assert report.ok
    if f"{LATEX_OUTPUT}/pages.json" in result.files.as_dict():
        pages = bench.sandbox._blobs.get(
            result.files.as_dict()[f"{LATEX_OUTPUT}/pages.json"]
        ).decode()
        assert "OPEN" not in pages
        assert "root:x:0" not in pages
    assert {path.split("/")[-1] for path in result.files.paths()} <= {
        "report.json",
        "paper.pdf",
        "pages.json",
        "seen.json",
        "page-1.png",
    }


@pytest.mark.engine
def test_a_document_that_never_ends_is_ended(bench: Bench) -> None:
    """Under a short wall clock the host ends it; the report says so instead of hanging."""
    ports = bench.ports("loop")
    study = rig.with_source(rig.study(ports.blobs), ports, PAGE % r"\def\x{\x}\x")
    job = compiling._job(study, ports)
    job = replace(job, limits=replace(job.limits, wall=6.0, grace=1.0))
    result = ports.run(job)
    assert result.verdict is Verdict.TIMED_OUT
    report = read_report(result, ports.blobs)
    assert not report.ok
    assert "timed out" in report.errors[0]


@pytest.mark.engine
def test_a_page_bomb_is_an_error_and_no_flood(bench: Bench) -> None:
    body = r"\newcount\n \loop x\newpage \advance\n 1 \ifnum\n<500 \repeat"
    report, result = compiled(bench, "pages", body)
    assert not report.ok
    assert any("pages, over" in error for error in report.errors)
    assert not any(path.endswith(".png") for path in result.files.paths())


@pytest.mark.engine
def test_a_huge_page_becomes_a_small_picture(bench: Bench) -> None:
    whole = r"\documentclass{article}\pdfpagewidth=16000pt\pdfpageheight=16000pt\begin{document}%s\end{document}"
    report, result = compiled(bench, "huge", "x", whole)
    assert report.ok
    picture = bench.sandbox._blobs.get(result.files.as_dict()[f"{LATEX_OUTPUT}/page-1.png"])
    assert max(int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) <= 1601


# --- the host's side, with no engine ----------------------------------------------------------


def answer(verdict: Verdict, files: Tree) -> JobResult:
    attestation = Attestation(
        container="c",
        image="i",
        policy="p",
        engine="e",
        kernel="k",
        runtime="runc",
        storage="s",
        asked=(),
        inspected=(),
        seen=(),
        hit=(),
        peaks=Peaks(),
        verdict=verdict,
        exit_code=0,
    )
    return JobResult(stdout="", stderr="", files=files, attestation=attestation)


GOOD = (
    b'{"ok": true, "errors": [], "warnings": [], "undefined": [], "chktex": [], "overfull": [], '
    b'"pages": 1, "log_tail": ""}'
)


def test_a_good_report_is_read(tmp_path: Path) -> None:
    ports = rig.ports(tmp_path)
    files = Tree.of({f"{LATEX_OUTPUT}/report.json": ports.blobs.put(GOOD)})
    assert read_report(answer(Verdict.FINISHED, files), ports.blobs).ok


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{" * 100_000,
        b'{"ok": true}',
        b'{"ok": true, "extra": 1}',
        b"x" * 600_000,
        b"\xff\xfe",
        GOOD.replace(b'"overfull": []', b'"overfull": [[NaN, "a line of any width"]]'),
        GOOD.replace(b'"pages": 1', b'"pages": 1e999'),
        GOOD.replace(b'"ok"', b'"ok": false, "ok"'),
    ],
)
def test_a_report_that_is_not_one_is_an_error_and_never_a_paper(
    tmp_path: Path, data: bytes
) -> None:
    ports = rig.ports(tmp_path)
    files = Tree.of({f"{LATEX_OUTPUT}/report.json": ports.blobs.put(data)})
    report = read_report(answer(Verdict.FINISHED, files), ports.blobs)
    assert not report.ok
    assert report.errors


def good() -> CompileReport:
    return CompileReport(
        ok=True, errors=(), warnings=(), undefined=(), chktex=(), overfull=(), pages=1, log_tail=""
    )


def test_question_marks_missing_pages_and_wide_lines_keep_a_paper_back(tmp_path: Path) -> None:
    ports = rig.ports(tmp_path)
    study: Study = replace(rig.study(ports.blobs), pictures=())
    tex = ports.text(study.tree.as_dict()[TEX])
    assert compile_problems(good(), ("fine",), study, tex) == []
    assert "??" in compile_problems(good(), ("see ??",), study, tex)[0]
    assert compile_problems(good(), (), study, tex)
    wide = good().model_copy(update={"overfull": ((20.5, "at lines 3--4"),)})
    assert "20.5 pt" in compile_problems(wide, ("fine",), study, tex)[0]
    small = good().model_copy(update={"overfull": ((19.9, ""),)})
    assert compile_problems(small, ("fine",), study, tex) == []
    tall = good().model_copy(update={"tall": ((90.0, "on page 3"),)})
    assert "90 pt" in compile_problems(tall, ("fine",), study, tex)[0]
    bare = tex.replace("BACKGROUND HERE", "It rises by 12.8% on **both**.")
    problems = compile_problems(good(), ("fine",), study, bare)
    assert ["write \\%" in problems[0], len(problems)] == [True, 1]


def test_only_latex_and_figures_enter_the_container(tmp_path: Path) -> None:
    ports = rig.ports(tmp_path)
    study = rig.study(ports.blobs)
    job: Job = compiling._job(study, ports)
    assert set(job.files.paths()) == {TEX, "latex/aisci.sty", *study.figures}
    assert job.kind == "latex"


@pytest.mark.engine
def test_a_number_by_reference_stands_in_a_caption(bench: Bench) -> None:
    ports = bench.ports("caption")
    study = write_sections(rig.study(ports.blobs), ports.within("writeup"))
    (first, *_) = study.runs
    dataset, metric = next((d, m) for run, d, m in study_ledger(study, ports).cells if run == 0)
    number = rf"\val{{{first.name}}}{{{dataset}}}{{{metric}}}"
    figure = rf"\begin{{figure}}[h]\centering X\caption{{It is {number} at \setting{{weight_decay}}.}}\end{{figure}}"
    study = compile_paper(added(study, ports, figure), ports.within("compile"))
    assert study.paper is not None
    assert "It is " in " ".join(" ".join(study.paper.pages).split())


def test_what_chktex_says_of_the_programs_tables_and_appendix_is_no_advice() -> None:
    lines = ["a", "\\begin{table*}", "b", "\\end{table*}", "c", "\\appendix", "d"]
    report = CompileReport(
        ok=True, errors=(), warnings=(), undefined=(), overfull=(), pages=1, log_tail="",
        chktex=tuple(f"{at}: Warning {at}" for at in range(1, 8)),
    )  # fmt: skip
    found = compiling._advice(report, "\n".join(lines) + "\n")
    assert found == ["chktex: line 1: Warning 1", "chktex: line 5: Warning 5"]
