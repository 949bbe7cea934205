"""A paper is inert: which PDFs are refused, and why; each is typeset in the LaTeX container."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from tests.support.fewer import asked
from tests.support.sandbox_rig import opened_sandbox

pytestmark = pytest.mark.engine

P = r"\documentclass{article}\begin{document}%s text\end{document}"
H = r"\documentclass{article}\usepackage{graphicx,hyperref}\begin{document}%s text\end{document}"
LINK = r"\pdfannot width 9pt height 9pt depth 0pt {/Subtype /Link /A << %s >>}"
NOTE = r"\pdfannot width 9pt height 9pt depth 0pt {%s}"

# The source of each PDF that is refused, and the words of the reason.
ACTS = {
    "hidden_js": (
        P
        % r"\pdfcatalog{/OpenAction << /A\string#28 1 /S /JavaScript /JS <FEFF0061> /B\string#29 1 >>}",
        "has /JS",
    ),
    "hidden_launch": (
        P % (LINK % r"/A\string#28 1 /S /Launch /F (/bin/sh) /B\string#29 1"),
        "an action has /A(",
    ),
    "plain_js": (
        P % r"\pdfcatalog{/OpenAction << /S /JavaScript /JS (app.alert\string\(1\string\)) >>}",
        "has /JS",
    ),
    "twice": (P % r"\pdfcatalog{/OpenAction << /S /JavaScript /S /GoTo /JS (x) >>}", "has /JS"),
    "attach": (
        P
        % (
            r"\immediate\pdfobj stream file {paper.tex}"
            + NOTE
            % r"/Subtype /FileAttachment /FS << /F (run.exe) /EF << /F \the\pdflastobj\space 0 R >> >>"
        ),
        "has /EF",
    ),
    "acro": (P % r"\pdfcatalog{/AcroForm << /Fields [] >>}", "has /AcroForm"),
    "acro2": (P % r"\pdfcatalog{/Acro\string#46orm << /Fields [] >>}", "has /AcroForm"),
    "widget": (P % (NOTE % r"/Subtype /Widget /FT /Tx /Ff 8192 /T (p)"), "an annotation has /FT"),
    "aa": (P % r"\pdfcatalog{/AA << /WC << /S /URI /URI (http://x.example) >> >>}", "has /AA"),
    "page_aa": (P % r"\pdfpageattr{/AA << /O << /S /URI /URI (http://x) >> >>}", "has /AA"),
    "names_js": (
        P % r"\pdfnames{/JavaScript << /Names [(x) << /S /JavaScript /JS (x) >>] >>}",
        "has /JS",
    ),
    "names_ef": (
        P % r"\pdfnames{/EmbeddedFiles << /Names [] >>}",
        "a list of names has /EmbeddedFiles",
    ),
    "file": (
        P % (LINK % r"/S /URI /U\string#52I (file:///etc/passwd)"),
        "a link leads to no http(s) or mailto address: 'file:///etc/passwd'",
    ),
    "ujs": (
        P % (LINK % r"/S /URI /URI (javascript:alert\string\(1\string\))"),
        "a link leads to no http(s) or mailto address: 'javascript:alert(1)'",
    ),
    "gotor": (P % (LINK % r"/S /GoToR /F (x.pdf) /D [0 /Fit]"), "an action has /F"),
    "run": (
        r"\documentclass{article}\usepackage{hyperref}\begin{document}\href{run:/bin/sh}{x}\end{document}",
        "an action has /F",
    ),
    "hreffile": (
        r"\documentclass{article}\usepackage{hyperref}\begin{document}\href{other.pdf}{x}\end{document}",
        "an action has /F",
    ),
    "next": (
        P % (LINK % r"/S /GoTo /D (x) /Next << /S /Launch >>"),
        "an action leads neither to a place nor to an address: /Launch",
    ),
    "next2": (
        P % (LINK % r"/S /GoTo /D (x) /Next [ << /S /Named /N /Print >> ]"),
        "an action has /N",
    ),
    "uribase": (P % r"\pdfcatalog{/URI << /Base (file:///) >>}", "the catalog has /URI"),
    "stream_f": (
        P
        % r"\immediate\pdfobj stream attr {/F << /FS /URL /F (http://x.example/) >>} {x}\pdfcatalog{/Metadata \the\pdflastobj\space 0 R}",
        "takes its contents from another file",
    ),
    "screen": (P % (NOTE % r"/Subtype /Screen"), "an annotation is no link: /Screen"),
    "3d": (P % (NOTE % r"/Subtype /3D /3DA << >>"), "an annotation has /3DA"),
    "goto3d": (P % (LINK % r"/S /GoTo3DView /TA 1"), "an action has /TA"),
    "richmedia": (P % (NOTE % r"/Subtype /RichMedia"), "an annotation is no link: /RichMedia"),
    "thread": (
        P % (LINK % r"/S /Thread /D 0"),
        "an action leads neither to a place nor to an address: /Thread",
    ),
    "trans": (P % r"\pdfpageattr{/Trans << /S /Fly >> /Dur 1}", "a page has /Trans"),
    "perms": (P % r"\pdfcatalog{/Perms << >> }", "the catalog has /Perms"),
    "outline": (
        P % r"\pdfoutline user {/S /Launch /F (x)} {hi}",
        "what should be an action is something else",
    ),
    "dest": (P % r"\pdfcatalog{/Dests << /x << /S /JavaScript /JS (x) >> >>}", "has /JS"),
    "form": (
        r"\documentclass{article}\usepackage{hyperref}\begin{document}\begin{Form}\TextField[name=p,password]{x}\end{Form}\end{document}",
        "has /AcroForm",
    ),
    "oc": (
        P % r"\pdfcatalog{/OCProperties << /OCGs [] /D << >> >>}",
        "the catalog has /OCProperties",
    ),
    "encrypt": (
        P
        % r"\pdftrailer{/Encrypt << /Filter /Standard /V 1 /R 2 /O (12345678901234567890123456789012) /U (12345678901234567890123456789012) /P -4 >>}",
        "it cannot be judged: it is encrypted",
    ),
    "trailer": (
        P % r"\pdftrailer{/Root << /OpenAction << /S /JavaScript /JS (x) >> >>}",
        "it cannot be judged: no page of it can be read",
    ),
    "prev": (P % r"\pdftrailer{/Prev 9}", "it cannot be judged: its table of objects is damaged"),
    "ps": (
        P
        % r"\immediate\pdfobj stream attr {/Type /XObject /Subtype /PS} {x}\pdfpageresources{/XObject << /P \the\pdflastobj\space 0 R >>}",
        "it cannot be judged: no page of it can be read",
    ),
    "hf": (
        P % (LINK % r"/S /URI /URI (https://x.example\string\n javascript:x)"),
        "a link leads to no http(s) or mailto address: 'https://x.example\\njavascript:x'",
    ),
    "af": (P % r"\pdfcatalog{/AF [ << /Type /Filespec /F (x) >> ]}", "has /AF"),
    "deep": (
        P % (r"\pdfcatalog{/X " + "[" * 3000 + "]" * 3000 + "}"),
        "it cannot be judged: no page of it can be read",
    ),
    "deep2": (
        P % (r"\pdfcatalog{/PieceInfo " + "<</A " * 300 + "1" + ">>" * 300 + "}"),
        "it cannot be judged: no page of it can be read",
    ),
    "garbage": (
        P
        % r"\immediate\pdfobj{<< /A ] >> endobj 1 0 obj << }\pdfcatalog{/X \the\pdflastobj\space 0 R}",
        "the catalog has /X",
    ),
}
PAPERS = {
    "hyper": H
    % r"\tableofcontents\href{https://example.org/JS?a=1&b=\%20x#f}{/Launch}\href{mailto:a@example.org}{x}\url{http://a.b/c}",
    "plain": P % "",
    "page": r"\documentclass{article}\usepackage[pdfstartview=FitH,pdfpagelabels,bookmarksnumbered]{hyperref}\begin{document}\section{a}\subsection{b} x\newpage y\end{document}",
    "words": r"\documentclass{article}\usepackage{hyperref}\hypersetup{pdftitle={/JS (/Launch) /XFA}}\begin{document}\section{/JavaScript}\href{https://example.org/JS}{/Launch}\href{mailto:a@example.org}{/URI (file:///x)}\end{document}",
    "iclr": r"\documentclass{article}\usepackage{times,natbib,amsmath,booktabs,url,hyperref,graphicx,xcolor,float,subcaption}\begin{document}\begin{figure}\includegraphics[width=3cm]{f.png}\includegraphics[width=3cm]{g.pdf}\caption{x}\end{figure}$\sum x$\end{document}",
    "twice_read": P % r"\pdfcatalog{/PageMode << /S /JavaScript /JS (x) >> /PageMode /UseNone}",
}
DRIVER = """
import os, pymupdf, shutil, subprocess
os.mkdir("home")
figure = pymupdf.open()
figure.new_page().insert_text((50, 50), "S /JavaScript")
figure.save("/tmp/g.pdf")
figure[0].get_pixmap().save("/tmp/f.png")
for name in sorted(os.listdir("cases")):
    for path in ("/tmp/f.png", "/tmp/g.pdf"):
        shutil.copy(path, "cases/" + name)
    tex = ["python3", "/opt/aisci/latex/compile.py", "latex/template.tex", "latex/out"]
    subprocess.run(tex, cwd="cases/" + name, check=False)
    for path in ("report.json", "paper.pdf"):
        if os.path.isfile(f"cases/{name}/latex/out/{path}"):
            shutil.copy(f"cases/{name}/latex/out/{path}", f"home/{name}-{path}")
"""


@pytest.fixture(scope="module")
def printed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """The report on each source that is asked for, with the PDF that came home, if one did."""
    folder = tmp_path_factory.mktemp("inert")
    blobs = BlobStore(folder / "blobs")
    wanted = asked(request, "name")
    sources = {name: tex for name, (tex, _) in ACTS.items() if name in wanted} | PAPERS
    files = {f"cases/{name}/latex/template.tex": tex for name, tex in sources.items()}
    files["driver.py"] = DRIVER
    job = Job(
        scope="inert",
        kind="latex",
        argv=("python3", "driver.py"),
        files=Tree.of({path: blobs.put(text.encode()) for path, text in files.items()}),
        limits=replace(
            load_policy("ci-cpu", shipped_root() / "policies").limits("latex"), wall=300.0
        ),
        harvest=("home/",),
    )
    engine = connect()
    try:
        with opened_sandbox(
            engine,
            blobs,
            f"test-inert-{folder.parent.name[-6:]}",
            lambda name: resolve_image(engine, name),
        ) as sandbox:
            result = sandbox.run(job)
            home = result.files.as_dict()
    finally:
        engine.close()
    found: dict[str, dict[str, Any]] = {}
    for name in sources:
        pdf = home.get(f"home/{name}-paper.pdf")
        found[name] = json.loads(blobs.get(home[f"home/{name}-report.json"]))
        found[name]["pdf"] = blobs.get(pdf) if pdf else b""
    return found


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_pdf_in_which_something_acts_is_refused_with_its_reason(
    printed: dict[str, dict[str, Any]], name: str
) -> None:
    report = printed[name]
    assert not report["ok"]
    assert not report["pdf"]
    assert any("the PDF is refused" in one and ACTS[name][1] in one for one in report["errors"]), (
        report
    )


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_links_places_and_pictures_are_a_papers_own(
    printed: dict[str, dict[str, Any]], name: str
) -> None:
    assert printed[name]["ok"], printed[name]
    assert printed[name]["pdf"].startswith(b"%PDF-")


def test_what_no_viewer_should_read_in_two_ways_is_not_in_the_copy(
    printed: dict[str, dict[str, Any]],
) -> None:
    """A script under a key that is given twice: MuPDF reads the last, another viewer the first."""
    assert b"JavaScript" not in printed["twice_read"]["pdf"]


def test_every_paper_has_the_mark_that_no_person_wrote_it_in_its_metadata(
    printed: dict[str, dict[str, Any]],
) -> None:
    """As XMP in plain bytes, which other programs find; what the source says of itself there is replaced."""
    made = {name: printed[name]["pdf"] for name in PAPERS}
    assert made
    for name, pdf in made.items():
        assert pdf.count(b"<x:xmpmeta") == 1, name
        assert b"automated study: no person wrote or checked this text" in pdf, name
        assert b"digitalsourcetype/trainedAlgorithmicMedia" in pdf, name
