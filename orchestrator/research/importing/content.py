"""The files of a results folder as values of research, and what is missing in it. Pure: the same files
give the same values, so that a run is played again from the recorded files alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orchestrator.core.errors import BadResults
from orchestrator.core.papers import Review
from orchestrator.core.research import BASELINE, Figure, Idea, Run
from orchestrator.core.sanitize import plain_line
from orchestrator.core.strict_json import loads
from orchestrator.core.tree import Tree, digest
from orchestrator.core.untrusted import check_depth
from orchestrator.research.importing.imported_review import read_review
from orchestrator.research.importing.included import with_included
from orchestrator.research.importing.notes_file import ReadNotes, RunNote, read_notes
from orchestrator.research.importing.paper_source import captions, split_paper, with_own_references
from orchestrator.research.importing.parts import ImportedParts
from orchestrator.research.importing.values import ImportedContent, SplitPaper
from orchestrator.research.paper.latex import TEX, graphics
from orchestrator.research.paper.latex_words import source_problems
from orchestrator.template.results import Results, parse_final_info

_TIMED = re.compile(r"\d{8}_\d{6}_(.+)")
_INFO = re.compile(r"run_(\d{1,3})/final_info\.json")
_MOST_RUNS = 100
_MOST_TEX = 1 << 20  # bytes of a paper's source
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_FIGURE = "the paper shows it, and it is no PNG file of the folder: its figure is left out"
_PROBLEMS = 5  # of a source that are named
_IMPROVED = "_improved.pdf"
_REVIEWS = ("review_improved.txt", "review.txt")
"""The review of the last version of the paper comes first."""


def read_content(files: Mapping[str, bytes], name: str) -> ImportedContent:
    """What the ``files`` of the folder called ``name`` say."""
    missing: list[tuple[str, str]] = []
    text = files.get("notes.txt", b"").decode("utf-8", errors="replace")
    notes = read_notes(text)
    idea, idea_from = _idea(files, name, notes, missing)
    results = tuple(_results(files, missing))
    runs = tuple(_runs(files, [number for number, _ in results], notes))
    paper, figures = _paper(files, missing)
    pdf = _pdf(files, idea.name)
    reviews = tuple(_reviews(files, missing))
    for there, what, why in (
        (text, "notes.txt", "no run has a description"),
        (pdf, "the PDF of the paper", "there is no such file"),
        (figures, "figures", "there is no PNG file"),
        (reviews, "a review", "there is no review.txt that can be read"),
        ("run_0.py" in files, "run_0.py", "the code of the baseline is not known"),
    ):
        missing += [] if there else [(what, why)]
    return ImportedContent(
        folder=name,
        idea=idea,
        idea_from=idea_from,
        notes=text,
        runs=runs,
        results=results,
        figures=figures,
        paper=paper,
        pdf=digest(pdf) if pdf else "",
        reviews=reviews,
        missing=tuple(missing),
    )


def _idea(
    files: Mapping[str, bytes], folder: str, notes: ReadNotes, missing: list[tuple[str, str]]
) -> tuple[Idea, str]:
    """The idea that the folder is named after: from a list, from the notes, or from the name alone."""
    timed = _TIMED.fullmatch(folder)
    name = timed[1] if timed else folder
    for path in ("ideas.json", "seed_ideas.json"):
        for row in _listed(files, path, missing):
            if str(row["Name"]).strip().lower() == name.lower():
                return _idea_of(row), path
    if notes.title or notes.experiment:
        title = notes.title or name
        return _idea_of({"Name": name, "Title": title, "Experiment": notes.experiment}), "notes.txt"
    missing.append(("the idea", f"no list of ideas has one named {name[:80]!r}, and no notes do"))
    return _idea_of({"Name": name, "Title": name.replace("_", " ")}), "the folder's name"


def _listed(
    files: Mapping[str, bytes], path: str, missing: list[tuple[str, str]]
) -> Iterator[Mapping[str, str | int]]:
    """Each usable idea of a list."""
    if path not in files:
        return
    try:
        rows = loads(files[path])
        check_depth(rows)
    except ValueError as error:
        missing.append((path, str(error)[:200]))
        return
    for row in rows[:1000] if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("Name"), str):
            yield {key: one for key, one in row.items() if isinstance(one, str | int)}


def _idea_of(row: Mapping[str, str | int]) -> Idea:
    """An idea within the bounds of our own ``ideas.json``."""
    name = plain_line(row["Name"], limit=79) or "imported"
    title = plain_line(row.get("Title") or name, limit=199)
    return Idea(
        name=name,
        title=title,
        experiment=str(row.get("Experiment") or title)[:4000],
        interestingness=_mark(row.get("Interestingness")),
        feasibility=_mark(row.get("Feasibility")),
        novelty=_mark(row.get("Novelty")),
    )


def _mark(value: str | int | None) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 10 else None


def _results(
    files: Mapping[str, bytes], missing: list[tuple[str, str]]
) -> Iterator[tuple[int, Results]]:
    """The results of each run whose numbers can be read, in the order of their numbers."""
    found = {int(match[1]): path for path in files if (match := _INFO.fullmatch(path))}
    for number in sorted(found)[:_MOST_RUNS]:
        try:
            results = parse_final_info(files[found[number]])
        except BadResults as error:
            missing.append((f"the results of run {number}", error.why[:200]))
            continue
        if results.metrics:
            yield number, results
        else:
            missing.append((f"the results of run {number}", "no number is finite"))


def _runs(files: Mapping[str, bytes], numbers: list[int], notes: ReadNotes) -> Iterator[Run]:
    """A run for each of ``numbers``; in the AI Scientist's way each starts from the code of the one before."""
    names, before = {BASELINE}, 0
    for number in numbers:
        note = notes.runs.get(number, RunNote("", ""))
        name = BASELINE if number == 0 else note.title or f"run {number}"
        name = f"{name[:50]} ({number})" if number and name in names else name
        names.add(name)
        source = files.get(f"run_{number}.py")
        path = f"run_{number}/final_info.json"
        yield Run(
            number=number,
            code=Tree.of({"experiment.py": digest(source)} if source is not None else {}),
            files=Tree.of({path: digest(files[path])}),
            description=note.description or f"run {number}; nothing is said of it",
            attempts=0,
            seconds=0.0,
            name=name,
            base=before,
        )
        before = number


def _paper(
    files: Mapping[str, bytes], missing: list[tuple[str, str]]
) -> tuple[SplitPaper | None, tuple[Figure, ...]]:
    """The source of the paper, and the figures that it shows; every figure where there is no source."""
    own = (path for path in files if path.count("/") <= 1 and files[path].startswith(_PNG))
    drawn = tuple(dict.fromkeys(path.removeprefix("latex/") for path in own))
    source = files.get(TEX)
    why = "there is no such file" if source is None else ""
    if source is not None and len(source) > _MOST_TEX:
        why = f"it has {len(source)} bytes, over {_MOST_TEX}"
    if source is not None and not why:
        try:
            tex, _ = with_included(
                source.decode("utf-8").replace("\r\n", "\n"), ImportedParts(files)
            )
            tex = with_own_references(tex, files)
            paper, figures = split_paper(tex), captions(tex, frozenset(drawn))
        except ValueError as error:  # also of bytes that are no text
            why = str(error)[:200]
        else:
            missing += [(TEX, one) for one in source_problems(tex)[:_PROBLEMS]]
            lost = dict.fromkeys(name for name in graphics(tex) if name not in drawn)
            missing += [(name[:80], _NO_FIGURE) for name in [*lost][:_PROBLEMS]]
            return paper, figures
    missing.append((TEX, why))
    return None, tuple(Figure(name=name, caption="") for name in drawn)


def _pdf(files: Mapping[str, bytes], name: str) -> bytes:
    """The last version of the paper as PDF; empty where there is none."""
    pdfs = [path for path in files if path.endswith(".pdf") and "/" not in path]
    order = [f"{name}{_IMPROVED}", *(path for path in pdfs if path.endswith(_IMPROVED))]
    order += [f"{name}.pdf", *pdfs]
    return next((files[path] for path in order if files.get(path, b"").startswith(b"%PDF")), b"")


def _reviews(files: Mapping[str, bytes], missing: list[tuple[str, str]]) -> Iterator[Review]:
    for path in _REVIEWS:
        if path in files:
            try:
                yield read_review(files[path])
            except ValueError as error:
                missing.append((path, str(error)[:200]))
