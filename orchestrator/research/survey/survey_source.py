"""A survey as LaTeX: its text, its tables, its references, how it was made, and every cited sentence."""

from __future__ import annotations

from orchestrator.core.literature import PaperRef
from orchestrator.core.model import SWEEP
from orchestrator.literature.bibtex.entries import entry
from orchestrator.research.paper.latex import BEGIN, END, escape
from orchestrator.research.survey.evidence_marks import EvidenceNumbers, printable, prose
from orchestrator.research.survey.section_checking import ABSTRACT, COMPARISON, INTRODUCTION
from orchestrator.research.survey.survey_tables import group_tables, years_table
from orchestrator.research.survey.survey_values import LiteratureSurvey, SurveySection

_HEAD = r"""\documentclass[10pt,letterpaper,twocolumn]{article}
\usepackage{aisci}
\newcommand{\evidence}[1]{\textsuperscript{#1}}
\newcommand{\evlink}[1]{\hyperlink{evidence.#1}{E#1}}
\newcommand{\evtarget}[1]{\raisebox{\baselineskip}[0pt][0pt]{\hypertarget{evidence.#1}{}}\textbf{E#1}}
\newcommand{\none}{--}
\date{}
"""
SHIPPED_LIST = "template"
_SOURCES = {
    SHIPPED_LIST: "the lists of papers that aisci ships",
    "library": "the user's own library",
}
_ALL_LOST = "Every sentence that was written for this section is left out, since no cited sentence carries it."


def survey_source(survey: LiteratureSurvey, note: str) -> str:
    """The whole source; ``note`` says below the author that no person wrote it."""
    numbers = EvidenceNumbers()
    by_name = {one.name: one for one in survey.sections}
    title = printable(survey.title)
    author = rf"{escape(survey.task.author)}\\ {{\small {escape(note)}}}"
    front = _paragraphs(survey, by_name[ABSTRACT], numbers, short=True)
    order = [INTRODUCTION, *(name for name in by_name if name.startswith("group_")), COMPARISON]
    order += [name for name in by_name if name not in {*order, ABSTRACT}]
    sections = [_section(survey, by_name[name], numbers) for name in order]
    parts = [
        f"{_HEAD}{_bibliography(survey.kept)}\\title{{{title}}}\n\\author{{{author}}}\n{BEGIN}\n\\maketitle",
        f"\\begin{{abstract}}\n{front}\n\\end{{abstract}}\n{_how_to_read(survey)}",
        *sections,
        "\\bibliographystyle{plainnat}\n\\bibliography{references}\n\n\\FloatBarrier\n\\appendix",
        _how_made(survey),
        _evidence(survey, numbers),
        END,
    ]
    return "\n\n".join(parts) + "\n"


def _bibliography(papers: tuple[PaperRef, ...]) -> str:
    entries = "\n\n".join(filter(None, map(entry, papers)))
    return (
        f"\\begin{{filecontents}}[overwrite]{{references.bib}}\n{entries}\n\\end{{filecontents}}\n"
    )


def _paragraphs(
    survey: LiteratureSurvey,
    section: SurveySection,
    numbers: EvidenceNumbers,
    *,
    short: bool = False,
) -> str:
    texts = [
        " ".join(prose(one, survey.abstracts, numbers, short=short) for one in paragraph)
        for paragraph in section.paragraphs
    ]
    return "\n\n".join(texts) or rf"\emph{{{_ALL_LOST}}}"


def _section(survey: LiteratureSurvey, section: SurveySection, numbers: EvidenceNumbers) -> str:
    head = rf"\section{{{printable(section.heading)}}}"
    text = _paragraphs(survey, section, numbers)
    if section.name == INTRODUCTION:
        said = r"Table~\ref{tab:years} counts the papers of each group by their year."
        return f"{head}\n{text}\n\n{said}\n\n{years_table(survey)}"
    if not section.name.startswith("group_"):
        return f"{head}\n{text}"
    at = int(section.name.rpartition("_")[2])
    table = group_tables(survey, numbers, survey.groups[at - 1])
    said = rf"Table~\ref{{tab:group{at}}} lists what each of these papers says of itself."
    return f"{head}\n{text}\n\n{said}\n\n{table}"


def _how_to_read(survey: LiteratureSurvey) -> str:
    author = printable(survey.task.author)
    look = (
        "not that the statement follows from it."
        if survey.task.author == SWEEP
        else f"{author} was then shown each statement beside the cited sentences alone, and asked whether they carry it."
    )
    none = sum(not one.known for one in survey.abstracts.values())
    bare = (
        f" No abstract is known of {none} of the papers, so that nothing but their titles is cited."
        if none
        else ""
    )
    lost = sum(bool(one.text) for one in survey.left_out)
    left = (
        f" Left out, since the cited sentences do not carry it: {lost} of the author's sentences and cells."
        if lost
        else ""
    )
    return (
        r"{\small\textbf{How to read this.} It was written from titles and abstracts alone; no full text was read. A mark such as "
        r"\evlink{1} links to the sentence of an abstract that a statement rests on, quoted in "
        r"Appendix~\ref{app:evidence}. The program checked that each statement cites such a sentence, shares words with "
        f"it, and has no number that it lacks; {look} Sentences without a mark are about the survey itself.{bare}{left}\\par}}"
    )


def _how_made(survey: LiteratureSurvey) -> str:
    """What was asked, searched, found and kept, as the record has it."""
    judged = survey.judged
    questions = "".join(rf"\item {printable(one)}" + "\n" for one in survey.scope.questions)
    rows = "\n".join(
        rf"{printable(one.query)} & {one.found} & {one.new} \\" for one in survey.searches
    )
    silent = sorted({
        (e.engine, e.why) for one in survey.searches for e in one.engines if e.state != "answered"
    })  # fmt: skip
    asked = sorted({
        _SOURCES.get(e.engine, e.engine)
        for one in survey.searches
        for e in one.engines
        if e.state == "answered"
    })  # fmt: skip
    failed = "".join(
        f" At least once, {printable(name)} gave no answer ({printable(why)})."
        for name, why in silent[:6]
    )
    return (
        "\\section{How This Survey Was Made}\n"
        rf"The question was: \emph{{{printable(survey.task.question)}}}. It was divided into these questions:"
        f"\n\\begin{{itemize}}\n{questions}\\end{{itemize}}\n"
        f"Searched were: {printable(', '.join(asked) or 'nothing')}.{failed} The {len(survey.searches)} searches "
        f"found {len(judged)} different records. The author judged each by its title and abstract; "
        f"{len(survey.kept)} are kept, of at most {survey.task.papers}, and the file survey.json gives the reason for "
        "each of all records.\n\n{\\small\n\\begin{tabularx}{\\columnwidth}"
        "{@{}>{\\raggedright\\arraybackslash}Xrr@{}}\n\\toprule\nSearch & Found & New \\\\\n\\midrule\n"
        f"{rows}\n\\bottomrule\n\\end{{tabularx}}\\par}}"
    )


def _evidence(survey: LiteratureSurvey, numbers: EvidenceNumbers) -> str:
    """Every cited sentence as its abstract has it, by paper, in the order of their first mention."""
    by_paper: dict[str, list[str]] = {}
    for number, one in numbers.items():
        said = printable(survey.abstracts[one.key].sentences[one.sentence])
        where = f"sentence~{one.sentence}" if one.sentence else "title"
        if one.sentence and survey.abstracts[one.key].paper.source == SHIPPED_LIST:
            where += " of the summary that aisci ships"
        quote = rf"\item[\evtarget{{{number}}}] {said} \emph{{({where})}}"
        by_paper.setdefault(one.key, []).append(quote)
    blocks = []
    for key, quotes in by_paper.items():
        listed = "\n".join(quotes)
        blocks.append(
            rf"\textbf{{\citet{{{key}}}}}: {printable(survey.abstracts[key].paper.title)}\nopagebreak"
            f"\n\\begin{{description}}[leftmargin=2.4em,style=sameline,beginpenalty=10000,font=\\normalfont]\n{listed}\n\\end{{description}}"
        )
    body = "\n\n".join(blocks)
    return (
        "\\section{Evidence}\\label{app:evidence}\nThe sentences of abstracts that the text and the tables cite, as "
        f"their sources have them.\n\n{{\\small\n{body}\n\\par}}"
    )
