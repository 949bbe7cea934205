"""The sweep's surveys: it finds by words, groups by year and quotes; it neither reads nor judges."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import shorten

from orchestrator.core.model import Ask
from orchestrator.research.sweep.wording import PromptData, json_reply, list_of

_CELL = 200  # characters
_QUOTED = 2  # papers of a group that the abstract quotes


def survey_scope(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The question as it is, and its longer words as searches."""
    question = data["question"]["question"]
    words = [word for word in question.split() if len(word) > 4]
    return json_reply(
        {
            "scope": f"What searches find for these words: {question[:600]}. builtin/sweep quotes it.",
            "questions": [
                "Which papers do the searches find?",
                "When were they published?",
                "What do their abstracts say?",
            ],
            "queries": list(dict.fromkeys([question[:200], *words]))[:6],
        }
    )


def no_more_searches(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    return json_reply({"queries": [], "done": True})


def found_relevant(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """Every record, since a sweep cannot judge."""
    why = "found by its words; builtin/sweep did not judge it"
    return json_reply(
        {"papers": [{"key": one["key"], "relevance": 2, "why": why} for one in data["papers"]]}
    )


def groups_by_year(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """The older half and the newer half; the papers of one year stay together."""
    papers = sorted(data["papers"], key=lambda one: one.get("year", 0))
    middle = papers[len(papers) // 2].get("year", 0)
    older = [one["key"] for one in papers if one.get("year", 0) < middle]
    newer = [one["key"] for one in papers if one.get("year", 0) >= middle]
    named = {"Older Papers": older, "Newer Papers": newer}
    groups = [
        {"name": name, "common": "Their years.", "differ": "", "papers": keys}
        for name, keys in named.items()
        if keys
    ]
    return json_reply({"groups": groups})


def quoted_facts(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """The first sentence as the method and the last as the finding, as far as a cell reaches."""
    rows = []
    for one in data["papers"]:
        said = one["sentences"]
        last = len(said) - 1
        cells = {"method": 1, "finding": last} if last > 1 else {"method": last}
        row: PromptData = {"key": one["key"]}
        for column, number in cells.items():
            row |= {
                column: shorten(said[str(number)], _CELL, placeholder=" …"),
                f"{column}_sentence": number,
            }
        rows.append(row)
    return json_reply({"papers": rows})


def quoted_part(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """A part of the text: quoted first sentences, and what is said of the survey itself."""
    papers = {one["key"]: one for one in data["papers"]}
    section, groups = data["section"], data["groups"]
    every = [key for one in groups for key in one["papers"][:_QUOTED]]
    keys = section.get("papers") or (every if section["name"] == "abstract" else [])
    quotes = [_quote(papers[key]) for key in keys]
    count = data["survey"]["papers"]
    self_said = {
        "comparison": "builtin/sweep compares no papers of this survey [[survey]].",
        "introduction": f"This survey quotes {count} papers in the groups "
        f"{list_of([one['name'] for one in groups])} [[survey]].",
        "conclusion": "This survey was made by a program that reads nothing, so it draws no conclusion [[survey]].",
        "abstract": f"This survey quotes {count} papers that searches found [[survey]].",
    }
    first = self_said.get(
        section["name"], "The papers of this group are quoted one after the other [[survey]]."
    )
    reply: PromptData = {"paragraphs": [" ".join([first, *quotes])]}
    if section["name"] == "abstract":
        reply["title"] = f"What Searches Find: {data['question']['question'][:120]}"
    return json_reply(reply)


def _quote(paper: PromptData) -> str:
    said, number = paper["sentences"], min(1, len(paper["sentences"]) - 1)
    text = " ".join(said[str(number)].rstrip(".!?").replace("[[", "").replace("]]", "").split())
    return f"[[{paper['key']}:{number}]] write: “{text}”."


def no_fix(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """Every sentence that cannot be printed is left out."""
    return json_reply({"fixes": [{"number": one["number"], "text": ""} for one in data["wrong"]]})


SURVEY_ANSWERS: dict[str, Callable[[PromptData, Ask], str]] = {
    "survey.plan": survey_scope,
    "survey.search": no_more_searches,
    "survey.select": found_relevant,
    "survey.cluster": groups_by_year,
    "survey.extract": quoted_facts,
    "survey.write": quoted_part,
    "survey.fix": no_fix,
}
