"""The second look at a paper: its author reads all sections and figures at once, corrects passages, and writes
again the sections that get better.

One request asks for both: each would repeat the whole conversation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import BadReply, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.record.paper_notes import EditRefused
from orchestrator.record.ports import Ports
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.word_count import prose_words
from orchestrator.research.prompts import block, render, text_block
from orchestrator.research.replies import ask_and_use, parse_reply
from orchestrator.research.reply_form import as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.correcting import PassagesForm, with_passages
from orchestrator.research.stages.sections import (
    PRINT_ORDER,
    SECTIONS,
    section_named,
    section_problems,
    section_text,
)

REFINED_TOKENS = 24_576
"""Of an answer that may hold every section."""
SECTION_LINE = re.compile(
    r"^%{1,4}[ \t]*SECTION[ \t:]+([\w ]{1,40}?)[ \t.:]*$", re.MULTILINE | re.IGNORECASE
)
"""The line before each section of an answer that holds several."""
_FENCE = re.compile(r"^```(?:latex|tex)?[ \t]*$", re.MULTILINE)


def refined(study: Study, ports: Ports) -> tuple[Study, tuple[str, ...]]:
    """The study after its author read the whole paper, and the names of the sections that changed. Raises
    :class:`BadReply` while the answer breaks rules.
    """
    texts = dict(study.sections)
    task = render(
        "writeup_read",
        now=corrected_sections(study),
        figures=block("figures", [one.name for one in study.pictures]),
        lengths=block("lengths", lengths(study)),
    )
    turn = (*study.said, Message("user", task, cache=True))

    def use(reply: Reply, ask: Ask) -> tuple[PassagesForm, dict[str, str]]:
        text = require_whole(reply, ask).text
        problems, found = read_sections(study, texts, text)
        if any('"corrections"' in one for one in found.values()):
            problems.insert(0, "the object with `corrections` stands before the first section")
        if problems:
            raise WrongFormat(
                "the refined sections break rules of the paper",
                where=TEX,
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        return _passages(text), found

    ask = Ask(purpose="writeup.read", messages=turn, max_tokens=REFINED_TOKENS)
    form, written = ask_and_use(ports, ask, use, told_again)
    after, refused = with_passages(study, texts | written, form.corrections)
    if refused:
        ports.note(EditRefused(why=tuple(refused)))
    told = (as_said(form), as_sections(written))
    said = (*turn, Message("assistant", "\n\n".join(filter(None, told))))
    changed = tuple(name for name, text in after.items() if text != texts[name])
    return replace(study, said=said, sections=tuple(after.items())), changed


def _passages(text: str) -> PassagesForm:
    """The passages of an answer, before its sections; where there are sections, none are needed."""
    first, *sections = SECTION_LINE.split(_unfenced(text))
    if sections and "{" not in first:
        return PassagesForm()
    return parse_reply(first, PassagesForm)


def as_sections(texts: Mapping[str, str]) -> str:
    """Sections as one answer holds them, each after a line that names it."""
    return "\n\n".join(f"%% SECTION {name}\n\n{text}" for name, text in texts.items())


def told_again(error: BadReply) -> str:
    """What the author of a text that breaks rules is told."""
    return render("writeup_again", problems="\n".join(f"- {row}" for row in error.why.splitlines()))


def corrected_sections(study: Study) -> str:
    """The sections that stand otherwise than their author wrote them."""
    answers = [one.content for one in study.said if one.role == "assistant"]
    own = {*answers, *(part.strip() for one in answers for part in SECTION_LINE.split(one)[2::2])}
    rows = [text_block(name, text) for name, text in study.sections if text not in own]
    return "\n\n".join(rows) or "(none)"


def lengths(study: Study) -> dict[str, str]:
    """The words that each section is to have, and has, in the order of print."""
    rows = {}
    for name, text in sorted(study.sections, key=lambda row: PRINT_ORDER.index(row[0])):
        first, last = section_named(name).length(len(study.runs))
        rows[name] = f"{first} to {last} words, now {prose_words(text)}"
    return rows


def read_sections(
    study: Study, texts: Collection[str], reply: str
) -> tuple[list[str], dict[str, str]]:
    """Every rule that a reply breaks, and its sections by name."""
    _, *parts = SECTION_LINE.split(_unfenced(reply))
    problems = list[str]()
    found: dict[str, str] = {}
    for said, part in zip(parts[::2], parts[1::2], strict=True):
        name = _name_of(said)
        if name not in texts:
            problems.append(f"no section is named {said!r}: {', '.join(texts)}")
            continue
        section = section_named(name)
        found[name] = section_text(part, section)
        wrong = section_problems(study, section, found[name], study.skeleton)
        problems += [f"{name}: {problem}" for problem in wrong]
    return problems, found


def _name_of(said: str) -> str:
    """A section's name, also where its heading is given: "Related Work"."""
    words = " ".join(said.lower().split())
    return next((one.name for one in SECTIONS if words in {one.name, one.part}), words)


def _unfenced(reply: str) -> str:
    """A reply without a fence around all of it; sections in fences of their own keep them."""
    text = reply.strip()
    around = _FENCE.match(text) and SECTION_LINE.match(text.partition("\n")[2].lstrip())
    if not around or not text.endswith("\n```"):
        return reply
    return text.partition("\n")[2].removesuffix("```")
