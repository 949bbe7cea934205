r"""What a source reads in: put where it is read, or named; in a time that grows with its length alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.research.importing.included import with_included

PARTS = {
    "a": "A\n\\input{b} % \\input{c}",
    "b": "B",
    "whole": "x\n\\begin{document}W\\end{document}y",
}


def read(name: str) -> str:
    if name not in PARTS:
        raise ValueError("gone")
    return PARTS[name]


@pytest.mark.parametrize(
    ("tex", "whole"),
    [
        (r"1 \input{a} 2", "1 A\nB\n \n 2"),
        (r'1 \input{"b"} 2', "1 B\n 2"),
        ("1 \\input b\n2", "1 B\n\n2"),
        ("% no\r\\input{b}\r", "% no\rB\n\r"),
        (r"\subfile{whole}", "W\n"),
        (r"\% \include{b}", "\\% B\n"),
        (r"\\% \input{b}", r"\\% \input{b}"),
        (r"\begin{verbatim}\input{b}\end{verbatim}", r"\begin{verbatim}\input{b}\end{verbatim}"),
        (r"\begin{verbatim}\input{b}", "\\begin{verbatim}B\n"),
        (r"\includegraphics{b} \includeonly{b}", r"\includegraphics{b} \includeonly{b}"),
        (r"\end{document} \input{b}", r"\end{document} \input{b}"),
    ],
)
def test_a_part_stands_where_it_is_read_in(tex: str, whole: str) -> None:
    assert with_included(tex, read) == (whole, ())


def test_what_is_not_read_is_named_once() -> None:
    tex, left = with_included(r"\input{x} \input{x} \input{\y} \import{a}{b}", read)
    assert "x" in tex
    assert dict(left) == {
        "x": "gone",
        r"\input{\y}": "its name is not written out",
        r"\import{a}{b}": "its name is not written out",
    }


@given(st.text(alphabet="\\{}%\nab inputclude$", max_size=80))
def test_any_text_comes_back_or_is_named(tex: str) -> None:
    whole, _ = with_included(tex, lambda _name: "")
    kept, _ = with_included(tex, read)
    assert len(whole) <= len(tex)
    assert kept == tex or "A" in kept or "B" in kept


@pytest.mark.parametrize(
    "one", [r"\input{x}", r"\begin{verbatim}", "%", "\\", r"\input ", "\\input{x}\n%"]
)
def test_a_hostile_source_takes_no_longer_than_its_length(one: str) -> None:
    began = time.monotonic()
    with_included(one * (2_000_000 // len(one)), read)
    assert time.monotonic() - began < 20
