"""Entries of any paper, hostile ones too, set by real BibTeX and LaTeX: each prints, none acts."""

from __future__ import annotations

import json
import re

import pytest

from orchestrator.literature.bibtex.entries import entry, not_citable
from orchestrator.literature.merging import gathered
from tests.research.test_compile_attacks import Press, press
from tests.support.corpus import corpus, odd
from tests.support.sample import some

__all__ = ["press"]  # a fixture of this module too
pytestmark = pytest.mark.engine

DOCUMENT = r"""\documentclass{article}
\begin{filecontents}[overwrite]{references.bib}
%s
\end{filecontents}
\usepackage[%s]{fontenc}
\usepackage{natbib,url}
\begin{document}
Cited: \nocite{*}\citep{%s}.
\bibliographystyle{%s}
\bibliography{references}
\end{document}
"""
PAPERS = [one for one in gathered((), (*odd(), *corpus())) if not not_citable(one)]
LOOKED_FOR = {"vaswani2017attention", "power2022grokking"} | {one.key for one in odd()}
COUNT = 60  # of the others, in `make test`


LISTS = [
    ("plainnat", "OT1", ""),
    ("plainnat", "T1", "Łukasz Kaiser"),
    ("abbrvnat", "T1", "Ł. Kaiser"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("style", "encoding", "initial"), some(LISTS, 1, "lists"))
def test_every_citable_paper_stands_in_a_reference_list(
    style: str, encoding: str, initial: str, press: Press
) -> None:
    """``abbrvnat`` takes the first letter of a name: BibTeX would cut a letter of two bytes."""
    assert len(PAPERS) > 180
    tried = some([one.key for one in PAPERS if one.key not in LOOKED_FOR], COUNT, "papers")
    papers = [one for one in PAPERS if one.key in {*LOOKED_FOR, *tried}]
    text = "\n\n".join(map(entry, papers))
    report, result = press.print(
        f"list-{style}-{encoding}", DOCUMENT % (text, encoding, papers[0].key, style)
    )
    assert report["ok"], report
    assert report["undefined"] == []
    pages = "\n".join(json.loads(press.read(result, "pages.json")))
    assert "??" not in pages
    plain = re.sub(r"[^a-z0-9]", "", pages.lower())
    missing = [one.key for one in papers if str(one.year) not in pages]
    assert missing == []
    for words in ("ignoreallinstructions", "inputetcpasswd", "grokkinggeneralization"):
        assert words in plain, "a hostile title is printed as the text that it is"
    assert "root:" not in pages, "and reads nothing"
    if encoding == "T1":  # the older one sets an accent as a sign of its own
        assert initial in pages, "an accented name is printed whole, and as one letter if short"
