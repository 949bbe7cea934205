"""A model's reasoning is taken out of its reply once, and the code of an answer stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.fences import fences
from orchestrator.core.reasoning import without_reasoning

CODE = "RUN: less.\n\nrun.py\n```python\nopen_tag = <think>\nx = split(</think>)\n```\n"
DRAFT = '```json\n{"draft": 1}\n```'


@pytest.mark.parametrize("name", ["think", "thinking", "reasoning", "THINK"])
@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<T>draft</T>answer", "answer"),
        ("\n <T>\ndraft\n</T>\n\nanswer\n", "answer"),
        ("<T>one</T><T>two</T> answer", "answer"),
        ("<T>one <T>two</T> three</T> answer", "answer"),
        ("Sure. <T>draft</T> answer", "Sure.  answer"),
        ("draft</T>answer", "answer"),
        (f"{DRAFT}\nno:</T>answer", "answer"),
        ("<T>draft", ""),
        ("Sure.\n<T>\ndraft", "Sure."),
        ("<T></T><T>draft", ""),
        (f"<T>{DRAFT}</T>answer", "answer"),
        (f"<T>\n{DRAFT}\n</T>\n```\nanswer\n```", "```\nanswer\n```"),
        ("<T>\n```\ndraft\n</T>\n```\nanswer\n```", "```\nanswer\n```"),
        ("<T>\n```json\ndraft\n</T>\n```json\nanswer\n```", "```json\nanswer\n```"),
        ("<T>\n```\n</T>\n```\ndraft</T>answer", "answer"),
        (f"<T>draft</T>{CODE}", CODE.strip()),
    ],
)
def test_reasoning_is_taken_out(name: str, reply: str, answer: str) -> None:
    assert without_reasoning(reply.replace("T>", f"{name}>")) == answer


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "answer\n",
        "```\n<think>\n```\n",
        CODE,
        "~~~\n</think>\n~~~",
        "````\n```\n</think>\n````\n",
        "It prints `</think>` and \"<think>\", and '</thinking>'.",
        "A paper on <think> tags.",
        "a < think > b </thinker>",
    ],
)
def test_a_reply_without_reasoning_stays_as_it_is(reply: str) -> None:
    assert without_reasoning(reply) == reply


PIECES = st.sampled_from(
    ["<think>", "</think>", "```\n", "```python\n", "\n", " ", "a", "`", '"', "{", "}", "~~~\n"]
)
TEXT = st.lists(PIECES, max_size=30).map("".join)


@given(TEXT.map(lambda text: text.replace("</think>", "")), TEXT)
def test_nothing_of_closed_reasoning_at_the_start_is_left(inside: str, after: str) -> None:
    left = without_reasoning(f"<think>{inside}SECRET</think>\n{after}")
    assert "SECRET" not in left


@given(TEXT)
def test_nothing_of_open_reasoning_at_the_start_is_left(inside: str) -> None:
    left = without_reasoning(f"<think>SECRET{inside}")
    assert "SECRET" not in left


@given(TEXT)
def test_what_has_no_tag_is_untouched_and_all_text_is_read(text: str) -> None:
    bare = text.replace("think", "")
    assert without_reasoning(bare) == bare
    assert len(without_reasoning(text)) <= len(text)
    blocks = fences(text)
    ends = [at for block in blocks for at in (block.start, block.end)]
    assert ends == sorted(ends)
