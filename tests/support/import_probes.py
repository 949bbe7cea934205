r"""Papers about :mod:`tests.support.probe_study` as a stranger writes them: what ± stands for is said in one place and
used in another, and sections have headings that no paper of ours has.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from orchestrator.research.claims.check import check_source
from orchestrator.research.importing.paper_source import split_paper
from orchestrator.research.paper.latex import BEGIN, END
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import verify
from tests.support.probe_study import ledger

RUN_1 = "On enwik8, run 1 has a validation loss of"
_FILL = "We train small models and compare four runs."


def paper(
    results: str = _FILL,
    *,
    before: str = "",
    after: str = "",
    abstract: str = _FILL,
    setup: str = _FILL,
) -> str:
    """A source with the usual sections, and others before and after the results."""
    return "\n".join(
        [
            rf"\documentclass{{article}}\title{{Dropout}}{BEGIN}\maketitle",
            rf"\begin{{abstract}}{abstract}\end{{abstract}}",
            rf"\section{{Introduction}}{_FILL}",
            rf"\section{{Experimental Setup}}{setup}",
            before,
            rf"\section{{Results}}{results}",
            after,
            rf"\section{{Conclusion}}{_FILL}",
            END,
        ]
    )


def problems(tex: str) -> dict[str, list[str]]:
    """What is wrong with a paper in each way to check it: as a folder, and as an imported study."""
    split = split_paper(tex)
    made: Any = SimpleNamespace(sections=split.sections, skeleton=split.skeleton, typed=True)
    study, known = cast("Study", made), ledger()
    folder = check_source(tex, known, strict=False)
    own = [said for _, _, one in verify.wrong_in(study, known) for said in one.problems]
    kept = verify.kept_problems(study, known)
    return {"folder": [said for one in folder for said in one.problems], "study": [*own, *kept]}


_SD, _SE = rf"{RUN_1} $0.970 \pm 0.010$.", rf"{RUN_1} $0.970 \pm 0.006$."
_WRONG = rf"{RUN_1} $0.970 \pm 0.020$."
_TABLE = r"\begin{table}[t]\caption{Losses on enwik8, %s.}\begin{tabular}{lr}Run & Val loss \\ Run 1 & %s \\ \end{tabular}\end{table}"
_SAID = "We report the mean and the standard deviation over three seeds."

TRUE: dict[str, tuple[str, ...]] = {
    "deviations": (
        paper(_SD, abstract="All values are means $\\pm$ one standard deviation over three seeds."),
        paper(_SD, setup=_SAID),
        paper(_TABLE % ("mean $\\pm$ std over three seeds", "$0.970 \\pm 0.010$"), after=rf"\section{{Discussion}}{_SD}"),
        paper(_SD, before=r"\section{Method}We train.\footnote{Numbers after $\pm$ are standard deviations over the seeds.}"),
        paper(_SD, before=r"\section{Statistics}Error bars show one standard deviation."),
        paper(_SD, after=r"\section{Discussion}Throughout, $\pm$ denotes the standard deviation over three seeds."),
        paper(_SD, after=r"\section{A closer look}\begin{figure}\includegraphics{a.png}\caption{Curves, with the s.d. over the seeds.}\end{figure}"),
        paper(_SE, setup="We report the mean $\\pm$ the standard error over three seeds."),
        paper(_SD, setup="Uncertainties are given as $\\pm 1\\sigma$ over the three seeds."),
        paper(_SE, setup="Weights are drawn from a normal distribution with a standard deviation of one over the width."),
    ),
    "headings": (
        paper(after=rf"\section{{Findings}}{RUN_1} 0.97."),
        paper(before=rf"\section{{What we did}}{RUN_1} 0.97. Run 3 has 12 layers."),
        paper(after=rf"\section{{Ablation of the dropout}}{RUN_1} 0.97."),
        paper(after=rf"\section{{Experiments}}{RUN_1} 0.97."),
        paper(after=rf"\section[Short]{{A longer heading}}{RUN_1} 0.97."),
        paper(after=rf"\section*{{Numbers}}{RUN_1} 0.97."),
        paper(after=rf"\section{{Losses on \textbf{{the \emph{{enwik8}}}} data}}{RUN_1} 0.97."),
        paper(before=r"\section{Prior Work}\citet{smith} reach a loss of 0.42 with 48 layers."),
        paper(before=rf"\section{{Background and Findings}}{RUN_1} 0.97."),
        paper(after=rf"\appendix\section{{More numbers}}{RUN_1} 0.97."),
    ),
}  # fmt: skip

FALSE: dict[str, tuple[str, ...]] = {
    "deviations": (
        paper(_WRONG, abstract="All values are means $\\pm$ one standard deviation over three seeds."),
        paper(_WRONG, setup=_SAID),
        paper(_TABLE % ("mean $\\pm$ std over three seeds", "$0.970 \\pm 0.020$"), after=rf"\section{{Discussion}}{_SD}"),
        paper(_WRONG, before=r"\section{Method}We train.\footnote{Numbers after $\pm$ are standard deviations over the seeds.}"),
        paper(_SD),
        paper(_SD, setup="We report the mean $\\pm$ the standard error over three seeds."),
        paper(_SE, setup="We report the mean $\\pm$ the standard deviation over three seeds."),
        paper(_SE, before=r"\section{Statistics}Error bars and values after $\pm$ are standard deviations."),
        paper(_SD, setup="Weights are drawn from a normal distribution with a standard deviation of one over the width."),
        paper(_SD, setup="We report the mean $\\pm$ the standard deviation over 7 seeds."),
    ),
    "headings": (
        paper(after=rf"\section{{Findings}}{RUN_1} 0.79."),
        paper(before=rf"\section{{What we did}}{RUN_1} 0.79. Run 3 has 12 layers."),
        paper(after=rf"\section{{Ablation of the dropout}}{RUN_1} 0.79."),
        paper(after=rf"\section{{Experiments}}{RUN_1} 0.79."),
        paper(after=rf"\section[Short]{{A longer heading}}{RUN_1} 0.79."),
        paper(after=rf"\section*{{Numbers}}{RUN_1} 0.79."),
        paper(after=rf"\section{{Losses on \textbf{{the \emph{{enwik8}}}} data}}{RUN_1} 0.79."),
        paper(before=rf"\section{{Background and Findings}}{RUN_1} 0.79."),
        paper(before=r"\section{Background and Findings}The validation loss on enwik8 is at its lowest at 0.79."),
        paper(after=rf"\appendix\section{{More numbers}}{RUN_1} 0.79."),
    ),
}  # fmt: skip
