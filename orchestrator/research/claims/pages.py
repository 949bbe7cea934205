"""The text of a paper's pages compared with its source: no command prints a number by itself."""

from __future__ import annotations

import re

from orchestrator.research.claims.macros import MEASURED
from orchestrator.research.claims.printed import printed_numbers
from orchestrator.research.paper.visible import visible_text


def numbers_only_on_pages(pages: tuple[str, ...], tex: str) -> list[str]:
    """Problems: numbers on the pages, before the references, that the source does not contain."""
    # A line with only an integer is a page number, or a line number in the margin.
    text = re.sub(r"(?m)^\s*\d+\s*$", "", "\n".join(pages))
    before_references = re.split(r"\n\s*References\s*\n", text, flags=re.IGNORECASE)[0]
    before_references = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", before_references)
    tex = MEASURED.sub("", tex)
    known = {abs(number.value) for number in printed_numbers(visible_text(tex))}
    joined = {re.sub(r"\D", "", one) for one in re.findall(r"\d[\d^{}\s.,$]*", tex)}
    # Years and short integers are skipped: they also number pages, sections and figures.
    sections = tex.count(r"\section") if r"\subsection" in tex else 0
    problems = []
    for number in printed_numbers(before_references):
        if number.spelled:
            continue
        year = re.fullmatch(r"(?:1[89]|20)\d\d", number.text)
        heading = re.fullmatch(r"(\d{1,2})\.\d{1,2}", number.text)
        structural = year or (heading and int(heading[1]) <= sections)
        long = "." in number.text or abs(number.value) >= 100
        # A superscript stands beside its base in a page's text: 10^4 is "104" there.
        superscript = number.text.lstrip("-") in joined
        if long and abs(number.value) not in known and not structural and not superscript:
            problems.append(
                f"a page prints {number.text!r}, which its source does not show as a number"
            )
    return problems
