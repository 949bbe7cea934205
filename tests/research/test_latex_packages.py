"""The LaTeX image has the fonts and packages that docs/paper.md lists: each sets a page."""

from __future__ import annotations

import re

import pytest

from tests.support.fewer import asked
from tests.support.places import ROOT
from tests.support.template_rig import closed

pytestmark = pytest.mark.engine

# What a page uses, and a font that its PDF must hold.
FONTS = {
    r"\usepackage{dsfont}": (r"$\mathds{1}$", "dsrom10"),
    r"\usepackage{bbm}": (r"$\mathbbm{1}$", "Type 3"),  # there is no other form of it
    r"\usepackage{bbold}": (r"$\mathbb{1}$", "BBOLD10"),
    r"\usepackage[T1]{fontenc}\usepackage{inconsolata}": (r"\texttt{code}", "Inconsolatazi4"),
    r"\usepackage[T1]{fontenc}\usepackage{newtxtext}": (r"text \textsf{sans}", "TeXGyreTermesX"),
    r"\usepackage{newtxtext,newtxmath}": (r"$x^2 \leq \mathcal{L}$", "NewTXMI"),
    r"\usepackage[T1]{fontenc}\usepackage{libertine}": (r"text \textsf{sans}", "LinLibertineT"),
    r"\usepackage{libertine}\usepackage[libertine]{newtxmath}": ("$x$", "LibertineMathMI"),
    r"\usepackage{CJKutf8}": (r"\begin{CJK}{UTF8}{gbsn}中文\end{CJK}", "gbsnu"),
    r"\usepackage{fontawesome5}": (r"\faGithub", "FontAwesome5Brands"),
    r"\usepackage{tgtermes}": ("text", "TeXGyreTermes"),
    r"\usepackage{times}": ("text", "NimbusRomNo9L"),
}  # fmt: skip
SAID = dict(
    re.findall(
        r"^\| (fonts|packages) \| (.+) \|$", (ROOT / "docs/paper.md").read_text(), re.MULTILINE
    )
)
PACKAGES = re.findall(r"`([a-z0-9-]+)`", SAID["packages"])
PAGE = "\\documentclass{article}\n%s\n\\begin{document}\n%s\n\\end{document}\n"
SET = (
    "export HOME=/tmp TEXMFVAR=/tmp/var; for tex in *.tex; do name=${tex%.tex}; "
    "pdflatex -interaction=nonstopmode -halt-on-error $tex >$name.said || true; "
    "pdffonts $name.pdf >$name.fonts 2>&1 || true; done"
)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Each wanted page's output by its name; no network, no shell for TeX, as for a paper."""
    heads, names = asked(request, "head"), asked(request, "name")
    pages = {
        f"font{at}.tex": (head, body)
        for at, (head, (body, _)) in enumerate(FONTS.items())
        if head in heads
    }
    pages |= {
        f"{name}.tex": (rf"\usepackage{{{name}}}", "text") for name in PACKAGES if name in names
    }
    sources = {name: (PAGE % page).encode() for name, page in pages.items()}
    return closed("aisci-latex", sources, SET)


@pytest.mark.parametrize(("head", "font"), [(head, font) for head, (_, font) in FONTS.items()])
def test_a_font_is_there_and_goes_into_the_pdf(
    made: dict[str, bytes], head: str, font: str
) -> None:
    name = f"font{[*FONTS].index(head)}"
    assert f"{name}.pdf" in made, made[f"{name}.said"].decode(errors="replace")[-800:]
    assert font in made[f"{name}.fonts"].decode()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_of_a_venues_style_is_there(made: dict[str, bytes], name: str) -> None:
    assert f"{name}.pdf" in made, made[f"{name}.said"].decode(errors="replace")[-800:]


def test_the_documents_fonts_are_the_tested_ones() -> None:
    loaded = {
        part
        for head in FONTS
        for name in re.findall(r"\{(.+?)\}", head)
        for part in name.split(",")
    }
    assert {*re.findall(r"`(\w+)`", SAID["fonts"])} - {"gbsn"} == loaded - {"fontenc"}
    assert len(PACKAGES) > 40
