"""The paper's source from its parts: skeleton, sections, tables, figures, references, appendix."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.research import BASELINE
from orchestrator.record.ports import Ports
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import rendered, with_compared
from orchestrator.research.looking.code import unified_difference
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.appendix import appendix
from orchestrator.research.paper.code_listing import CodeChange, appendix_code
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.results_tables import results_tables
from orchestrator.research.paper.shape import not_verified_note
from orchestrator.research.paper.tables import RESULTS_MARKER, RUNS_MARKER, runs_table
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import differences_by_run
from orchestrator.research.stages.sections import SECTIONS

CODE_HEADING = r"\section{Changes of the Code}"
_CODE = (
    "What each run changed in the code that it started from, as a unified difference. The code that "
    r"draws figures is left out.\par\nopagebreak"
)
_APPENDIX = "APPENDIX HERE"
_TITLE = r"\maketitle"
# A link in the text's colour: in that of links, a number looks like a citation. Protected, since a caption is
# expanded before it is set.
_MEASURED = (
    r"\ifdefined\measured\else\protected\def\measured#1#2#3{"
    r"\ifdefined\hyperlink\hyperlink{#2}{{\normalcolor#3}}\else#3\fi}\fi"
    "\n"
)


def paper_source(study: Study, ports: Ports) -> str:
    return ports.text(study.tree.as_dict()[TEX])


def with_source(study: Study, ports: Ports, tex: str) -> Study:
    return replace(study, tree=study.tree.updated({TEX: ports.keep(tex)}))


def assembled(study: Study, ports: Ports, ledger: Ledger) -> Study:
    """The study with its paper's source, made from its skeleton and sections."""
    tex, written = study.skeleton, dict(study.sections)
    ledger = with_compared(ledger, written.values())
    for section in SECTIONS:
        source = latex.uncommented(tex)
        placeholder = next((name for name in section.placeholders if name in source), "")
        if placeholder and section.name in written:
            text, _ = rendered(written[section.name], ledger, plain=section.name == "title")
            tex = tex.replace(placeholder, text, 1)
    results = "\n".join(results_tables(ledger))
    tex = tex.replace(RESULTS_MARKER, results).replace(RUNS_MARKER, runs_table(study.runs))
    tex = _with_appendix(references.pruned(tex), study, ports, ledger)
    tex = tex.replace(latex.BEGIN, _MEASURED + latex.BEGIN, 1)
    if study.unresolved:
        tex = tex.replace(_TITLE, _TITLE + not_verified_note(study.unresolved), 1)
    return with_source(study, ports, tex)


def _with_appendix(tex: str, study: Study, ports: Ports, ledger: Ledger) -> str:
    """``tex`` with the settings, every result, and what each run changed, after the references."""
    listing = appendix_code(_changes(study, ports))
    parts = [appendix(ledger, tex), *([CODE_HEADING, _CODE, listing] if listing else [])]
    text = "\n".join(parts)
    if _APPENDIX in latex.uncommented(tex):
        return tex.replace(_APPENDIX, text, 1)
    return tex.replace(latex.END, f"\\clearpage\n\\appendix\n{text}\n{latex.END}", 1)


def _changes(study: Study, ports: Ports) -> tuple[CodeChange, ...]:
    """What each run changed in the code that it started from; how figures are drawn is no part of it."""
    own = frozenset({"plot.py"})
    texts = differences_by_run(study, ports, leaving_out=own, said=unified_difference)
    names = {run.number: run.name if run.number else BASELINE for run in study.runs}
    return tuple(
        CodeChange(run.name, names[run.base], texts[run.name])
        for run in study.runs
        if run.name in texts
    )
