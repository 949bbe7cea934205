"""Improvement: the author answers each point of the reviews by a change of the paper, by
naming a limit of the study, or by a rebuttal.

The changed sections keep every rule of the paper, its numbers are checked again, and reviewers who have not seen
the earlier version review it. Both versions are kept; the earlier one stays the paper if the new one is rated
lower, or has numbers that nothing carries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import IdeaFailed, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.papers import Improvement, PaperVersion, PointAnswer, Review
from orchestrator.record.paths import PAPER_PDF
from orchestrator.record.ports import Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_use, parse_reply
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.panel import mean_overall, review_paper
from orchestrator.research.stages.refining import (
    REFINED_TOKENS,
    corrected_sections,
    read_sections,
    told_again,
)
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.verify import verify_numbers

_MOST_POINTS = 30


class AnswerForm(ReplyForm):
    """What an author says to one point of a review."""

    point: int
    kind: Literal["change", "limit", "rebuttal"]
    note: Annotated[str, Field(min_length=1, max_length=1000)]


class AnswersForm(ReplyForm):
    """The form of an author's answers to a review."""

    answers: Annotated[tuple[AnswerForm, ...], Field(max_length=_MOST_POINTS)]


def improve_paper(study: Study, ports: Ports) -> Study:
    """The study after its passes of improvement: none where none is wanted or no review has a point."""
    if study.paper is not None and not study.sections:
        raise IdeaFailed(
            "this paper cannot be improved: it is a PDF without a source that compiles",
            where=TEX,
            todo="import it with its LaTeX source and its style files, or let its author write it again",
        )
    for number in range(1, study.reviewing.improve + 1):
        points = _points(study)
        if not points or study.paper is None:
            break
        study = _one_pass(study, points, ports.within(f"pass_{number}"))
    return study


def _points(study: Study) -> tuple[str, ...]:
    """The weaknesses and questions of the review that counts."""
    review = study.review
    return () if review is None else (*review.weaknesses, *review.questions)[:_MOST_POINTS]


def _one_pass(study: Study, points: tuple[str, ...], ports: Ports) -> Study:
    revised, answers = _revised(study, points, ports.within("answers"))
    done = Improvement(
        answers=answers, before=_version(study), after=None, changes=(), kept="earlier", why=""
    )
    if revised.sections == study.sections:
        done = replace(done, why="no section was changed")
        return replace(study, improvements=(*study.improvements, done))
    made = replace(revised, unresolved=(), reviews=(), meta_review=None)
    made = assembled(made, ports, study_ledger(made, ports, made.skeleton))
    made = verify_numbers(compile_paper(made, ports.within("compile")), ports.within("verify"))
    made = review_paper(made, ports.within("review"))
    kept, why = _judged(study, made)
    old = dict(study.sections)
    changes = tuple((name, old[name], new) for name, new in made.sections if new != old[name])
    done = replace(done, after=_version(made), changes=changes, kept=kept, why=why)
    return replace(made if kept == "improved" else study, improvements=(*study.improvements, done))


def _revised(
    study: Study, points: tuple[str, ...], ports: Ports
) -> tuple[Study, tuple[PointAnswer, ...]]:
    """The study with its sections as the author changed them, and an answer to each point."""
    texts = dict(study.sections)
    told = block("points", [{"point": n, "says": text} for n, text in enumerate(points, start=1)])
    task = render("writeup_improve", points=told, now=corrected_sections(study))
    turn = (*study.said, Message("user", task, cache=True))

    def use(reply: Reply, ask: Ask) -> tuple[tuple[PointAnswer, ...], dict[str, str]]:
        text = require_whole(reply, ask).text
        form = parse_reply(text.partition("%% SECTION")[0], AnswersForm)
        problems, found = read_sections(study, texts, text, none_needed=True)
        problems += _unanswered(form, len(points), bool(found))
        if problems:
            raise WrongFormat(
                "the improved paper breaks rules",
                where=TEX,
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        answers = sorted(form.answers, key=lambda one: one.point)
        rows = (PointAnswer(points[a.point - 1], a.kind, a.note) for a in answers)
        return tuple(rows), found

    ask = Ask(purpose="writeup.improve", messages=turn, max_tokens=REFINED_TOKENS)
    answers, found = ask_and_use(ports, ask, use, told_again)
    parts = "\n\n".join(f"%% SECTION {name}\n\n{text}" for name, text in found.items())
    said = (*turn, Message("assistant", parts or "(no section changed)"))
    sections = tuple((name, found.get(name, text)) for name, text in study.sections)
    return replace(study, said=said, sections=sections), answers


def _unanswered(form: AnswersForm, count: int, changed: bool) -> list[str]:  # noqa: FBT001 - one use
    """What is wrong with a list of answers: each point is answered once, and a change is made."""
    given = [one.point for one in form.answers]
    problems = [f"point {n} has no answer" for n in range(1, count + 1) if n not in given]
    problems += [f"there is no point {n}" for n in given if not 1 <= n <= count]
    problems += [f"point {n} is answered twice" for n in {n for n in given if given.count(n) > 1}]
    kinds = {one.kind for one in form.answers}
    if kinds & {"change", "limit"} and not changed:
        problems.append("a change is promised, and no '%% SECTION name' follows")
    return problems


def _version(study: Study) -> PaperVersion:
    return PaperVersion(
        pdf=study.tree.get(PAPER_PDF) or "",
        reviews=study.reviews,
        meta_review=study.meta_review,
        unresolved=len(study.unresolved),
    )


def _judged(before: Study, after: Study) -> tuple[Literal["improved", "earlier"], str]:
    """Which version stays the paper, and why. The new one's reviewers have not seen the earlier one."""
    if len(after.unresolved) > len(before.unresolved):
        return "earlier", "the new version has more numbers that nothing carries"
    old, new = _mean(before), _mean(after)
    if old is None or new is None:
        return "improved", "it was not judged by a score"
    said = f"the mean overall score went from {old:.1f} to {new:.1f}, by reviewers who saw one version each"
    return ("improved" if new >= old else "earlier"), said


def _mean(study: Study) -> float | None:
    reviews: tuple[Review, ...] = study.reviews
    return mean_overall(reviews)
