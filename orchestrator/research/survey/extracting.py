"""What each paper's abstract says of method, data and finding, with the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.survey.abstracts import Abstract
from orchestrator.research.survey.scoping import question_block
from orchestrator.research.survey.second_look import Claimed, doubted
from orchestrator.research.survey.sorting import KeyText
from orchestrator.research.survey.survey_claims import stems, stray_numbers
from orchestrator.research.survey.survey_values import (
    Evidence,
    LeftOutText,
    LiteratureSurvey,
    PaperFacts,
    Stated,
)

_BATCH = 10  # papers in one request
TRIES = 3  # until what is still wrong is left out
COLUMNS = ("method", "data", "finding")
_CELL = 220  # characters

_Cell = Annotated[str, Field(max_length=600)]
_From = Annotated[int, WholeNumber(0, 999)]


class FactsForm(ReplyForm):
    """A row of a table; a sentence of 0 means that the abstract does not say it."""

    key: KeyText
    method: _Cell = ""
    method_sentence: _From = 0
    data: _Cell = ""
    data_sentence: _From = 0
    finding: _Cell = ""
    finding_sentence: _From = 0

    def cells(self) -> dict[str, Stated]:
        """What is stated, by column."""
        texts = {name: " ".join(getattr(self, name).split()) for name in COLUMNS}
        return {
            name: Stated(text, getattr(self, f"{name}_sentence")) if text else Stated()
            for name, text in texts.items()
        }


class AllFactsForm(ReplyForm):
    """A model's rows."""

    papers: Annotated[tuple[FactsForm, ...], Field(max_length=4 * _BATCH)]


def extract_facts(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with a row for each paper. A cell that stays wrong is empty, and is among ``left_out``."""
    known = [one for one in survey.abstracts.values() if one.known]
    rows: dict[str, dict[str, Stated]] = {}
    left_out: list[LeftOutText] = []
    for number, first in enumerate(range(0, len(known), _BATCH), start=1):
        batch = {one.paper.key: one for one in known[first : first + _BATCH]}
        found, wrong = _batch(survey, batch, ports.within("extract", f"batch_{number}"))
        rows |= found
        left_out += wrong
    empty = dict.fromkeys(COLUMNS, Stated())
    facts = tuple(PaperFacts(key=key, **rows.get(key, empty)) for key in survey.abstracts)
    return replace(survey, facts=facts, left_out=(*survey.left_out, *left_out))


def _batch(
    survey: LiteratureSurvey, batch: Mapping[str, Abstract], ports: Ports
) -> tuple[dict[str, dict[str, Stated]], list[LeftOutText]]:
    """The cells of some papers, asked for again while any is wrong; and what had to be left out."""
    text = render(
        "survey_extract",
        question=question_block(survey),
        papers=block("papers", [one.row() for one in batch.values()]),
        most=str(_CELL),
    )
    turns = [Message("user", text, cache=True)]
    rows: dict[str, dict[str, Stated]] = {}
    problems: list[tuple[str, str, str]] = []
    doubts: dict[str, str] = {}
    for attempt in range(1, TRIES + 1):
        ask = Ask(purpose="survey.extract", messages=tuple(turns), temperature=0, max_tokens=8192)
        form = ask_for(ports, ask, AllFactsForm)
        rows |= {one.key: one.cells() for one in form.papers if one.key in batch}
        problems = facts_problems(rows, batch)
        problems += _doubts(rows, batch, problems, doubts, ports)
        if not problems or attempt == TRIES:
            break
        again = render("survey_again", problems=block("problems", [said for *_, said in problems]))
        turns += [Message("assistant", form.model_dump_json()), Message("user", again)]
    left_out = []
    for key, column, why in problems:
        left = rows.setdefault(key, dict.fromkeys(COLUMNS, Stated()))
        if column:
            left_out.append(LeftOutText(section=f"table: {key}", text=left[column].text, why=why))
            left[column] = Stated()
        else:
            left_out.append(LeftOutText(section=f"table: {key}", text="", why=why))
    return rows, left_out


def _doubts(
    rows: Mapping[str, Mapping[str, Stated]],
    batch: Mapping[str, Abstract],
    wrong: Sequence[tuple[str, str, str]],
    doubts: dict[str, str],
    ports: Ports,
) -> list[tuple[str, str, str]]:
    """As :func:`facts_problems`, of the other cells: those that their sentence does not carry at a second look.
    Each is looked at once; ``doubts`` keeps what came of it.
    """
    known = {(key, column) for key, column, _ in wrong}
    named = {
        (key, column): Claimed(
            f"{key}, {column}: {cell.sentence} {cell.text}",
            f"{column}: {cell.text}",
            (Evidence(key, cell.sentence),),
            batch,
        )
        for key, cells in rows.items()
        for column, cell in cells.items()
        if cell.text and (key, column) not in known
    }
    doubts |= doubted([one for one in named.values() if one.name not in doubts], ports)
    return [
        (key, column, f"{key}, {column}: {doubts[one.name]}")
        for (key, column), one in named.items()
        if doubts[one.name]
    ]


def facts_problems(
    rows: Mapping[str, Mapping[str, Stated]], batch: Mapping[str, Abstract]
) -> list[tuple[str, str, str]]:
    """(key, column, what is wrong) of every cell that its sentence does not carry; no column: no row."""
    problems = [(key, "", f"{key} has no row") for key in batch if key not in rows]
    for key, cells in rows.items():
        for column, cell in cells.items():
            trouble = next(iter(cell_problems(key, cell, batch)), "")
            problems += [(key, column, f"{key}, {column}: {trouble}")] if trouble else []
    return problems


def cell_problems(key: str, cell: Stated, abstracts: Mapping[str, Abstract]) -> Iterable[str]:
    """Why a sentence of an abstract does not carry a cell."""
    if not cell.text:
        return
    said: Sequence[str] = abstracts[key].sentences
    if not 1 <= cell.sentence < len(said):
        yield f"there is no sentence {cell.sentence}: the abstract has sentences 1 to {len(said) - 1}"
        return
    if len(cell.text) > _CELL:
        yield f"it has {len(cell.text)} characters, over {_CELL}: shorten it"
    evidence = (Evidence(key, cell.sentence),)
    if not stems(cell.text) & stems(said[cell.sentence]):
        yield f"sentence {cell.sentence} has no word in common with it: name the sentence that says it"
    yield from stray_numbers(cell.text, evidence, abstracts)
