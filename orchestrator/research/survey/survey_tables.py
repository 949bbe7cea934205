"""The tables of a survey, made by the program: method, year, data and finding of each paper; papers by year."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from orchestrator.research.survey.evidence_marks import EvidenceNumbers, printable
from orchestrator.research.survey.survey_values import Group, LiteratureSurvey, PaperFacts

_LINES = 50  # of one table in small print; a longer one is divided
_MOST_SPANS = 6  # columns of years
_WIDE = r">{\raggedright\arraybackslash\hsize="
_ROOM = {"method": 30, "data": 22, "finding": 44}  # characters on a line of a column


def group_tables(survey: LiteratureSurvey, numbers: EvidenceNumbers, group: Group) -> str:
    """The table of a group, in parts that each fit a page; the first has the label of the group."""
    at = survey.groups.index(group) + 1
    rows = [one for key in group.keys for one in survey.facts if one.key == key]
    parts, lines = [[]], 0  # type: list[list[PaperFacts]], int
    for row in rows:
        height = _height(row)
        if parts[-1] and lines + height > _LINES:
            parts.append([])
            lines = 0
        parts[-1].append(row)
        lines += height
    return "".join(
        _table(survey, numbers, group, part, at if first else 0) for part, first in _first(parts)
    )


def _first(parts: list[list[PaperFacts]]) -> list[tuple[list[PaperFacts], bool]]:
    return [(part, number == 0) for number, part in enumerate(parts)]


def _height(row: PaperFacts) -> int:
    cells = {"method": row.method.text, "data": row.data.text, "finding": row.finding.text}
    return 1 + max(ceil(len(text) / _ROOM[name]) for name, text in cells.items())


def _table(
    survey: LiteratureSurvey,
    numbers: EvidenceNumbers,
    group: Group,
    rows: Sequence[PaperFacts],
    number: int,
) -> str:
    """One table; ``number`` 0 is the continuation of another."""
    body = "\\addlinespace\n".join(_row(survey, numbers, row) for row in rows)
    more = "" if number else " (continued)"
    label = rf"\label{{tab:group{number}}}" if number else ""
    return (
        "\\begin{table*}[t]\n\\centering\\footnotesize\n"
        rf"\caption{{{printable(group.name)}{more}: what each abstract says. A dash: it does not say it."
        f"}}{label}\n"
        rf"\begin{{tabularx}}{{\textwidth}}{{@{{}}>{{\raggedright\arraybackslash}}p{{0.15\textwidth}}r"
        rf"{_WIDE}0.95\hsize}}X{_WIDE}0.7\hsize}}X{_WIDE}1.35\hsize}}X@{{}}}}"
        "\n\\toprule\nPaper & Year & Method & Data & Main finding \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabularx}}\n\\end{{table*}}\n"
    )


def _row(survey: LiteratureSurvey, numbers: EvidenceNumbers, row: PaperFacts) -> str:
    abstract = survey.abstracts[row.key]
    head = rf"\citeauthor{{{row.key}}} & \citeyear{{{row.key}}}"
    if not abstract.known:
        return (
            rf"{head} & \multicolumn{{3}}{{l}}{{\emph{{no abstract is known: cited for existing only}}}} \\"
            "\n"
        )
    cells = [numbers.cell(row.key, one) for one in (row.method, row.data, row.finding)]
    return rf"{head} & {' & '.join(cells)} \\" "\n"


def years_table(survey: LiteratureSurvey) -> str:
    """How many papers of each group were published when."""
    year_of = {one.key: one.year for one in survey.kept}
    spans = year_spans([year for year in year_of.values() if year])
    heads = " & ".join(f"{a}" if a == b else f"{a}--{b}" for a, b in spans)
    rows = []
    for group in (*survey.groups, None):
        keys = group.keys if group else tuple(year_of)
        counts = [sum(a <= (year_of[key] or 0) <= b for key in keys) for a, b in spans]
        cells = " & ".join(str(count) if count else "" for count in counts)
        name = printable(group.name) if group else r"\midrule" + "\nAll"
        rows.append(rf"{name} & {cells} & {len(keys)} \\")
    body = "\n".join(rows)
    return (
        "\\begin{table*}[t]\n\\centering\\small\n\\caption{Papers of each group by year of publication.}"
        f"\\label{{tab:years}}\n\\begin{{tabularx}}{{0.85\\textwidth}}{{@{{}}>{{\\raggedright\\arraybackslash}}X"
        f"{'r' * (len(spans) + 1)}@{{}}}}\n\\toprule\n"
        f"Group & {heads} & All \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabularx}}\n\\end{{table*}}\n"
    )


def year_spans(years: Sequence[int]) -> list[tuple[int, int]]:
    """The years as single ones, or as spans of equal length that end with the last one."""
    if not years:
        return []
    first, last = min(years), max(years)
    single = sorted(set(years))
    if len(single) <= _MOST_SPANS:
        return [(year, year) for year in single]
    length = ceil((last - first + 1) / _MOST_SPANS)
    ends = range(last, first - 1, -length)
    return [(max(first, end - length + 1), end) for end in reversed(ends)]
