"""Compile: LaTeX in its container, with corrections by the author until the paper is valid.

Required: no TeX error, no undefined reference or citation, no ``??`` on a page, nothing that is more
than 20 pt too wide or too high, no Markdown and no bare ``%`` in a sentence. The findings of chktex
are passed to the author once, as advice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import replace

from orchestrator.core.errors import IdeaFailed, StageLeft
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import SWEEP
from orchestrator.core.papers import Paper
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, latex_words
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.latex_report import CompileReport, read_report, texts_of_pages
from orchestrator.research.paper.seen import SEEN_FILE, SeenAnswer, seen_answer
from orchestrator.research.prompts import render, text_block
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.correcting import correct_passages
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.tries import leave, made_before, tries

_FIXES = 5
_TABLES = ("table", "table*", "longtable")
_UNMOVED = 2  # corrections in a row that change nothing
MAX_OVERFULL = 20.0  # points that a line may be too wide, and a page too high
_FIGURES = (".png", ".jpg", ".jpeg", ".pdf")


def compile_paper(study: Study, ports: Ports) -> Study:
    """The study with its paper as PDF, text and pictures. Raises :class:`StageLeft` if the paper
    is invalid after five corrections, or after two that changed nothing.
    """
    problems: list[str] = []
    refused: tuple[str, ...] = ()
    log_tail, attempt, unmoved = "", 0, 0
    for attempt, scoped in tries(ports, _FIXES + 1):
        if problems:
            before = study.tree
            study, refused = _corrected(study, scoped, [*refused, *problems])
            same = study.tree == before and not refused
            unmoved = unmoved + 1 if same and not made_before(ports, attempt) else 0
            if unmoved == _UNMOVED:
                break
            if same:
                continue  # the same source ends in the same way
        result, report, pages, seen, why = compile_once(study, scoped)
        problems = compile_problems(report, pages, study, paper_source(study, scoped))
        problems += [f"what is seen of the pages is not known: {why}"] if why else []
        advice = _advice(report, paper_source(study, scoped)) if attempt == 1 else []
        serious = any(": Error " in line for line in advice)
        if not problems and not serious:
            return compiled(study, result, report, pages, seen)
        problems += advice
        log_tail = report.log_tail[-800:]
    leave(ports, attempt)
    raise StageLeft(
        f"the paper does not compile well after {attempt - 1} corrections"
        + (", the last of which changed nothing" if unmoved else ""),
        where=TEX,
        why="\n".join([*problems[:5], log_tail]),
        todo="`aisci resume` asks for more corrections; the source is latex/template.tex",
    )


def _advice(report: CompileReport, tex: str) -> list[str]:
    """What chktex says of the author's lines; tables and the appendix are the program's."""
    last = tex[: tex.find("\\appendix\n")].count("\n") + 1 if "\\appendix\n" in tex else math.inf
    tables = [
        range(tex[:start].count("\n") + 1, tex[:end].count("\n") + 2)
        for start, end in latex.environments(tex, _TABLES)
    ]
    numbered = ((re.match(r"\d+", line), line) for line in report.chktex)
    return [
        f"chktex: line {line}"
        for at, line in numbered
        if at is None or (int(at[0]) < last and not any(int(at[0]) in rows for rows in tables))
    ]


def compile_once(
    study: Study, ports: Ports
) -> tuple[JobResult, CompileReport, tuple[str, ...], SeenAnswer | None, str]:
    """One compilation: its job's result, its report, the text of its pages, and what a reader sees of
    them or why that is not known.
    """
    result = ports.run(_job(study, ports))
    report = read_report(result, ports.blobs)
    seen, why = None, ""
    if report.seen:
        seen, why = seen_answer(result, f"{LATEX_OUTPUT}/{SEEN_FILE}", ports.blobs)
    return result, report, texts_of_pages(result, ports.blobs), seen, why


_LINE = re.compile(r"\b(?:line|lines) (\d{1,6})")
_QUOTED = 300  # characters of a line of the source


def _corrected(study: Study, ports: Ports, problems: list[str]) -> tuple[Study, tuple[str, ...]]:
    """The study with its author's corrections of what LaTeX says, and why some were not used."""
    lines = paper_source(study, ports).splitlines()
    rows = []
    for problem in problems:
        rows.append(f"- {problem}")
        numbers = dict.fromkeys(map(int, _LINE.findall(problem)[:2]))
        rows += [
            f"    line {number} of the source: {lines[number - 1][:_QUOTED]}"
            for number in numbers
            if 0 < number <= len(lines)
        ]
    instruction = render("compile_fix", problems=text_block("latex", "\n".join(rows)))
    study, refused = correct_passages(study, ports, "compile.fix", instruction)
    return assembled(study, ports, study_ledger(study, ports, study.skeleton)), refused


def _job(study: Study, ports: Ports) -> Job:
    """Of the paper's sources and the figures beside it."""
    pictures = {
        name: sha
        for name, sha in study.tree.files
        if "/" not in name and name.lower().endswith(_FIGURES)
    }
    files = study.tree.under("latex").without(LATEX_OUTPUT).updated(pictures)
    return latex_job(study.author, study.policy, files, ports)


def latex_job(author: str, policy: Policy, files: Tree, ports: Ports) -> Job:
    """Compile the source at :data:`TEX` among ``files``. The container is told whether a model had any part in
    them: only then are pages searched for hidden text.
    """
    authors = {author, *(model.name for model in ports.edges.roles.values())}
    return Job(
        scope=ports.scope,
        kind="latex",
        argv=("python3", "/opt/aisci/latex/compile.py", TEX, LATEX_OUTPUT),
        files=files,
        limits=policy.limits("latex"),
        harvest=(f"{LATEX_OUTPUT}/",),
        env=paper_env(authors),
    )


def paper_env(authors: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The variables of a container that compiles what these models wrote."""
    return (("AISCI_AUTHOR", "program" if set(authors) == {SWEEP} else "model"),)


def compile_problems(
    report: CompileReport, pages: tuple[str, ...], study: Study, tex: str
) -> list[str]:
    """Texts for a model: each violation of the requirements in this compilation."""
    problems = [f"LaTeX error: {latex_words.error_words(error)}" for error in report.errors]
    problems += [f"{name!r} is referenced or cited and not defined" for name in report.undefined]
    problems += latex_words.misfits(report.overfull, report.tall, MAX_OVERFULL)
    unresolved = [number for number, text in enumerate(pages, 1) if "??" in text]
    problems += [f"page {number} shows '??'" for number in unresolved]
    problems += latex_words.source_problems(tex)
    problems += latex.figure_problems(latex.body(tex), study.figures)
    if not problems and (not pages or len(pages) != report.pages):
        problems.append("the text of the pages did not come out of the LaTeX container")
    return problems


def compiled(
    study: Study,
    result: JobResult,
    report: CompileReport,
    layer: tuple[str, ...],
    seen: SeenAnswer | None,
) -> Study:
    """The study with the paper that a compilation left. Raises :class:`IdeaFailed` if there is none."""
    out = result.files.under(LATEX_OUTPUT).files
    made = Tree(tuple(pair for pair in out if pair[0].endswith((".pdf", ".png"))))
    if PAPER_PDF not in made.as_dict():
        raise IdeaFailed(
            "the LaTeX container reports a paper and left none",
            where=PAPER_PDF,
            why="; ".join(f"{name!r}: {why}" for name, why in result.refused[:5]),
            todo="if a size limit of the policy's latex block refused it, raise that limit",
        )
    files = study.tree.under("latex").without(LATEX_OUTPUT).updated(made)
    paper = Paper(
        files=files,
        pages=tuple(page.text for page in seen.pages) if seen else layer,
        warnings=(*report.warnings, *report.chktex),
        hidden=seen.hidden() if seen else (),
        layer=layer if seen else (),
    )
    return replace(study, tree=study.tree.without(LATEX_OUTPUT).updated(made), paper=paper)
