"""A results folder as the AI Scientist (v1) leaves it: own words, small, and as wrong as a test asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.made_pdf import made_pdf
from tests.support.paper_rig import png

NAME = "step_decay"
FOLDER = f"20240801_123456_{NAME}"
IDEA = {
    "Name": NAME,
    "Title": "Does a Decaying Step Size Help on a Noisy Line?",
    "Experiment": "Multiply STEP_SIZE by DECAY after each epoch, and compare with a constant one.",
    "Interestingness": 5,
    "Feasibility": 9,
    "Novelty": 3,
    "novel": True,
}
_CODE = """import argparse
import json

STEP_SIZE = 0.1
DECAY = {decay}
EPOCHS = 40


def main(out_dir: str) -> None:
    loss = STEP_SIZE * DECAY
    with open(f"{{out_dir}}/final_info.json", "w") as file:
        json.dump({{"line": {{"means": {{"final_loss_mean": loss}}}}}}, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out_dir", default="run_0")
    main(parser.parse_args().out_dir)
"""
_NOTES = """# Title: Does a Decaying Step Size Help on a Noisy Line?
# Experiment description: Multiply STEP_SIZE by DECAY after each epoch.
## Run 0: Baseline
Results: {'line': {'final_loss_mean': 0.42}}
Description: Baseline results.

## Run 1: Decay of 0.9
Results: {'line': {'final_loss_mean': 0.31}}
Description: The step size is multiplied by 0.9 after each epoch.

## Run 2: Decay of 0.5
Results: {'line': {'final_loss_mean': 0.57}}
Description: The step size is halved after each epoch.

# Figure: final_loss.png
The bars show the final loss of the three runs.
"""
STYLE = r"""\NeedsTeXFormat{LaTeX2e}
\ProvidesPackage{smallworkshop}[2024/08/01 a style that travels with the paper]
\RequirePackage{natbib}
\bibliographystyle{plainnat}
"""
TEX = r"""\documentclass{article} % a comment
\usepackage{smallworkshop,times}
\usepackage{graphicx}
\graphicspath{{../}}
\begin{filecontents}{references.bib}
@article{robbins1951,
  title={A Stochastic Approximation Method},
  author={Robbins, Herbert and Monro, Sutton},
  journal={The Annals of Mathematical Statistics},
  year={1951}
}
@article{unused2001, title={A Work that Nobody Cites}, author={Nemo, N.}, journal={None}, year={2001}}
\end{filecontents}

\title{Does a Decaying Step Size Help \\ on a Noisy Line?}
\author{A Language Model\\ Department of Nothing}

\begin{document}
\maketitle

\begin{abstract}
We ask whether a step size that decays helps on a noisy line. A decay of 0.9 lowers the final loss from
0.42 to 0.31, and a decay of 0.5 raises it to 0.57.
\end{abstract}

\section{Introduction}
\label{sec:intro}
Stochastic approximation \citep{robbins1951} asks for step sizes that shrink. We measure how much a simple
decay changes on one small task, and report what did not work beside what did.

\section{Related Work}
The condition on step sizes is due to \citet{robbins1951}. We test one schedule only.

\section{Background}
A line is fitted by gradient descent. The step size is a constant of the program.

\section{Method}
After each epoch the step size is multiplied by a constant factor.

\section{Experimental Setup}
The baseline has the step size 0.1 and 40 epochs. Two runs change the decay, to 0.9 and to 0.5.

\section{Results}
The baseline reaches a final loss of 0.42 on the line. The run with a decay of 0.9 reaches 0.31.
The run with a decay of 0.5 ends at 0.57. Figure~\ref{fig:loss} shows all of them.

\begin{figure}[h]
\centering
\includegraphics[width=0.5\textwidth]{final_loss.png}
\caption{The final loss of the three runs.}
\label{fig:loss}
\end{figure}

\section{Ablation of the Schedule}
No other schedule was tried.

\section{Conclusions and Future Work}
A slow decay helps and a fast one hurts on this task. Other tasks were not tried, and the number of seeds is one.

\bibliography{references}

\end{document}
"""
REVIEW: dict[str, Any] = {
    "Summary": "The paper compares two decays of a step size with a constant one on a toy task.",
    "Strengths": ["The text is short and clear."],
    "Weaknesses": ["There is one seed only.", "The task is a toy."],
    "Originality": 1,
    "Quality": 2,
    "Clarity": 3,
    "Significance": 1,
    "Questions": ["What happens with more seeds?"],
    "Limitations": ["One task."],
    "Ethical Concerns": False,
    "Soundness": 2,
    "Presentation": 3,
    "Contribution": 1,
    "Overall": 3,
    "Confidence": 4,
    "Decision": "Reject",
}


def info(loss: float) -> bytes:
    values = {"line": {"means": {"final_loss_mean": loss}, "stderrs": {"final_loss_stderr": 0.01}}}
    return json.dumps(values).encode()


def whole_files() -> dict[str, bytes]:
    """Every file of a finished idea, by its path."""
    task = {"system": "You study step sizes.", "task_description": "A line is fitted."}
    code = {f"run_{n}.py": _CODE.format(decay=d) for n, d in ((1, 0.9), (2, 0.5))}
    texts = {
        "experiment.py": _CODE.format(decay=0.5),
        "plot.py": "labels = {'run_0': 'baseline', 'run_1': '0.9', 'run_2': '0.5'}\n",
        **code,
        "notes.txt": _NOTES,
        "prompt.json": json.dumps(task),
        "seed_ideas.json": json.dumps([IDEA | {"Name": "a_seed", "Title": "A Seed"}]),
        "ideas.json": json.dumps([IDEA | {"Name": "another"}, IDEA]),
        "latex/template.tex": TEX,
        "latex/smallworkshop.sty": STYLE,
        "latex/template.log": "This is pdfTeX",
        "review.txt": json.dumps(REVIEW),
        "review_improved.txt": json.dumps(REVIEW | {"Overall": 4}),
        f"{NAME}_aider.txt": "a long chat",
        "log.txt": "a log",
    }
    shown = "BT /F1 12 Tf 72 700 Td (A decaying step size, {} version.) Tj ET"
    pdfs = {
        f"{NAME}.pdf": made_pdf(shown.format("first")),
        f"{NAME}_improved.pdf": made_pdf(shown.format("improved")),
    }
    losses = {f"run_{n}/final_info.json": info(loss) for n, loss in enumerate((0.42, 0.31, 0.57))}
    curves = {"run_1/all_results.npy": b"\x93NUMPY" + b"pickled" * 10}
    return {
        **{path: text.encode() for path, text in texts.items()},
        **pdfs, **losses, **curves, "final_loss.png": png(400, 300), "unused.png": png(40, 30),
    }  # fmt: skip


def half_files() -> dict[str, bytes]:
    """What is left of an idea that failed early: two runs, no paper, no list of ideas, no review."""
    kept = (
        "experiment.py",
        "run_1.py",
        "notes.txt",
        "run_0/final_info.json",
        "run_1/final_info.json",
    )
    return {path: data for path, data in whole_files().items() if path in kept}


def made_folder(parent: Path, files: dict[str, bytes] | None = None, name: str = FOLDER) -> Path:
    """The folder below ``parent/toy``, as ``results/TEMPLATE/DATE_TIME_IDEA`` is."""
    folder = parent / "toy" / name
    for path, data in (whole_files() if files is None else files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
