"""Text from models, papers and templates costs linear time, however it was written.

Not a timed test: each function reads 400 KB of hostile text in a process that may use 60 seconds of
CPU. Linear work takes a second; what grows by the square takes many minutes.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tests.support.places import ROOT
from tests.support.sample import some

SIZE, CPU_SECONDS = 400_000, 60
PIECES = (
    "a", "1", "1.", "1.1", "_", "e", "é", " ", "\n", "\\", "{", "}", "[", "]", "(", "%", "$", "^", "-",
    "\\begin{figure}", "\\end{figure}", "\\begin{filecontents}{a}", "\\begin{comment}", "\\cite[",
    "\\cite{", "\\cite{a}", "@a{b,", "@a{b,\n", "a={", 'a="', "10^", "\\times 10", "run 1, ", "1e",
    "```json\n", "\\includegraphics[", "\\includegraphics{", "\\usepackage{", "\\section{",
    "\\href{a}", "\\setlength{a}", "\\title{", "A. ", "Section ", "1pt", "X = 1\n", "{a}", "<think>",
    "</think>", "```\n", "~~~x\n", '"', '\\"', '{"', '{"a":', "{}", "//", "{/*", "**a", "**", "# a\n",
    "- a\n", ", ", "`", "\\[", "\\iffalse ", "\\begin{align}", "\\SI{a}{", "_{",
)  # fmt: skip
BIB = "'\\\\begin{{filecontents}}{{references.bib}}\\n@a{{k, ' + {0} + '\\n\\\\end{{filecontents}}'"
CALLS = {
    "prose.sentences": "prose.sentences('\\\\begin{{document}}' + {0} + '\\\\end{{document}}')",
    "prose.sentences of a title": "prose.sentences('\\\\title{{' + {0})",
    "references.references": f"references.references({BIB})",
    "references.pruned": "references.pruned({0})",
    "references.cited": "references.cited({0})",
    "latex.graphics": "latex.graphics({0})",
    "latex.primitives": "latex.primitives({0})",
    "latex.with_packages": "latex.with_packages({0}, ('url',))",
    "latex.without_unknown_figures": "latex.without_unknown_figures({0}, ())",
    "latex.escape": "latex.escape({0})",
    "latex_words.source_problems": "latex_words.source_problems({0})",
    "check.check_section": "check.check_section({0}, LEDGER, 'results')",
    "macros.rendered": "macros.rendered({0}, LEDGER)",
    "settings.settings_in": "settings.settings_in({0}, 'experiment.py', 'full', frozenset(['full']))",
    "loose_json.json_objects": "loose_json.json_objects({0})",
    "loose_json.read_object": "tried(loose_json.read_object, '{{' + {0} + '}}')",
    "markdown.as_latex": "markdown.as_latex({0})",
    "reasoning.without_reasoning": "reasoning.without_reasoning({0})",
    "replies.parse_reply": "tried(replies.parse_reply, {0}[:262144], Queries)",
    "secrets.redact": "secrets.redact({0}, {{'A_KEY': 'abcdefgh', 'B_TOKEN': '1.1.1.1.'}})",
}
EVERY = [(call, piece) for call in CALLS for piece in PIECES]


@pytest.mark.program
@pytest.mark.sampled
def test_hostile_text_costs_linear_time() -> None:
    chosen = some(EVERY, 30)
    lines = [
        "from contextlib import suppress",
        "from orchestrator.core import reasoning, secrets",
        "from orchestrator.core.errors import WrongFormat",
        "from orchestrator.research import loose_json, replies",
        "from orchestrator.research.claims import check, macros, settings",
        "from orchestrator.research.paper import latex, latex_words, markdown, prose, references",
        "from tests.support.trial import ledger",
        "LEDGER = ledger('seir')",
        "from orchestrator.research.stages.choosing import Queries",
        "def tried(read, *given):",
        "    with suppress(ValueError, WrongFormat): read(*given)",
    ]
    for call, piece in chosen:
        text = f"({piece!r} * ({SIZE} // {len(piece)}))"
        lines += [f"print({f'{call}: {piece!r}'!r}, flush=True)", CALLS[call].format(text)]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS * len(chosen) // 20,) * 2)

    done = subprocess.run(
        [sys.executable, "-"], input="\n".join(lines),
        cwd=ROOT, preexec_fn=limited, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]}: {done.stderr[-500:]}"
