"""Verify: every sentence of the paper is carried by the record.

Numbers by reference are printed again and compared; typed ones are traced within their sentence; what
words say of numbers is held to them. The text of the PDF is compared with the source, so that no
command can print a number that the source does not contain. Each number becomes a claim with its source.
"""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.papers import Claim
from orchestrator.record.paper_notes import ClaimsVerified
from orchestrator.record.ports import Ports
from orchestrator.research.claims.check import (
    Checked,
    check_section,
    check_source,
    printed_errors,
)
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.pages import numbers_only_on_pages
from orchestrator.research.claims.printed_errors import Errors
from orchestrator.research.paper import latex
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import render, text_block
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.correcting import (
    WrongSentence,
    correct_sentences,
    named_sentences,
)
from orchestrator.research.stages.sections import section_named, told
from orchestrator.research.stages.study_ledger import study_ledger

_ROUNDS = 3
_EXCERPT = 160  # characters of a sentence in a claim


def verify_numbers(study: Study, ports: Ports) -> Study:
    """The study with its claims, or with the sentences that stay unresolved. Corrections are kept where
    they leave fewer of these; one that leaves as many ends the rounds.
    """
    ledger = study_ledger(study, ports, study.skeleton)
    wrong, refused = wrong_in(study, ledger), tuple[str, ...]()
    for number in range(1, _ROUNDS + 1):
        if not wrong:
            break
        scoped = ports.within(f"round_{number}")
        said = "\n".join([*refused, told(wrong, dict(study.sections))])
        instruction = render("verify_fix", problems=text_block("sentences", said))
        tried, refused = correct_sentences(study, scoped, "verify.fix", instruction, wrong)
        left = wrong_in(tried, ledger)
        if len(left) >= len(wrong) and not refused:
            break
        if len(left) < len(wrong):
            tried = assembled(tried, scoped, ledger)
            study, wrong = compile_paper(tried, scoped.within("compile")), left
    problems = open_problems(study, wrong, ports)
    claims = claims_of(study, ledger)
    if problems:
        marked = replace(study, claims=claims, unresolved=tuple(problems))
        scoped = ports.within("marked")
        return compile_paper(assembled(marked, scoped, ledger), scoped)
    ports.note(ClaimsVerified(claims=len(claims)))
    return replace(study, claims=claims)


def wrong_in(study: Study, ledger: Ledger) -> tuple[WrongSentence, ...]:
    """The sentences of the paper's sections that the record does not carry, named for a request."""
    errors = study_errors(study)
    return named_sentences(
        [
            (section_named(name), one)
            for name, text in study.sections
            for one in _checked(name, text, study, ledger, errors)
            if one.problems
        ]
    )


def kept_problems(study: Study, ledger: Ledger) -> list[str]:
    """What nothing carries in the text of an imported paper that is no section of ours."""
    return [
        f"{one.sentence.part}: {_excerpt(one)}: {said}"
        for one in _kept(study, ledger)
        for said in one.problems
    ]


def _kept(study: Study, ledger: Ledger) -> tuple[Checked, ...]:
    """The sentences under an imported paper's other headings, before its first one and behind its last."""
    if not study.typed:
        return ()
    errors = study_errors(study)
    return check_source(study.skeleton, ledger, strict=False, errors=errors)


def study_errors(study: Study) -> Errors:
    """What a study's paper says, wherever it does, that it prints after a ±."""
    rest = [latex.body(study.skeleton)] if study.typed else []
    return printed_errors([*(text for _, text in study.sections), *rest])


def _checked(
    name: str, text: str, study: Study, ledger: Ledger, errors: Errors
) -> tuple[Checked, ...]:
    part, strict = section_named(name).part, not study.typed
    return check_section(text, ledger, part, strict=strict, errors=errors)


def open_problems(study: Study, wrong: tuple[WrongSentence, ...], ports: Ports) -> list[str]:
    """What nothing carries: of each wrong sentence, and the numbers that stand on the pages alone."""
    rows = [
        f"{section.name}: {_excerpt(one)}: {problem}"
        for _, section, one in wrong
        for problem in one.problems
    ]
    kept = kept_problems(study, study_ledger(study, ports, study.skeleton)) if study.typed else []
    return [*rows, *kept, *_page_problems(study, ports)]


def _excerpt(one: Checked) -> str:
    text = re.sub(r"[\ue000-\uf8ff]+", "…", one.sentence.text)
    return text[:_EXCERPT] + ("…" if len(text) > _EXCERPT else "")


def _page_problems(study: Study, ports: Ports) -> list[str]:
    pages = (study.paper.layer or study.paper.pages) if study.paper else ()
    return numbers_only_on_pages(pages, paper_source(study, ports))


def claims_of(study: Study, ledger: Ledger) -> tuple[Claim, ...]:
    """Every number of the paper's sections, and what it states."""
    errors = study_errors(study)
    rows = [
        (name, one)
        for name, text in study.sections
        for one in _checked(name, text, study, ledger, errors)
    ]
    rows += [(one.sentence.part, one) for one in _kept(study, ledger)]
    return tuple(
        Claim(text=number.number, where=f"{name}: {_excerpt(one)}", source=number.source)
        for name, one in rows
        for number in one.traced
    )


def unresolved_failure(study: Study) -> IdeaFailed:
    """Why a paper is not verified."""
    after, count = "" if study.typed else ", after corrections", len(study.unresolved)
    what = "1 statement of the paper is" if count == 1 else f"{count} statements of the paper are"
    return IdeaFailed(
        f"{what} not carried by the record{after}",
        where=TEX,
        why="\n".join(study.unresolved[:8]),
        todo="the report lists each with its sentence; the paper, the runs and their results are kept",
    )
