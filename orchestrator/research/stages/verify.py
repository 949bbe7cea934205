"""Verify: every number in the paper resolves to a result, a setting or a reference.

The title, the abstract, all tables and every section except those about other work are checked. The
text of the PDF is compared with the source, so that no command can print a number that the source
does not contain. Each number becomes a claim with its source.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.errors import IdeaFailed
from orchestrator.record.notes import ClaimsVerified
from orchestrator.record.ports import Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.shape import not_verified_note
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.number_check import check_numbers, number_sources

_ROUNDS = 3
_TITLE = r"\maketitle"


def verify_numbers(study: Study, ports: Ports) -> Study:
    """The study with its claims, or with the numbers that stay unresolved. Corrections are kept where
    they leave fewer of these; one that leaves as many ends the rounds.
    """
    sources = number_sources(study, ports)
    claims, problems = check_numbers(study, ports, sources)
    refused: tuple[str, ...] = ()
    for number in range(1, _ROUNDS + 1):
        if not problems:
            break
        scoped = ports.within(f"round_{number}")
        said = [*refused, *problems]
        tried, refused = papers.correct_paper(study, scoped, "verify.fix", "verify_fix", said)
        if refused:
            continue
        tried = compile_paper(tried, scoped.within("compile"))
        found, left = check_numbers(tried, ports, sources)
        if len(left) >= len(problems):
            break
        study, claims, problems = tried, found, left
    if problems:
        return _marked(replace(study, unresolved=tuple(problems)), ports.within("marked"))
    ports.note(ClaimsVerified(claims=len(claims)))
    return replace(study, claims=claims)


def _marked(study: Study, ports: Ports) -> Study:
    """The study whose paper says on its first page which of its numbers have no source."""
    tex = papers.paper_source(study, ports)
    said = not_verified_note(study.unresolved)
    return compile_paper(
        papers.with_paper_source(study, ports, tex.replace(_TITLE, _TITLE + said, 1)), ports
    )


def unresolved_failure(study: Study) -> IdeaFailed:
    """Why a paper is not verified."""
    return IdeaFailed(
        f"{len(study.unresolved)} numbers in the paper resolve to nothing, after corrections",
        where=TEX,
        why="\n".join(study.unresolved[:8]),
        todo="the report lists each with its sentence; the paper, the runs and their results are kept",
    )
