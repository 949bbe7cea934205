"""The machine-readable report of a survey: what was asked, found, kept and said, and what each sentence rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from orchestrator.research.survey.survey_claims import (
    evidence_of,
    is_about_survey,
    worded_references,
)
from orchestrator.research.survey.survey_values import (
    Evidence,
    LiteratureSurvey,
    PaperFacts,
    Stated,
)


def survey_report(survey: LiteratureSurvey, misfits: Iterable[str]) -> dict[str, Any]:
    """Everything of a survey as JSON, without the time or the cost of its calls."""
    return {
        "question": survey.task.question,
        "author": survey.task.author,
        "title": survey.title,
        "scope": survey.scope.text,
        "sub_questions": list(survey.scope.questions),
        "searches": [
            {
                "query": one.query,
                "found": one.found,
                "new": one.new,
                "sources": [
                    {"name": e.engine, "state": e.state, "papers": e.papers, "why": e.why}
                    for e in one.engines
                ],
            }
            for one in survey.searches
        ],
        "records": [_record(survey, number) for number in range(len(survey.judged))],
        "groups": [asdict(one) for one in survey.groups],
        "tables": [_row(survey, one) for one in survey.facts],
        "claims": list(_claims(survey)),
        "left_out": [asdict(one) for one in survey.left_out],
        "misfits": list(misfits),
    }


def _record(survey: LiteratureSurvey, number: int) -> dict[str, Any]:
    one = survey.judged[number]
    paper = one.paper
    return {
        "key": paper.key, "title": paper.title, "year": paper.year, "id": paper.id,
        "source": paper.source, "kept": one.kept, "relevance": one.relevance, "why": one.why,
        "sentences": max(0, len(survey.abstracts[paper.key].sentences) - 1) if one.kept else None,
    }  # fmt: skip


def _row(survey: LiteratureSurvey, facts: PaperFacts) -> dict[str, Any]:
    def cell(stated: Stated) -> dict[str, Any] | None:
        evidence = Evidence(facts.key, stated.sentence)
        return {"text": stated.text, **_quoted(survey, evidence)} if stated.text else None

    cells = {"method": facts.method, "data": facts.data, "finding": facts.finding}
    return {"key": facts.key, **{name: cell(one) for name, one in cells.items()}}


def _quoted(survey: LiteratureSurvey, one: Evidence) -> dict[str, Any]:
    quote = survey.abstracts[one.key].sentences[one.sentence]
    return {"key": one.key, "sentence": one.sentence, "quote": quote}


def _claims(survey: LiteratureSurvey) -> Iterable[dict[str, Any]]:
    for section in survey.sections:
        for sentence in (one for paragraph in section.paragraphs for one in paragraph):
            yield {
                "section": section.heading,
                "text": worded_references(sentence),
                "about_the_survey": is_about_survey(sentence),
                "evidence": [_quoted(survey, e) for e in evidence_of(sentence, survey.abstracts)],
            }
