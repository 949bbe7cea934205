"""python3 honest.py OUT [NAME…]: honest pages that are hard to read; runs in the LaTeX container.

``OUT/honest.json`` lists {name: the text of each page as the layer says it}.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pymupdf

PROSE = (
    "We study how the efficient optimization of affine flows differs between finite fields, and "
    "which difficulties an official baseline has. Regularization affects the coefficients of the "
    "final classification layers. Gradient descent with momentum reaches a sufficiently flat "
    "minimum, although fluctuations of stochastic gradients differ between configurations. "
    "Generalization to unfamiliar distributions is insufficiently understood in the literature. "
)
PLAIN = r"\documentclass{article}\usepackage{amsmath,amssymb,booktabs,xcolor,graphicx,hyperref}%s\begin{document}%s\end{document}"
TEX = {
    "maths": PLAIN % (
        "",
        PROSE + r"""
        \begin{align} \mathcal{L}(\theta) &= -\frac{1}{N}\sum_{i=1}^{N}\log p_\theta(y_i\mid x_i)+\lambda\lVert\theta\rVert_2^2\\
        m_t &= \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad \hat m_t = m_t/(1-\beta_1^t)\\
        \mathrm{softmax}(z)_k &= \frac{\exp(z_k)}{\sum_j\exp(z_j)},\quad \operatorname{Attention}(Q,K,V)=\mathrm{softmax}\Bigl(\frac{QK^\top}{\sqrt{d_k}}\Bigr)V \end{align}
        where $\alpha_t=\alpha\sqrt{1-\beta_2^t}/(1-\beta_1^t)$ and $x_{i+1}\in\mathbb{R}^{d\times k}$ for all $i\le n$, $\epsilon=10^{-8}$.
        \[ \nabla_\theta \mathbb{E}_{x\sim p}[f(x)] \approx \frac1M \sum_{m=1}^M f(x_m)\,\nabla_\theta\log p_\theta(x_m) \]
        Let $a,b,c\in\mathbb{N}$ with $a^2+b^2=c^2$; then $\gcd(a,b)\mid c$. """ + PROSE,
    ),
    "formulas": PLAIN % (
        "",
        r"""\section{Proof of Theorem 2}
        By Jensen's inequality, $\log\mathbb{E}[X]\ge\mathbb{E}[\log X]$. Let $f:\mathcal{X}\to\mathbb{R}$ be $L$-smooth and $w_{t+1}=w_t-\eta\nabla f(w_t)$. Then
        \begin{align} f(w_{t+1}) &\le f(w_t)+\langle\nabla f(w_t),w_{t+1}-w_t\rangle+\frac{L}{2}\|w_{t+1}-w_t\|^2\\ &= f(w_t)-\eta\Bigl(1-\frac{L\eta}{2}\Bigr)\|\nabla f(w_t)\|^2,\\
        \min_{t<T}\|\nabla f(w_t)\|^2 &\le \frac{2L(f(w_0)-f^\star)}{T}+\mathcal{O}\Bigl(\frac{\sigma^2}{\sqrt{T}}\Bigr),\\
        D_{\mathrm{KL}}(p\,\|\,q) &= \int p(x)\log\frac{p(x)}{q(x)}\,dx \ge 0,\qquad H(p)=-\sum_i p_i\log_2 p_i,\\
        P(A\mid B) &= \frac{P(B\mid A)P(A)}{P(B)},\quad \operatorname*{arg\,max}_{\theta\in\Theta}\prod_{i=1}^n p(x_i;\theta),\\
        \begin{pmatrix} a_{11} & a_{12}\\ a_{21} & a_{22}\end{pmatrix}\begin{pmatrix} x\\ y\end{pmatrix} &= \begin{pmatrix} b_1\\ b_2\end{pmatrix},\qquad \widetilde W=U\Sigma V^\top,\quad \bar x\pm 1.96\,s/\sqrt n. \end{align}
        Since $\sup_{x\in K}|f_n(x)-f(x)|\to0$ and $\{x_n\}_{n\ge1}\subset\ell^2$, $\forall\varepsilon>0\ \exists N$: $\|x_n-x_m\|<\varepsilon$ for $n,m>N$. \hfill$\square$

        """ + PROSE,
    ),
    "tables": PLAIN % (
        "",
        PROSE + r"""\begin{table}[h]\centering\small\begin{tabular}{lrrrr}\toprule
        run & loss & accuracy & seconds & parameters\\\midrule
        baseline & $0.123\pm0.004$ & 91.2\% & 1203 & 1.2M\\ weight decay 0.1 & $0.119\pm0.003$ & 92.5\% & 1198 & 1.2M\\
        dropout & $\mathbf{0.101\pm0.011}$ & 93.0\% & 1377 & 1.2M\\ no warm-up & $1.5\times10^{-3}$ & 12.0\% & 88 & 340k\\\bottomrule
        \end{tabular}\caption{Loss, accuracy and time of each run; the mean of three seeds with its error.}\end{table}""" + PROSE,
    ),
    "two_columns": r"\documentclass[twocolumn]{article}\usepackage{times}\begin{document}\title{On finite fields}\author{A. Nobody \and B. Nobody}\maketitle\begin{abstract}" + PROSE + r"\end{abstract}\section{Introduction}" + (PROSE + "\n\n") * 7 + r"\end{document}",
    "footnotes": PLAIN % ("", (PROSE + r"\footnote{The official implementation differs in the order of its layers, which affects no result here.} ") * 4),
    "figure": PLAIN % ("", PROSE + r"\begin{figure}[h]\centering\includegraphics[width=0.9\textwidth]{figure.pdf}\caption{Training and validation loss over twenty epochs.}\end{figure}" + PROSE),
    "colours": PLAIN % ("", r"\textcolor{red}{" + PROSE + r"} \textcolor{blue}{" + PROSE + r"} \textcolor{gray}{" + PROSE + r"} \textcolor{teal}{Teal words} and \textcolor{orange}{orange words} and \colorbox{yellow}{marked words}."),
    "links": PLAIN % (r"\hypersetup{colorlinks}", PROSE + r"See \href{https://example.org/a}{the official page}, \url{https://example.org/data/set-1.html}, and Section~\ref{s}. \section{Results}\label{s}" + PROSE),
    "boxed_links": PLAIN % ("", PROSE + r"See \href{https://example.org/a}{the official page}, \url{https://example.org/data/set-1.html}, and Section~\ref{s}. \section{Results}\label{s}" + PROSE),
    "hyphens": PLAIN % ("", r"\begin{minipage}{4.2cm}" + PROSE * 2 + r"\end{minipage}\hfill\begin{minipage}{3.4cm}\small " + PROSE + r"\end{minipage}"),
    "ligatures": r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern}\begin{document}" + PROSE * 2 + r" \textit{" + PROSE + r"} \textsc{Small capitals of a name} \textsf{" + PROSE + r"} \texttt{affine\_flow.fit(offset=1)} fluffy waffles, offline effects.\end{document}",
    "dark_box": PLAIN % ("", PROSE + r"\medskip\noindent\colorbox{black!85}{\parbox{0.9\textwidth}{\color{white}" + PROSE + r"}}\par\medskip\noindent\fcolorbox{blue}{blue!60!black}{\parbox{0.5\textwidth}{\color{yellow}Key finding: weight decay affects the final accuracy.}}\par " + PROSE),
    "references": PLAIN % ("", PROSE + r"\begin{thebibliography}{9}\small\bibitem{a} Anders Krogh and John A. Hertz. A Simple Weight Decay Can Improve Generalization. \emph{NeurIPS}, 4:950--957, 1992. \bibitem{b} Diederik P. Kingma and Jimmy Ba. Adam: A Method for Stochastic Optimization. \emph{ICLR}, 2015. arXiv:1412.6980. \bibitem{c} Sepp Hochreiter and J\"urgen Schmidhuber. Flat minima. \emph{Neural Computation}, 9(1):1--42, 1997. doi:10.1162/neco.1997.9.1.1.\end{thebibliography}"),
    "code": PLAIN % ("", PROSE + "\\begin{verbatim}\nfor step in range(STEPS):\n    loss = model(batch).mean()\n    loss.backward()\n    optimizer.step()\n    if step % 100 == 0:\n        print(f'{step}: {loss.item():.3f}')\n\\end{verbatim}" + PROSE),
    "sideways": r"\documentclass{article}\usepackage{rotating,booktabs}\begin{document}\begin{sidewaystable}\begin{tabular}{lrr}\toprule configuration & validation loss & accuracy\\\midrule baseline & 0.123 & 91.2\\ dropout & 0.101 & 93.0\\\bottomrule\end{tabular}\caption{A table on its side: " + PROSE + r"}\end{sidewaystable}\end{document}",
    "tiny": PLAIN % ("", PROSE + r"{\tiny " + PROSE + r"} {\scriptsize " + PROSE + r"} {\Huge Large words} " + PROSE),
}  # fmt: skip


def figure(path: Path) -> None:
    """A plot with small labels, one of them on its side."""
    page = pymupdf.open().new_page(width=500, height=220)
    page.draw_rect(pymupdf.Rect(50, 10, 480, 180), color=(0, 0, 0))
    noise = random.Random(2)
    for colour in ((0, 0.4, 0.7), (0.8, 0.3, 0)):
        points = [
            pymupdf.Point(50 + 21 * n, 20 + 150 * (1 - 0.8**n) + noise.random()) for n in range(20)
        ]
        page.draw_polyline(points, color=colour)
    for number in range(0, 21, 5):
        page.insert_text((48 + 21 * number, 192), str(number), fontsize=7)
        page.insert_text((28, 182 - 8 * number), f"{number / 10:.1f}", fontsize=7)
    page.insert_text((240, 208), "training epochs", fontsize=9)
    page.insert_text((20, 130), "validation loss", fontsize=9, rotate=90)
    page.insert_text((400, 30), "baseline", fontsize=6, color=(0, 0.4, 0.7))
    page.insert_text((400, 40), "weight decay", fontsize=6, color=(0.8, 0.3, 0))
    page.parent.save(path)


def scan(out: Path, *, layer: bool) -> None:
    """A page of footnotes as a picture, with or without somebody's reading of it below the picture."""
    source = pymupdf.open(out / "footnotes.pdf")[0]
    page = pymupdf.open().new_page(width=source.rect.width, height=source.rect.height)
    page.insert_image(page.rect, pixmap=source.get_pixmap(dpi=200, colorspace="gray"))
    for x0, _, _, y1, word, *_ in source.get_text("words") if layer else ():
        page.insert_text((x0, y1 - 2), word, fontsize=7, render_mode=3)
    page.parent.save(out / f"scan{'_with_layer' * layer}.pdf")


def main(out: Path, chosen: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    figure(out / "figure.pdf")
    (out / "figure.pdf").rename(out / "plot.pdf")
    pages = {}
    for name in sorted({*TEX, "scan", "scan_with_layer"}):
        if chosen and name not in chosen:
            continue
        made = "footnotes" if name.startswith("scan") else name
        (out / f"{made}.tex").write_text(TEX[made].replace("{figure.pdf}", "{plot.pdf}"))
        for _ in range(2):
            argv = ["pdflatex", "-interaction=batchmode", f"{made}.tex"]
            subprocess.run(argv, cwd=out, check=True, capture_output=True)
        if name.startswith("scan"):
            scan(out, layer=name != "scan")
        pages[name] = [page.get_text() for page in pymupdf.open(out / f"{made}.pdf")]
    (out / "honest.json").write_text(json.dumps(pages))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
