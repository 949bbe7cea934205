"""A script of one's own becomes experiment.py by few edits, each in its place and each told."""

from __future__ import annotations

import ast

import pytest

from orchestrator.template.contract.code import knob_line
from orchestrator.template.script import read_script

HEAD = (
    "#!/usr/bin/env python\n'''Zu \u00e9.'''\nfrom __future__ import annotations\nimport argparse\n"
)
MAIN = f"""{HEAD}

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3, help="\u00e9 step (default: %(default)s)")
    parser.add_argument("--batch-size", "-b", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log-interval", type=int, default=10)
    parser.add_argument("--name", default="x")
    args = parser.parse_args()
    print(f"loss {{args.lr}}")


if __name__ == "__main__":
    main()
"""


class _Inline(ast.NodeTransformer):
    """Names of constants in place of which their values stand."""

    def __init__(self, constants: dict[str, ast.expr]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self.constants.get(node.id)
        return found if found is not None and isinstance(node.ctx, ast.Load) else node


def test_but_for_what_is_told_the_program_is_the_same() -> None:
    """Put the constants back and take the added statements away: the tree is that of the script."""
    reading = read_script(MAIN)
    tree, added = ast.parse(reading.text), {"LR", "BATCH_SIZE"}
    constants = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]  # they are names
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in added
    }
    assert set(constants) == added
    theirs = {ast.unparse(node) for node in ast.parse(MAIN).body}
    body = [_Inline(constants).visit(node) for node in tree.body]
    main = next(node for node in body if isinstance(node, ast.FunctionDef))
    main.body = [node for node in main.body if "out_dir" not in ast.unparse(node)]
    left = [ast.unparse(node) for node in body if ast.unparse(node) not in theirs]
    assert [one.partition("\n")[0] for one in left] == [
        "import common", "LR = 0.001", "BATCH_SIZE = 64", "FOUND = []",
        "if __name__ == '__main__':",
    ]  # fmt: skip
    assert theirs <= {ast.unparse(node) for node in body}


def test_each_default_that_is_a_number_is_one_line_that_a_study_can_turn() -> None:
    reading = read_script(MAIN)
    assert knob_line(reading.text, "LR") == ("LR = 1e-3", 0.001)
    assert knob_line(reading.text, "BATCH_SIZE") == ("BATCH_SIZE = 64", 64)
    assert "default=LR" in reading.text
    assert "default=10" in reading.text  # a study does not vary how often a line is printed
    assert reading.helps == {"LR": "\u00e9 step"}
    assert "line 9: default=1e-3 is now LR, at the top" in reading.changes


def test_a_name_that_the_script_uses_itself_is_not_taken() -> None:
    text = MAIN.replace("    args =", "    LR = 3\n    args =")
    assert "default=LR_DEFAULT" in read_script(text).text


def test_the_parser_takes_the_folder_of_a_run_below_the_line_that_makes_it() -> None:
    lines = read_script(MAIN).text.split("\n")
    made = lines.index("    parser = argparse.ArgumentParser()")
    assert lines[made + 1] == '    parser.add_argument("--out_dir", default="run_0")'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('p.add_argument("--out-dir", default="x")', 'p.add_argument("--out_dir", "--out-dir", default="x")'),
        ('p.add_argument("--out_dir", default="x")', 'p.add_argument("--out_dir", default="x")'),
    ],
)  # fmt: skip
def test_an_argument_for_the_folder_is_kept(before: str, after: str) -> None:
    source = f"import argparse\np = argparse.ArgumentParser()\n{before}\nargs = p.parse_args()\n"
    text = read_script(source).text
    assert after in text
    assert text.count("out_dir") == after.count("out_dir") + 1  # and the block at the end


def test_a_parser_out_of_a_function_gets_the_argument_before_it_reads() -> None:
    source = "def read(parser):\n    return parser.parse_args()\n"
    text = read_script(source).text
    added = '    parser.add_argument("--out_dir", default="run_0")\n    return parser.parse_args()'
    assert added in text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import argparse\nargs = argparse.ArgumentParser().parse_args()\n", "take --out_dir"),
        ("import fire\nfire.Fire(print)\n", "fire refuses an argument"),
        ("import sys\nprint(1)\nsys.exit(0)\n", "ends at line 3"),
        ("if __name__ == '__main__':\n    raise SystemExit(print(1))\n", "ends at line 2"),
        ("def f(p):\n    p.add_argument('data')\n", "give data (line 2"),
        ("def f(p):\n    p.add_argument('--data', required=True)\n", "give --data (line 2"),
        ("import sys\nrate = float(sys.argv[1])\n", "sys.argv at line 2"),
        ("import click\n", "standalone_mode=False"),
        ("for e in range(9):\n    print('loss', e)\n", "as at line 2 of the script, which prints them in a loop: append behind it"),
        ("for e in x:\n    print('loss', e)\nprint('loss', 1)\n", "as at line 3 of the script, which prints them"),
        ("for seed in x:\n    print('loss', seed)\n", "as at line 2 of the script, which prints them"),
        ("def fit(gamma):\n    pass\nfit(gamma=0.5)\nprint('score', 1)\n", "gamma=0.5 (line 3)"),
    ],
)  # fmt: skip
def test_what_the_program_cannot_do_is_told_with_its_line(source: str, told: str) -> None:
    assert told in " ".join(read_script(source).todo)


def test_a_script_that_writes_its_results_is_left_as_it_is() -> None:
    source = (
        "import json, sys\nRATE = 0.5\nwith open(sys.argv[1][10:] + '/final_info.json', 'w') as f:\n"
        "    json.dump({'data': {'means': {'x': RATE}}}, f)\n# --out_dir\n"
    )
    reading = read_script(source)
    assert (reading.text, reading.changes, reading.todo) == (source, [], [])


@pytest.mark.parametrize("source", ["x = (\n", "print 1\n", "a\0b"])
def test_what_is_no_python_is_refused(source: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        read_script(source)


def test_the_block_at_the_end_stands_below_a_last_line_without_an_end() -> None:
    text = read_script("print(1)").text
    assert "print(1)\n" in text
    ast.parse(text)


def test_a_print_that_is_not_repeated_is_named_without_a_loop() -> None:
    for source in ("print('loss', 1)\n", "for seed in x:\n    print('loss', seed)\n"):
        assert "in a loop" not in " ".join(read_script(source).todo)


def test_a_random_state_is_no_knob() -> None:
    option = MAIN.replace("--batch-size", "--random-state")
    assert "RANDOM_STATE" not in read_script(option).text
    assert "BATCH_SIZE" in read_script(MAIN).text
