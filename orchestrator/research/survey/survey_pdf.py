"""A survey's source, compiled in the LaTeX container."""

from __future__ import annotations

from orchestrator.core.errors import StageLeft
from orchestrator.core.tree import Tree
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF
from orchestrator.record.ports import Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.latex_report import read_report
from orchestrator.research.paper.latex_words import error_words, misfits
from orchestrator.research.stages.compile import MAX_OVERFULL, latex_job
from orchestrator.research.stages.writeup import AUTHOR_NOTE
from orchestrator.research.survey.survey_source import survey_source
from orchestrator.research.survey.survey_values import LiteratureSurvey

_STYLE = "latex/aisci.sty"


def compile_survey(survey: LiteratureSurvey, ports: Ports) -> tuple[str, Tree, tuple[str, ...]]:
    """The source, the PDF with its pages as pictures, and what does not fit its line or page.

    Raises :class:`StageLeft` for a source that LaTeX does not take.
    """
    scoped = ports.within("compile")
    tex = survey_source(survey, AUTHOR_NOTE)
    files = Tree.of({TEX: ports.keep(tex), _STYLE: ports.keep(survey.task.style)})
    result = scoped.run(latex_job(survey.task.author, survey.task.policy, files, scoped))
    report, made = read_report(result, ports.blobs), result.files.under(LATEX_OUTPUT)
    errors = [
        *map(error_words, report.errors),
        *(f"{one!r} is not defined" for one in report.undefined),
    ]
    if errors or made.get(PAPER_PDF) is None:
        raise StageLeft(
            "the survey does not compile",
            where=TEX,
            why="\n".join(errors[:5]) or "the container left no PDF",
            todo="run the command again with fewer --papers, or remove the paper that LaTeX names from your library",
        )
    return tex, made, tuple(misfits(report.overfull, report.tall, MAX_OVERFULL))
