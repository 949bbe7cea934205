"""Improvement: the author answers each point of the reviews by an experiment that is still allowed, by a change
of the paper, by naming a limit of the study, or by a rebuttal.

New runs are made first, and the author hears what they show. The changed sections keep every rule of the paper,
its numbers are checked again, and reviewers who have not seen the earlier version review it. Both versions are kept; the earlier one stays the paper if the new one is rated
lower, or has numbers that nothing carries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import IdeaFailed, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.papers import Improvement, PaperVersion, PointAnswer, Reread, Review
from orchestrator.record.paths import PAPER_PDF
from orchestrator.record.ports import Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_use, parse_reply
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.doubting import answer_doubts
from orchestrator.research.stages.improving_runs import (
    experimented,
    new_facts,
    runs_left,
    with_earlier_paper,
)
from orchestrator.research.stages.look import figure_pictures
from orchestrator.research.stages.panel import mean_overall, review_paper
from orchestrator.research.stages.plan import planned_runs
from orchestrator.research.stages.refining import (
    REFINED_TOKENS,
    corrected_sections,
    lengths,
    read_sections,
    told_again,
)
from orchestrator.research.stages.rereading import reread
from orchestrator.research.stages.review_points import AnswersForm, points_of, unanswered, unmade
from orchestrator.research.stages.sections import section_named, section_problems
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.verify import verify_numbers


def improve_paper(study: Study, ports: Ports) -> Study:
    """The study after its passes of improvement: none where none is wanted or no review has a point."""
    if study.paper is not None and not study.sections:
        raise IdeaFailed(
            "this paper cannot be improved: it is a PDF without a source that compiles",
            where=TEX,
            todo="import it with its LaTeX source and its style files, or let its author write it again",
        )
    for number in range(1, study.reviewing.improve + 1):
        points = points_of(study)
        if not points or study.paper is None:
            break
        study = _one_pass(study, points, ports.within(f"pass_{number}"))
    return study


def _one_pass(study: Study, points: tuple[str, ...], ports: Ports) -> Study:
    left, asked = runs_left(study), ports.within("answers")
    revised, form = _revised(study, points, asked, left)
    before, runs = study, planned_runs(form.runs, study)[:left]
    if runs:
        # They stay facts of the study, whichever version is the paper.
        study = experimented(study, runs, ports.within("experiments"))
        asked = ports.within("with_runs")
        revised, form = _revised(study, points, asked, 0, new_facts(study, before, asked))
    done = Improvement(
        answers=_answers(form, points),
        before=_version(before),
        after=None,
        changes=(),
        kept="earlier",
        why="",
        runs=tuple(run.name for run in study.runs[len(before.runs) :]),
    )
    if revised.sections == before.sections:
        done = replace(done, why="no section was changed")
        return with_earlier_paper(before, study, done)
    made = replace(revised, unresolved=(), reviews=(), meta_review=None)
    ledger = study_ledger(made, ports, made.skeleton)
    changed = [name for name, text in made.sections if dict(before.sections).get(name) != text]
    made = answer_doubts(made, ledger, ports.within("doubts"), changed)
    made = assembled(made, ports, ledger)
    made = verify_numbers(compile_paper(made, ports.within("compile")), ports.within("verify"))
    made = review_paper(made, ports.within("review"))
    judged = before.review.overall if before.review else None
    again = None
    if judged is not None:
        again = reread(judged, done.answers, made, ports.within("reread"))
    kept, why = _judged(before, made, again)
    old = dict(before.sections)
    changes = tuple((name, old[name], new) for name, new in made.sections if new != old[name])
    done = replace(done, after=_version(made), changes=changes, kept=kept, why=why, reread=again)
    if kept == "improved":
        return replace(made, improvements=(*study.improvements, done))
    return with_earlier_paper(before, study, done)


def _answers(form: AnswersForm, points: tuple[str, ...]) -> tuple[PointAnswer, ...]:
    answers = sorted(form.answers, key=lambda one: one.point)
    return tuple(PointAnswer(points[a.point - 1], a.kind, a.note) for a in answers)


def _revised(
    study: Study, points: tuple[str, ...], ports: Ports, left: int, facts: str = ""
) -> tuple[Study, AnswersForm]:
    """The study with its sections as the author changed them, and an answer to each point. It may ask for
    ``left`` runs in place of sections; ``facts`` are what such runs have shown.
    """
    texts = dict(study.sections)
    told = block("points", [{"point": n, "says": text} for n, text in enumerate(points, start=1)])
    runs = render("improve_runs", left=str(left)).strip() if left else ""
    task = render(
        "writeup_improve",
        points=told,
        now=corrected_sections(study),
        runs=runs,
        facts=facts,
        lengths=block("lengths", lengths(study)),
    )
    pictures = figure_pictures(study, ports, "writing") if facts else ()
    turn = (*study.said, Message("user", task, cache=True, pictures=pictures))

    def use(reply: Reply, ask: Ask) -> tuple[AnswersForm, dict[str, str]]:
        text = require_whole(reply, ask).text
        form = parse_reply(text.partition("%% SECTION")[0], AnswersForm)
        problems, found = read_sections(study, texts, text)
        problems += _outdated(study, texts, found) if facts else []
        found = (
            {} if form.runs else found
        )  # they are asked for again, once the runs have shown something
        problems = [] if form.runs else problems
        problems += unanswered(form, len(points), bool(found))
        problems += unmade(form, left, told=bool(facts))
        if problems:
            raise WrongFormat(
                "the improved paper breaks rules",
                where=TEX,
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        return form, found

    ask = Ask(purpose="writeup.improve", messages=turn, max_tokens=REFINED_TOKENS)
    form, found = ask_and_use(ports, ask, use, told_again)
    parts = "\n\n".join(f"%% SECTION {name}\n\n{text}" for name, text in found.items())
    said = (*turn, Message("assistant", parts or "(no section changed)"))
    sections = tuple((name, found.get(name, text)) for name, text in study.sections)
    return replace(study, said=said, sections=sections), form


def _outdated(study: Study, texts: dict[str, str], found: dict[str, str]) -> list[str]:
    """The rules that unchanged sections break now: figures were drawn again."""
    return [
        f"{name}, which you left as it is: {problem}"
        for name, text in texts.items()
        if name not in found
        for problem in section_problems(study, section_named(name), text, study.skeleton)
    ]


def _version(study: Study) -> PaperVersion:
    return PaperVersion(
        pdf=study.tree.get(PAPER_PDF) or "",
        reviews=study.reviews,
        meta_review=study.meta_review,
        unresolved=len(study.unresolved),
    )


def _judged(
    before: Study, after: Study, again: Reread | None
) -> tuple[Literal["improved", "earlier"], str]:
    """Which version stays the paper, and why: by the new one's reviewers, who have not seen the earlier one."""
    if len(after.unresolved) > len(before.unresolved):
        return "earlier", "the new version has more numbers that nothing carries"
    old, new = _mean(before), _mean(after)
    if old is None or new is None:
        return "improved", "it was not judged by a score"
    said = f"the mean overall score went from {old:.1f} to {new:.1f}, by reviewers who saw one version each"
    if (
        again is not None
        and before.review
        and again.overall > (before.review.overall or 0)
        and new <= old
    ):
        said += "; only the reviewer who asked for the changes sees a gain"
    return ("improved" if new >= old else "earlier"), said


def _mean(study: Study) -> float | None:
    reviews: tuple[Review, ...] = study.reviews
    return mean_overall(reviews)
