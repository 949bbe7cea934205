r"""The kinds of :mod:`tests.support.import_probes` in papers by which the rules were not made."""

from __future__ import annotations

from tests.support.import_probes import RUN_1, paper

_SD, _SE = rf"{RUN_1} $0.970 \pm 0.010$.", rf"{RUN_1} $0.970 \pm 0.006$."
_WRONG = rf"{RUN_1} $0.970 \pm 0.013$."

TRUE: dict[str, tuple[str, ...]] = {
    "deviations": (
        paper(_SD, after=r"\section{Discussion}\begin{table}\caption{Settings. Values behind $\pm$ here and in the text: standard deviation, $n=3$.}\begin{tabular}{lr}Layers & 6 \\ \end{tabular}\end{table}"),
        paper(_SD, setup="Every experiment is repeated for three seeds; the text quotes the average and the std. dev. of these."),
        paper(rf"{_SD}\footnote{{Mean and SD over seeds.}}", after=r"\section{Discussion}On enwik8, run 2 has a validation loss of $1.053 \pm 0.015$."),
        paper(_SD, after=r"\appendix\section{Reporting}All intervals are one sigma wide to each side."),
        paper(_SD, before=r"\section{How we report}\begin{itemize}\item Means over three seeds. \item Behind them, the standard deviation.\end{itemize}"),
        paper(_SE, setup="Results are given as mean $\\pm$ standard error of the mean."),
        paper(_SE, before=r"\section{Method}Gaussian noise with a standard deviation of 0.2 is what dropout replaces."),
        paper(_SD, abstract="We use three seeds. Standard errors are left out; we print standard deviations instead."),
    ),
    "headings": (
        paper(after=rf"\section{{Where dropout helps}}{RUN_1} 0.970."),
        paper(before=rf"\section{{Data}}All runs use a batch size of 64. {RUN_1} 0.970."),
        paper(after=rf"\section{{Evaluation}}{RUN_1} 0.970."),
        paper(before=rf"\section{{State of the Art and Our Results}}{RUN_1} 0.970."),
        paper(before=r"\section{Literature Review}A loss of 0.63 is known for 96 layers \citep{jones}."),
        paper(before=r"\section{Existing Approaches}\citet{smith} train for 99 epochs and reach a perplexity of 21.4."),
        paper(after=rf"\section [A] {{Take-home messages}} {RUN_1} 0.970."),
        paper(after=rf"\section{{\texorpdfstring{{$\alpha$}}{{alpha}} and \textsc{{more}}}}{RUN_1} 0.970."),
        paper(after=rf"\section{{Limits}}{_SE} \subsection{{Time}}On enwik8, run 2 trains for 1500 s."),
    ),
}  # fmt: skip

FALSE: dict[str, tuple[str, ...]] = {
    "deviations": (
        paper(_WRONG, after=r"\section{Discussion}\begin{table}\caption{Settings. Values behind $\pm$ here and in the text: standard deviation, $n=3$.}\begin{tabular}{lr}Layers & 6 \\ \end{tabular}\end{table}"),
        paper(_WRONG, setup="Every experiment is repeated for three seeds; the text quotes the average and the std. dev. of these."),
        paper(rf"{_SD}\footnote{{Mean and SD over seeds.}}", after=r"\section{Discussion}On enwik8, run 2 has a validation loss of $1.053 \pm 0.025$."),
        paper(_SE, after=r"\appendix\section{Reporting}All intervals are one sigma wide to each side: mean $\pm$ standard deviation."),
        paper(_SD, setup="Results are given as mean $\\pm$ standard error of the mean."),
        paper(_SD, before=r"\section{Method}Gaussian noise with a standard deviation of 0.2 is what dropout replaces."),
        paper(_SE, before=r"\section{How we report}Error bars and $\pm$ stand for the standard deviation over seeds."),
        paper(_SD),
    ),
    "headings": (
        paper(after=rf"\section{{Where dropout helps}}{RUN_1} 0.917."),
        paper(before=rf"\section{{Data}}All runs use a batch size of 640. {RUN_1} 0.970."),
        paper(after=rf"\section{{Evaluation}}{RUN_1} 0.917."),
        paper(before=r"\section{State of the Art and Our Results}The validation loss on enwik8 is at most 0.917 with more dropout."),
        paper(before=rf"\section{{Literature Review}}{RUN_1} 0.917."),
        paper(before=r"\section{Existing Approaches}Our run 1 has a validation loss of 0.917 on enwik8."),
        paper(after=rf"\section [A] {{Take-home messages}} {RUN_1} 0.917."),
        paper(after=rf"\section{{\texorpdfstring{{$\alpha$}}{{alpha}} and \textsc{{more}}}}{RUN_1} 0.917."),
        paper(after=rf"\section{{Limits}}{_SE} \subsection{{Time}}On enwik8, run 2 trains for 2500 s."),
    ),
}  # fmt: skip
