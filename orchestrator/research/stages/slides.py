"""Slides: a deck about a finished paper, its numbers by reference, asked for in the paper's conversation."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import IdeaFailed, StageLeft, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.tree import Tree
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF
from orchestrator.record.ports import Ports
from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import rendered
from orchestrator.research.paper import latex
from orchestrator.research.paper.deck import Slide, deck_source
from orchestrator.research.paper.latex import TEX, escape
from orchestrator.research.paper.latex_report import read_report
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_use, in_form, parse_reply, repeat_request
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import figure_rows
from orchestrator.research.stages.compile import latex_job
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.verify import study_errors
from orchestrator.research.stages.writeup import AUTHOR_NOTE

FEWEST, MOST = 6, 10  # slides, without the first
_COMPILES = 3  # decks that LaTeX is given, at most
_WORDS = 24  # of a point
_FIGURE_POINTS = 2  # beside a figure
_FORMULA = re.compile(r"(\$[^$]*\$)")
_SIGN = re.compile(r"(?<!\\)[_&#%]")


class SlideForm(ReplyForm):
    """One slide of a model's deck."""

    title: Annotated[str, Field(min_length=3, max_length=120)]
    points: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=400)], ...], Field(max_length=4)
    ]
    figure: str | None = None


class DeckForm(ReplyForm):
    """The form of a model's deck."""

    slides: Annotated[tuple[SlideForm, ...], Field(min_length=FEWEST, max_length=MOST)]


def make_slides(study: Study, ports: Ports) -> tuple[str, Tree]:
    """The LaTeX of a deck about a finished study, and its compiled PDF with the pages as pictures.

    Raises :class:`IdeaFailed` without a paper, :class:`BadReply` for a deck that breaks rules, and
    :class:`StageLeft` for one that does not compile.
    """
    if study.paper is None:
        raise IdeaFailed(
            "there is no paper to make slides of", where="slides", todo="finish the idea first"
        )
    ledger = study_ledger(study, ports, study.skeleton)
    own = dict(study.sections).get("title") or escape(study.idea.title)
    title, _ = rendered(own, ledger, plain=True)
    figures = {name: sha for name, sha in study.tree.files if name in study.figures}
    task = render("slides_write", deck=block("deck", {"figures": figure_rows(study.pictures)}))
    turns, errors = (*study.said, Message("user", task)), tuple[str, ...]()
    for attempt in range(1, _COMPILES + 1):
        scoped = ports.within(f"attempt_{attempt}")
        form = _asked(study, turns, ledger, scoped)
        slides = [_slide(one, ledger) for one in form.slides]
        tex = deck_source(title, study.author, AUTHOR_NOTE, slides)
        files = Tree.of(figures | {TEX: ports.keep(tex)})
        job = latex_job(study.author, study.policy, files, scoped)
        result = scoped.run(job)
        report, made = read_report(result, ports.blobs), result.files.under(LATEX_OUTPUT)
        if report.ok and made.get(PAPER_PDF) is not None:
            return tex, made
        errors = report.errors[:5]
        trouble = "LaTeX does not compile it:\n" + "\n".join(errors)
        again = Message("user", render("bad_reply", trouble=trouble))
        turns = (*turns, Message("assistant", as_said(form)), again)
    raise StageLeft(
        f"the slides do not compile, after {_COMPILES} attempts",
        where=TEX,
        why="\n".join(errors),
        todo="choose another --model for the slides",
    )


def _asked(study: Study, turns: tuple[Message, ...], ledger: Ledger, ports: Ports) -> DeckForm:
    """A deck that keeps all rules. Raises :class:`BadReply`."""

    def use(reply: Reply, ask: Ask) -> DeckForm:
        form = parse_reply(require_whole(reply, ask).text, DeckForm)
        if problems := deck_problems(form, study, ledger):
            raise WrongFormat(
                "the slides break rules",
                where="slides",
                why="\n".join(problems[:12]),
                todo="run the command again, or choose another --model",
            )
        return form

    ask = in_form(Ask(purpose="writeup.slides", messages=turns, max_tokens=8192), DeckForm)
    return ask_and_use(ports, ask, use, repeat_request)


def deck_problems(form: DeckForm, study: Study, ledger: Ledger) -> list[str]:
    """Every rule of a deck that a model's breaks, for the model."""
    problems, errors = list[str](), study_errors(study)
    shown = [one.figure for one in form.slides if one.figure]
    problems += [f"no figure is named {name!r}" for name in shown if name not in study.figures]
    problems += [
        f"{name} is shown twice" for name in sorted({n for n in shown if shown.count(n) > 1})
    ]
    for number, one in enumerate(form.slides, start=1):
        where = f"slide {number}"
        if one.figure and len(one.points) > _FIGURE_POINTS:
            problems.append(f"{where}: beside a figure stand at most {_FIGURE_POINTS} points")
        for text in (one.title, *one.points):
            if len(text.split()) > _WORDS:
                problems.append(f"{where}: {text[:60]!r}… has more than {_WORDS} words")
            problems += [f"{where}: leave out {name}" for name in latex.primitives(text)]
            if "\\cite" in text or "\\begin" in text or "\\includegraphics" in text:
                problems.append(f"{where}: no citation, environment or picture in a text")
            rows = check_section(text, ledger, "slides", errors=errors)
            wrong = [p for row in rows for p in row.problems]
            problems += [f"{where}: {text[:80]!r}: {p}" for p in wrong]
    return problems


def _slide(one: SlideForm, ledger: Ledger) -> Slide:
    texts = [
        rendered(as_latex(text).strip(), ledger, plain=True)[0] for text in (one.title, *one.points)
    ]
    first, *points = map(_escaped, texts)
    return Slide(first, tuple(points), one.figure or "")


def _escaped(tex: str) -> str:
    """``tex`` with signs that only formulas and tables may have escaped elsewhere: names of runs have them."""
    parts = _FORMULA.split(tex)
    return "".join(part if at % 2 else _SIGN.sub(r"\\\g<0>", part) for at, part in enumerate(parts))


def with_pictures_left_out(study: Study) -> Study:
    """The study without the pictures of its conversation, for a model that sees none."""
    said = tuple(replace(one, pictures=()) for one in study.said)
    return replace(study, said=said)
