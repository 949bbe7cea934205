"""Pure functions on LaTeX text: escaping, placeholders, the frame, the author, the figures.

A paper's source has a *frame* (the preamble, which is the template's) and a body. Models write
the body only, each section in place of its placeholder; the program checks this by comparing
text, so a section cannot change what stands around it.
"""

from __future__ import annotations

import re
import unicodedata

TEX = "latex/template.tex"  # where a paper's source lies in a study's tree

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\to$",
}

BEGIN, END = r"\begin{document}", r"\end{document}"
_BIB = re.compile(
    r"\\begin\{filecontents\*?\}(?:\[[^\]]*\])?\{[^}]*\.bib\}\n(.*?)\\end\{filecontents\*?\}",
    re.DOTALL,
)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_GRAPHIC = re.compile(r"\\includegraphics\*?\s*(?:\[[^\]]*\])?\s*\{([^}]*)\}")
# A courtesy to the model, not the boundary: LaTeX runs in a container of its own. These would
# let the printed paper say something else than the text that is checked.
_PRIMITIVE = re.compile(
    r"\\((?:re)?newcommand|providecommand|DeclareMathOperator|[egx]?def|let|futurelet|catcode"
    r"|csname|input|include|openin|openout|read|write|immediate|special|usepackage|newenvironment"
    r"|documentclass|directlua|loop|expandafter|uppercase|lowercase|number|the|advance|count"
    r"|newcount|newcounter|setcounter|addtocounter|stepcounter|value|arabic|roman|verbatiminput"
    r"|lstinputlisting|phantom|vphantom|hphantom|transparent|scantokens)(?![A-Za-z])"
)


def escape(text: str) -> str:
    """``text`` as LaTeX that prints it and does nothing else; one line, no control characters.

    Latin letters with accents stay; what pdflatex has no glyph for becomes its ASCII
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
    r"""What stands between ``\begin{document}`` and ``\end{document}``."""
    return tex.partition(BEGIN)[2].partition(END)[0]


def frame(tex: str) -> tuple[str, str]:
    """The preamble, and what follows the document; neither is a model's to change."""
    before, _, rest = tex.partition(BEGIN)
    return before.strip(), rest.partition(END)[2].strip()


def placeholder_texts(
    before: str, after: str, placeholders: tuple[str, ...]
) -> tuple[str, ...] | str:
    """What ``after`` has in place of each of ``before``'s placeholders, or why it is no answer.

    Everything around the placeholders must be as it was, to the letter.
    """
    standing = [name for name in placeholders if name in after]
    if standing:
        return f"the placeholder {standing[0]!r} still stands in the text"
    ordered = sorted(placeholders, key=before.index)
    pattern, at = "", 0
    for name in ordered:
        found = before.index(name)
        pattern += re.escape(before[at:found]) + "(.+?)"
        at = found + len(name)
    match = re.fullmatch(pattern + re.escape(before[at:].rstrip()), after.rstrip(), re.DOTALL)
    if match is None:
        return (
            "the edit changed lines outside the placeholder; replace "
            + " and ".join(repr(name) for name in placeholders)
            + " and leave every other line as it is"
        )
    texts = dict(zip(ordered, match.groups(), strict=True))
    return tuple(texts[name] for name in placeholders)


def fill_placeholders(before: str, texts: dict[str, str]) -> str:
    """``before`` with each placeholder replaced by its text."""
    for name, text in texts.items():
        before = before.replace(name, text.strip(), 1)
    return before


def primitives(text: str) -> tuple[str, ...]:
    """Commands in ``text`` that define, compute or read, which a section has no need of."""
    return tuple(dict.fromkeys("\\" + match[1] for match in _PRIMITIVE.finditer(text)))


def graphics(tex: str) -> tuple[str, ...]:
    r"""The file names that ``\includegraphics`` asks for, in order, without folders."""
    return tuple(name.strip().rsplit("/", 1)[-1] for name in _GRAPHIC.findall(uncommented(tex)))


def figure_problems(tex: str, figures: tuple[str, ...]) -> tuple[str, ...]:
    """Why the figures of ``tex`` are not exactly ``figures``, each once."""
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


def with_author(tex: str, author: str, note: str) -> str:
    r"""``tex`` with its author line set; it says who wrote the paper and, below, ``note``.

    A template's own ``\author{…}`` gives way where it has no ``AUTHOR HERE``.
    """
    line = rf"{escape(author)}\\ {{\small {escape(note)}}}"
    if "AUTHOR HERE" in tex:
        return tex.replace("AUTHOR HERE", line, 1)
    at = tex.find(r"\author{")
    if at < 0:
        return tex.replace(BEGIN, rf"\author{{{line}}}" + "\n" + BEGIN, 1)
    end = closing(tex, at + len(r"\author"))
    return tex[:at] + rf"\author{{{line}}}" + tex[end + 1 :]


def closing(text: str, start: int) -> int:
    """The index of the brace that closes the one at ``start``; the last index if none does."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", text[start:], re.DOTALL):
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
            if depth == 0:
                return start + match.start()
    return len(text) - 1


def bibliography_span(tex: str) -> tuple[int, int] | None:
    """Where the entries of the paper's own ``.bib`` block begin and end."""
    match = _BIB.search(tex)
    return match.span(1) if match else None


def with_packages(tex: str, names: tuple[str, ...]) -> str:
    """``tex`` whose preamble loads the packages that the program's own tables and figures need.

    A paper without a date of its own gets none, so that its pages do not change with the day.
    """
    loaded = {
        name.strip()
        for names in re.findall(r"\\usepackage\s*(?:\[[^\]]*\])?\s*\{([^}]*)\}", uncommented(tex))
        for name in names.split(",")
    }
    more = "".join(rf"\usepackage{{{name}}}" + "\n" for name in names if name not in loaded)
    if r"\date" not in tex:
        more += "\\date{}\n"
    return tex.replace(BEGIN, more + BEGIN, 1)


def without_unknown_figures(tex: str, figures: tuple[str, ...]) -> str:
    """``tex`` less the example figures of a template, whose files this study does not have."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if set(graphics(match[0])) <= set(figures) else ""

    return re.sub(r"\\begin\{(figure\*?)\}.*?\\end\{\1\}\n?", kept, tex, flags=re.DOTALL)
