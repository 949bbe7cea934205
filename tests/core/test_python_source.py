"""Python of strangers is a tree or a SyntaxError, in any thread, whatever was parsed before."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.core.python_source import parse_python

DEEP = "x = " + "(" * 5000 + "1" + ")" * 5000
DEEPER = "x = " + "-" * 100_000 + "1"


@pytest.mark.parametrize("source", [DEEP, DEEPER, "def", "x = (", "f'{"])
def test_what_is_no_tree_is_a_syntax_error_and_the_next_source_is_read(source: str) -> None:
    with pytest.raises(SyntaxError):
        parse_python(source)
    assert parse_python("x = 1").body


def test_threads_that_parse_side_by_side_get_their_own_trees() -> None:
    def work(number: int) -> int:
        try:
            return len(parse_python("x = 1\n" * (number % 7 + 1)).body)
        except SyntaxError:
            return -1

    with ThreadPoolExecutor(8) as pool:
        bad = [pool.submit(parse_python, DEEPER) for _ in range(8)]
        counts = list(pool.map(work, range(400)))
    assert counts == [number % 7 + 1 for number in range(400)]
    assert all(isinstance(one.exception(), SyntaxError) for one in bad)


@pytest.mark.parametrize("source", [DEEP, DEEPER])
def test_whoever_parses_after_a_source_that_is_too_deep_is_not_disturbed(source: str) -> None:
    for _ in range(20):
        with pytest.raises(SyntaxError):
            parse_python(source)
        assert ast.parse("x = 1").body
