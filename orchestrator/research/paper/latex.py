"""Pure functions on LaTeX text: escaping, placeholders, the frame, the author, the figures.

A paper's source has a *frame* (the preamble of the template) and a body. Models write only the
body, each section in place of its placeholder. The program compares the texts, so a section
cannot change the text around it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

_MOST_TEXT = 2 << 20  # characters of a paper's source, far more than any paper has
TEX = "latex/template.tex"  # the paper's source in a study's tree

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&",
    "#": r"\#", "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "–": "--",
    "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''",
    "…": r"\dots{}", "±": r"$\pm$", "×": r"$\times$", "−": "$-$", "≤": r"$\leq$",
    "≥": r"$\geq$", "→": r"$\to$",
}  # fmt: skip

BEGIN, END = r"\begin{document}", r"\end{document}"
_BIB = re.compile(r"(?:\[[^\]\n]{0,100}\])?\{[^}\n]{0,200}\.bib\}\n")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
# The lengths that these patterns allow keep a text of a million characters a matter of seconds.
_OPTION = r"(?:\[[^\]]{0,2000}\])?"
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_GRAPHIC = re.compile(rf"\\includegraphics\*?\s*{_OPTION}\s*\{{([^}}]{{0,500}})\}}")
_PACKAGES = re.compile(rf"\\usepackage\s*{_OPTION}\s*\{{([^}}]{{0,2000}})\}}")
# Not a security boundary, since LaTeX runs in its own container: with these commands, the printed
# paper could differ from the text that is checked.
_PRIMITIVE = re.compile(
    r"\\((?:re)?newcommand|providecommand|DeclareMathOperator|[egx]?def|let|futurelet|catcode"
    r"|csname|input|include|openin|openout|read|write|immediate|special|usepackage|newenvironment"
    r"|documentclass|directlua|loop|expandafter|uppercase|lowercase|number|the|advance|count"
    r"|newcount|newcounter|setcounter|addtocounter|stepcounter|value|arabic|roman|verbatiminput"
    r"|lstinputlisting|phantom|vphantom|hphantom|transparent|scantokens|string|hypersetup"
    # What makes a PDF act, attach or ask: the PDF itself is judged in its container.
    r"|pdf(?!bookmark)[a-z]+|Acrobatmenu|attachfile[a-z]*|embedfile|includemedia|movie|sound"
    r"|animategraphics|TextField|CheckBox|ChoiceMenu|PushButton|Submit|Reset"
    r"|href(?!\s*\{\s*(?:https?://|mailto:)))(?![A-Za-z])"
)


def escape(text: str) -> str:
    """``text`` as LaTeX that only prints it, on one line and without control characters. Accented
    Latin letters stay; other characters without a glyph in pdflatex become their ASCII
    decomposition, or ``?``.
    """
    out = []
    for char in " ".join(text.split()):
        if char in _SPECIAL:
            out.append(_SPECIAL[char])
        elif unicodedata.category(char)[0] == "C":
            continue
        elif ord(char) < 0x180:  # ASCII, Latin-1, Latin Extended-A
            out.append(char)
        else:
            plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
            out.append("".join(_SPECIAL.get(c, c) for c in plain) or "?")
    return "".join(out)


def uncommented(tex: str) -> str:
    """``tex`` without its comments."""
    return _COMMENT.sub(r"\1", tex)


def body(tex: str) -> str:
    r"""The text between ``\begin{document}`` and ``\end{document}``."""
    return tex.partition(BEGIN)[2].partition(END)[0]


def frame(tex: str) -> tuple[str, str]:
    """The preamble, and the text after the document; a model may change neither."""
    before, _, rest = tex.partition(BEGIN)
    return before.strip(), rest.partition(END)[2].strip()


def primitives(text: str) -> tuple[str, ...]:
    """Commands in ``text`` that define, compute or read; a section must not use them."""
    return tuple(dict.fromkeys("\\" + match[1] for match in _PRIMITIVE.finditer(text)))


def graphics(tex: str) -> tuple[str, ...]:
    r"""The file names in ``\includegraphics``, in order, without folders."""
    return tuple(name.strip().rsplit("/", 1)[-1] for name in _GRAPHIC.findall(uncommented(tex)))


def figure_problems(tex: str, figures: tuple[str, ...]) -> tuple[str, ...]:
    """Texts for a model: each deviation of ``tex`` from showing every one of ``figures`` once."""
    used = graphics(tex)
    problems = [
        f"\\includegraphics asks for {name!r}, which is no figure of this study; "
        f"the figures are: {', '.join(figures)}"
        for name in dict.fromkeys(used)
        if name not in figures
    ]
    problems += [f"the figure {name!r} is not shown" for name in figures if name not in used]
    problems += [f"the figure {name!r} is shown twice" for name in figures if used.count(name) > 1]
    return tuple(problems)


_LABEL = re.compile(r"\\label\{((?:fig|tab):[^{}]*)\}")
_REFERENCE = re.compile(r"\\(?:auto|page|[cC])?ref\*?\{([^{}]*)\}")


def unreferred(tex: str, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Texts for a model: figures and tables of ``tex``, and ``labels``, that it never refers to."""
    said = {name.strip() for match in _REFERENCE.finditer(tex) for name in match[1].split(",")}
    return tuple(
        f"the text never refers to {label!r}: write where it belongs Figure~\\ref or Table~\\ref"
        for label in dict.fromkeys((*labels, *_LABEL.findall(tex)))
        if label not in said
    )


def with_author(tex: str, author: str, note: str) -> str:
    r"""``tex`` with the author and, below it, ``note``. They replace ``AUTHOR HERE`` or, without
    it, the template's own ``\author{…}``.
    """
    line = rf"{escape(author)}\\ {{\small {escape(note)}}}"
    if "AUTHOR HERE" in tex:
        return tex.replace("AUTHOR HERE", line, 1)
    at = tex.find(r"\author{")
    if at < 0:
        return tex.replace(BEGIN, rf"\author{{{line}}}" + "\n" + BEGIN, 1)
    end = closing(tex, at + len(r"\author"))
    return tex[:at] + rf"\author{{{line}}}" + tex[end + 1 :]


def prepared(tex: str, author: str, note: str, figures: tuple[str, ...]) -> str:
    """A skeleton as every paper begins: the author, our packages, none but the study's figures."""
    tex = with_packages(with_author(tex, author, note), ("graphicx", "booktabs", "float", "url"))
    return without_unknown_figures(tex, figures)


def closing(text: str, start: int) -> int:
    """The index of the brace that closes the one at ``start``; if none does, the last index."""
    depth = 0
    for match in _BRACES.finditer(text, start):
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
            if depth == 0:
                return match.start()
    return len(text) - 1


def unmatched_braces(text: str) -> tuple[list[int], list[int]]:
    """Where braces open that ``text`` does not close, and close that it does not open."""
    opened, closed = list[int](), list[int]()
    for match in re.finditer(r"\\.|(?<!\w)%[^\n]*|[{}]", text, re.DOTALL):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}":
            closed.append(match.start()) if not opened else opened.pop()
    return opened, closed


def environments(tex: str, names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    r"""(start, end) of each outermost ``\begin{name}`` … ``\end{name}``; one without an end is none."""
    marks = [
        (match.start(), match.end(), match[1], match[2])
        for match in re.finditer(r"\\(begin|end)\{([a-z]{1,40}\*?)\}", tex)
        if match[2] in names
    ]
    ends = {name: [m for m in marks if m[2:] == ("end", name)] for name in names}
    after = 0
    for start, _, side, name in marks:
        if side == "begin" and start >= after:
            at = bisect_right(ends[name], start, key=lambda mark: mark[0])
            if at < len(ends[name]):
                after = ends[name][at][1]
                yield start, after


def bibliography_span(tex: str) -> tuple[int, int] | None:
    """Start and end of the entries in the paper's ``.bib`` block; None without such a block."""
    for start, end in environments(tex, ("filecontents", "filecontents*")):
        head = _BIB.match(tex, tex.index("}", start) + 1)
        if head:
            return head.end(), tex.rindex("\\end{", start, end)
    return None


def with_packages(tex: str, names: tuple[str, ...]) -> str:
    """``tex`` that loads ``names``, and has a date: pages must not depend on the day."""
    loaded = {
        name.strip() for names in _PACKAGES.findall(uncommented(tex)) for name in names.split(",")
    }
    more = "".join(rf"\usepackage{{{name}}}" + "\n" for name in names if name not in loaded)
    if r"\date" not in tex:
        more += "\\date{}\n"
    return tex.replace(BEGIN, more + BEGIN, 1)


def without_unknown_figures(tex: str, figures: tuple[str, ...]) -> str:
    """``tex`` without a template's example figures, whose files this study does not have."""
    parts, at = [], 0
    for start, end in environments(tex, ("figure", "figure*")):
        if not set(graphics(tex[start:end])) <= set(figures):
            parts.append(tex[at:start])
            at = end + tex.startswith("\n", end)
    return "".join([*parts, tex[at:]])
