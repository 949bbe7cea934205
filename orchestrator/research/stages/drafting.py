"""Drafts: the author of a paper writes one section, or several short ones that belong together, in one answer.

What is asked together costs the conversation once: the facts and all earlier sections go along with every request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_and_use
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.refining import (
    SECTION_LINE,
    as_sections,
    read_sections,
    told_again,
)
from orchestrator.research.stages.sections import Section, section_named

DRAFTS = (
    ("setup",), ("method",), ("results",), ("discussion",), ("background", "related"), ("introduction",),
    ("conclusion", "abstract", "title"),
)  # fmt: skip
"""The sections in the order in which they are written, those of one request together."""
_TOKENS = 8192  # of one request's sections


def placeholder(section: Section, skeleton: str) -> str:
    """The words of the template in whose place the section stands; empty if it has none."""
    source = latex.uncommented(skeleton)
    return next((name for name in section.placeholders if name in source), "")


def drafted(study: Study, names: tuple[str, ...], purpose: str, ports: Ports) -> Study:
    """The study with these sections as their author wrote them. Raises :class:`BadReply`."""
    turn = with_task(study.said, draft_task(study, names))

    def use(reply: Reply, ask: Ask) -> dict[str, str]:
        problems, found = _read(study, names, require_whole(reply, ask).text)
        if problems:
            raise WrongFormat(
                f"{' and '.join(names)} break{'s' * (len(names) == 1)} rules of the paper",
                where=f"{TEX}, {', '.join(names)}",
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        return found

    ask = Ask(purpose=purpose, messages=tuple(turn), max_tokens=_TOKENS)
    written = ask_and_use(ports, ask, use, told_again)
    said = written[names[0]] if len(names) == 1 else as_sections(written)
    sections = (*study.sections, *((name, written[name]) for name in names))
    return replace(study, said=(*turn, Message("assistant", said)), sections=sections)


def _read(study: Study, names: Sequence[str], text: str) -> tuple[list[str], dict[str, str]]:
    """Every rule that a reply breaks, and its sections; a section that is asked for alone needs no line
    that names it.
    """
    alone = len(names) == 1 and not SECTION_LINE.search(text)
    problems, found = read_sections(study, names, as_sections({names[0]: text}) if alone else text)
    missing = [name for name in names if name not in found]
    problems += [f"no line '%% SECTION {name}' begins that section" for name in missing]
    if len(names) == 1:  # its author is told of no name that was not asked for
        problems = [row.removeprefix(f"{names[0]}: ") for row in problems]
    return problems, found


def draft_task(study: Study, names: Sequence[str]) -> str:
    """What the author of one section, or of several together, is asked."""
    spans = {name: section_named(name).length(len(study.runs)) for name in names}
    lengths = [f"{name}, {first} to {last} words" for name, (first, last) in spans.items()]
    guides = "\n\n".join(prompt_text(f"writeup_{name}").strip() for name in names)
    asked = {
        "sections": "; ".join(lengths),
        "task": block("task", {"sections": [*names]}),
        "guide": guides,
    }
    if len(names) == 1:
        return render("writeup_section", **asked)
    return render("writeup_sections", **asked, example=as_sections(dict.fromkeys(names, "…")))


def with_task(said: tuple[Message, ...], task: str) -> list[Message]:
    """The conversation with one task more."""
    *earlier, last = said
    if last.role == "user":  # vendors want turns: the facts and the first task are one message
        return [*earlier, replace(last, content=f"{last.content}\n{task}")]
    return [*said, Message("user", task, cache=True)]
