"""The stages of an imported study: what a results folder of the AI Scientist says, in place of work done here.

Runs, figures and paper are taken as they came: no run, no request to a model. The paper is compiled in our
container with our marks, and its numbers are held to the imported results. A stage that is asked for again is
made here, but for experiments: what one machine measured is not compared with what another did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from orchestrator.core.errors import BadFile, IdeaFailed
from orchestrator.core.model import Message
from orchestrator.core.papers import Paper
from orchestrator.core.research import Novelty
from orchestrator.core.tree import Tree
from orchestrator.record.import_notes import Imported
from orchestrator.record.literature_notes import Citable, NoveltyJudged
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF
from orchestrator.record.pins import ImportPin
from orchestrator.record.ports import Ports
from orchestrator.research.importing.content import read_content
from orchestrator.research.importing.values import ImportedContent
from orchestrator.research.paper import latex, latex_words, references
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.seen import seen_paper
from orchestrator.research.paper.shape import imported_note
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.compile import compile_once, compiled
from orchestrator.research.stages.drafting import draft_task, with_task
from orchestrator.research.stages.paper_facts import IMPORTED_BY
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.verify import claims_of, open_problems, wrong_in
from orchestrator.research.stages.writeup import AUTHOR_NOTE, opening

PAPER_AUTHOR = f"{IMPORTED_BY} (imported)"
ORIGINALS = "imported"
"""The folder of an idea with the documents as they came."""
_MAKETITLE = r"\maketitle"
_NO_SOURCE = "there is no source of this PDF that compiles, so no number of it could be traced"


def content_of(pin: ImportPin, read: Callable[[str], bytes]) -> ImportedContent:
    """What the files of an import say; ``read`` gives the bytes of a hash."""
    return read_content({path: read(sha) for path, sha in pin.files.files}, pin.folder)


def imported_start(
    study: Study, pin: ImportPin, content: ImportedContent, keep: Callable[[str], str]
) -> Study:
    """The study before its first stage: the code and the results of the folder, and its paper with
    placeholders, which ``keep`` stores. Documents as they came stand below ``imported/``.
    """
    files = pin.files.as_dict()
    code = {path: sha for path, sha in files.items() if path.endswith(".py") or path == "notes.txt"}
    latex_files = {
        path: sha
        for path, sha in files.items()
        if path.startswith("latex/") and not path.endswith((".bib", "/template.pdf"))
    }
    if content.paper is not None:
        tex = content.paper.skeleton.replace(_MAKETITLE, _MAKETITLE + imported_note(AUTHOR_NOTE), 1)
        latex_files[TEX] = keep(tex)
    drawn = {one.name: files.get(one.name) or files[f"latex/{one.name}"] for one in content.figures}
    documents = {
        f"{ORIGINALS}/{path}": sha
        for path, sha in files.items()
        if path.endswith((".pdf", ".json")) or path.startswith("review") or path == TEX
        if path.count("/") == (path == TEX)
    }
    tree = Tree.of({**code, **latex_files, **drawn, **documents})
    for run in content.runs:
        tree = tree.updated(run.files)
    return replace(
        study,
        tree=tree,
        runs=content.runs[:1],
        results=content.results[:1],
        imported=content,
        judged=False,
    )


def stage_of_import(
    study: Study, name: str, *, again: bool
) -> Callable[[Study, Ports], Study] | None:
    """The stage that takes what was imported in place of the stage ``name``; None where it is made here.
    ``again``: it was asked for once more.
    """
    if study.imported is None or (again and name not in _NEVER_MADE):
        return None
    if name == "review" and not study.imported.reviews:
        return None
    return _TAKEN.get(name)


def _take_novelty(study: Study, ports: Ports) -> Study:
    novelty = Novelty(decision="undecided", reason="the study was imported; novelty is not judged")
    ports.note(NoveltyJudged(novelty=novelty))
    return replace(study, novelty=novelty)


def _take_runs(study: Study, ports: Ports) -> Study:
    content = _content(study)
    ports.note(
        Imported(
            folder=content.folder,
            idea_from=content.idea_from,
            runs=content.runs,
            reviews=content.reviews,
            missing=content.missing,
        )
    )
    return replace(study, runs=content.runs, results=content.results)


def _take_figures(study: Study, ports: Ports) -> Study:  # noqa: ARG001 - one signature for all stages
    return replace(study, pictures=_content(study).figures)


def _nothing(study: Study, ports: Ports) -> Study:  # noqa: ARG001 - one signature for all stages
    return study


def _take_paper(study: Study, ports: Ports) -> Study:
    """The imported source with our marks, in sections, and the conversation in which it could have been
    written.
    """
    paper, study = _content(study).paper, replace(study, author=PAPER_AUTHOR, typed=True)
    if paper is None:
        return replace(study, said=opening(study, study_ledger(study, ports), ports))
    tex = latex.prepared(paper_source(study, ports), PAPER_AUTHOR, AUTHOR_NOTE, study.figures)
    study = replace(study, skeleton=tex, sections=paper.sections)
    ports.note(Citable(keys=tuple(one.key for one in references.references(tex))))
    ledger = study_ledger(study, ports, tex)
    said = opening(study, ledger, ports)
    for name, text in paper.sections:
        said = (
            *with_task(said, draft_task(study, (name,))),
            Message("assistant", text),
        )
    return assembled(replace(study, said=said), ports, ledger)


def _take_pages(study: Study, ports: Ports) -> Study:
    """The paper as our container compiles it; the PDF that was imported where it does not. Raises
    :class:`IdeaFailed` where there is neither.
    """
    content, why = _content(study), _NO_SOURCE
    if content.paper is not None:
        result, report, pages, seen, unread = compile_once(study, ports)
        if report.ok and not unread:
            return compiled(study, result, report, pages, seen)
        errors = [latex_words.error_words(one) for one in report.errors]
        why = "\n".join([*errors[:5], unread] if unread else errors[:5])
    if not content.pdf:
        raise IdeaFailed(
            "the imported paper does not compile, and the folder has no PDF of it",
            where=TEX,
            why=why,
            todo="add the style files that it loads to latex/, or the PDF, and import the folder again",
        )
    return _with_pdf(study, content.pdf, why, ports.within("pdf"))


def _with_pdf(study: Study, pdf: str, why: str, ports: Ports) -> Study:
    """The study with the PDF as it came, as a reader sees it."""
    try:
        seen = seen_paper(ports.run, ports.blobs, pdf, study.policy.limits("latex"), ports.scope)
    except BadFile as error:
        raise IdeaFailed(
            "the imported paper does not compile, and its PDF cannot be read",
            where=error.where,
            why=f"{why}\n{error.why}",
            todo=error.todo,
        ) from error
    shown = {
        f"{LATEX_OUTPUT}/page-{number}.png": page.picture
        for number, page in enumerate(seen.pages, start=1)
        if page.picture
    }
    made = Tree.of({PAPER_PDF: pdf, **shown})
    paper = Paper(
        files=study.tree.under("latex").updated(made),
        pages=tuple(page.text for page in seen.pages),
        warnings=(f"the PDF as it was imported: the source was not compiled here: {why}",),
        hidden=seen.hidden,
    )
    return replace(study, tree=study.tree.updated(made), paper=paper, sections=())


def _take_verdict(study: Study, ports: Ports) -> Study:
    """The study with its claims; its sentences are not corrected, and a mark names those that nothing
    carries.
    """
    if not study.sections:
        return replace(study, unresolved=(_NO_SOURCE,))
    ledger = study_ledger(study, ports, study.skeleton)
    problems = open_problems(study, wrong_in(study, ledger), ports)
    study = replace(study, claims=claims_of(study, ledger), unresolved=tuple(problems))
    if not problems:
        return study
    marked = assembled(study, ports, ledger)
    result, report, pages, seen, why = compile_once(marked, ports.within("marked"))
    return compiled(marked, result, report, pages, seen) if report.ok and not why else study


def _take_reviews(study: Study, ports: Ports) -> Study:  # noqa: ARG001 - one signature for all stages
    return replace(study, reviews=_content(study).reviews[:1])


def _content(study: Study) -> ImportedContent:
    assert study.imported is not None
    return study.imported


_NEVER_MADE = frozenset({"experiments", "critique"})
"""Stages that would measure here what is compared with what was measured elsewhere."""
_TAKEN: Mapping[str, Callable[[Study, Ports], Study]] = {
    "novelty": _take_novelty,
    "experiments": _take_runs,
    "plots": _take_figures,
    "critique": _nothing,
    "notes": _nothing,
    "writeup": _take_paper,
    "compile": _take_pages,
    "verify": _take_verdict,
    "review": _take_reviews,
}
