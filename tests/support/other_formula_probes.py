r"""The kinds of :mod:`tests.support.formula_probes` in formulae by which the rules were not made."""

from __future__ import annotations

TRUE: dict[str, tuple[str, ...]] = {
    "epidemic": (
        "For run 2, $\\widehat{R}_0 = 1.68$ and $\\beta \\approx 0.29$.",
        "The basic reproduction number $\\mathrm{R}_{0}$ of run 1 is 3.10.",
        "The mean squared $z$ of transmission, transmission $z^{2}$, is 0.77 in run 2.",
        "R$_0$ is highest in run 1, at 3.10.",
        "The value of \\(\\beta\\) in the baseline is 0.41.",
        "Run 1 has the lowest $\\gamma$-error (0.047).",
        "$R_0$: 2.45 (baseline), 3.10 (run 1), 1.68 (run 2).",
        "In the baseline, R\\textsubscript{0} reaches 2.45.",
        "Transmission z² is 1.82 in run 1.",
        "\\begin{table}\\caption{Fits.}\\begin{tabular}{lrrr}Run & $R_0$ & $\\beta$ & Transmission $z^2$ \\\\ Run 1 & 3.10 & 0.58 & 1.82 \\\\ Run 2 & 1.68 & 0.29 & 0.77 \\\\ \\end{tabular}\\end{table}",
    ),
    "training": (
        "The coefficient of determination, $R^{2}$, is 0.91 in run 1.",
        "Run 2 has $R^2 = 0.76 \\pm 0.004$.",
        "With run 1, $\\mathcal{L}_{\\text{val}} = 1.47$.",
        "The change of the loss, $\\Delta\\mathcal{L}$, is 0.36 in run 1.",
        "$p$-values of 0.31 and 0.64 are measured in the baseline and run 1, respectively.",
        "The $\\ell^2$-norm of run 1 is 17.9.",
        "$\\|w\\|$ is the $L^2$ norm; it is 11.6 in run 2.",
        "The $\\log_{10}$ of the time is 3.05 in run 2.",
        "The top-$1$ accuracy of run 2 is 66.8\\%.",
        "\\begin{table}\\caption{Fits.}\\begin{tabular}{lrrr}Run & $R^2$ & $\\mathcal{L}_{val}$ & $L_2$ norm \\\\ Run 1 & 0.91 & 1.47 & 17.9 \\\\ Run 2 & 0.76 & 1.75 & 11.6 \\\\ \\end{tabular}\\end{table}",
    ),
}  # fmt: skip

FALSE: dict[str, tuple[str, ...]] = {
    "epidemic": (
        "For run 2, $\\widehat{R}_0 = 0.29$ and $\\beta \\approx 1.68$.",
        "The basic reproduction number $\\mathrm{R}_{0}$ of run 1 is 2.45.",
        "The mean squared $z$ of transmission, transmission $z^{2}$, is 0.115 in run 2.",
        "R$_0$ is highest in run 1, at 1.82.",
        "The value of \\(\\beta\\) in the baseline is 2.45.",
        "Run 1 has the lowest $\\gamma$-error (0.171).",
        "$R_0$: 3.10 (baseline), 2.45 (run 1), 1.68 (run 2).",
        "In the baseline, R\\textsubscript{0} reaches 1.31.",
        "Transmission z² is 3.10 in run 1.",
        "\\begin{table}\\caption{Fits.}\\begin{tabular}{lrrr}Run & $\\beta$ & $R_0$ & Transmission $z^2$ \\\\ Run 1 & 3.10 & 0.58 & 1.82 \\\\ Run 2 & 1.68 & 0.29 & 0.77 \\\\ \\end{tabular}\\end{table}",
    ),
    "training": (
        "The coefficient of determination, $R^{2}$, is 0.76 in run 1.",
        "Run 2 has $R^2 = 0.91 \\pm 0.004$.",
        "With run 1, $\\mathcal{L}_{\\text{val}} = 1.75$.",
        "The change of the loss, $\\Delta\\mathcal{L}$, is 1.47 in run 1.",
        "$p$-values of 0.64 and 0.31 are measured in the baseline and run 1, respectively.",
        "The $\\ell^2$-norm of run 1 is 3.71.",
        "$\\|w\\|$ is the $L^2$ norm; it is 3.05 in run 2.",
        "The $\\log_{10}$ of the time is 11.6 in run 2.",
        "The top-$1$ accuracy of run 2 is 76.0\\%.",
        "\\begin{table}\\caption{Fits.}\\begin{tabular}{lrrr}Run & $L_2$ norm & $\\mathcal{L}_{val}$ & $R^2$ \\\\ Run 1 & 0.91 & 1.47 & 17.9 \\\\ Run 2 & 0.76 & 1.75 & 11.6 \\\\ \\end{tabular}\\end{table}",
    ),
}  # fmt: skip
