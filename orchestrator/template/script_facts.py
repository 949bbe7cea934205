"""What a script's syntax tree says of its arguments, its names and its end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator


def parser_made(tree: ast.Module, parser: str) -> ast.Assign | None:
    """The statement that makes a parser, where it is the only one of that name and ends its line."""
    made = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and "ArgumentParser" in ast.unparse(node.value.func)
        and [ast.unparse(target) for target in node.targets] == [parser]
    ]
    alone = len(made) == 1 and not any(
        isinstance(node, ast.stmt) and node is not made[0] and node.lineno == made[0].end_lineno
        for node in ast.walk(tree)
    )
    return made[0] if alone else None


def writes_results(tree: ast.Module) -> bool:
    """Whether a text of the code names the file of results."""
    named = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return any(isinstance(one, str) and "final_info" in one for one in named)


def exits(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements at the top level, or below its ``__main__``, that end the program."""
    body = list(tree.body)
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            body += node.body
    for one in body:
        if isinstance(one, ast.Expr | ast.Raise) and re.match(
            r"(?:sys\.exit|exit|quit|os\._exit)\(|raise SystemExit", ast.unparse(one)
        ):
            yield one


def looped(tree: ast.Module, node: ast.expr) -> bool:
    """Whether a call stands in a loop that is not one over seeds."""
    return any(
        loop.lineno <= node.lineno <= (loop.end_lineno or loop.lineno)
        and "seed" not in _loop_words(loop)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For | ast.While)
    )


def _loop_words(loop: ast.For | ast.While) -> str:
    parts = (loop.target, loop.iter) if isinstance(loop, ast.For) else (loop.test,)
    return " ".join(map(ast.unparse, parts)).lower()


def relative_texts(tree: ast.Module) -> tuple[str, ...]:
    """The texts in the code that can be the path of a file beside it, other than code."""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return tuple(
        dict.fromkeys(
            one.removeprefix("./")
            for one in found
            if isinstance(one, str)
            and re.fullmatch(r"(?:\./)?[\w-][\w. -]*(?:/[\w-][\w. -]*)*", one)
            and not one.endswith(".py")
        )
    )


def lines_with(tree: ast.Module, text: str) -> list[int]:
    """The lines of the names and attributes that are written so."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))
    return sorted({node.lineno for node in found if ast.unparse(node) == text})


def method_calls(tree: ast.Module, name: str) -> list[ast.Call]:
    """Every call of a method of that name, in the order of the text."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(
        (call for call in found if getattr(call.func, "attr", "") == name),
        key=lambda call: (call.lineno, call.col_offset),
    )


def option_name(call: ast.Call) -> str:
    """The name that an argument's value has in the program."""
    dest = keyword_value(call, "dest")
    words = [one.value for one in call.args if isinstance(one, ast.Constant)]
    longs = [one for one in words if isinstance(one, str) and one.startswith("--")]
    name = dest.value if isinstance(dest, ast.Constant) else (longs or words or [""])[0]
    return str(name).lstrip("-").replace("-", "_")


def keyword_value(call: ast.Call, name: str) -> ast.expr | None:
    """The value that a call gives a keyword."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def modules_named(tree: ast.Module) -> set[str]:
    """The top-level modules that it imports."""
    found = {
        a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    return found | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }


def own_names(tree: ast.Module) -> Iterator[str]:
    """Every name that the program uses for anything of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
