"""A researcher's own script as the ``experiment.py`` of a template: its text with few, small edits.

Defaults of arguments become constants at the top level, which a study can vary. Where the script
takes no ``--out_dir`` or writes no ``final_info.json``, what can be added surely is added; the rest
is named, with its line. Nothing of the script is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.core.python_source import parse_python
from orchestrator.template.candidates import number_of
from orchestrator.template.script_edits import (
    SourceText,
    TextEdit,
    end_of_imports,
    statement_of,
)

MARK = "FILL IN"
_SEED = re.compile("seed", re.IGNORECASE)
_TOLD = re.compile(r"acc|loss|score|error|auc|\bf1|mse|perplex|reward|r2|report", re.IGNORECASE)
_PARSERS = ("click", "typer", "fire", "hydra", "absl", "tyro", "docopt", "simple_parsing")
_DEFAULT = re.compile(r"\s*[(\[]default\b[^)\]]*[)\]]", re.IGNORECASE)
_MOST = 4  # places that are named


@dataclass(slots=True)
class ScriptReading:
    """The text of ``experiment.py``; what was changed in it, and what a person has to do, one line
    each. ``helps`` has the help of each argument that became a constant.
    """

    text: str = ""
    changes: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    helps: dict[str, str] = field(default_factory=dict)


def read_script(source: str) -> ScriptReading:
    """Raises :class:`SyntaxError` or :class:`ValueError` for what is no Python."""
    tree, text, reading = parse_python(source), SourceText(source), ScriptReading()
    constants, edits = _constants(tree, text, reading)
    edits += _out_dir(tree, text, reading)
    _demands(tree, reading)
    head = [f"{name} = {value}" for name, value in constants.items()]
    if head:
        head.insert(
            0, "# What a study may vary. Each constant is set once, here, as a plain number."
        )
    if not _writes_results(tree):
        imports = ["import common  # it writes what a run found", ""] if head else []
        last = "import common  # it writes what a run found" if not head else ""
        head = [
            *imports,
            *head,
            *([last] if last else []),
            "",
            "FOUND = []  # one dictionary per seed",
        ]
        edits.append(text.below(source.count("\n") + 1, _written(tree, reading)))
    if head:
        edits.append(text.below(end_of_imports(tree), "\n".join(["", *head, ""])))
    reading.text = text.edited(edits)
    parse_python(reading.text)
    return reading


def _constants(
    tree: ast.Module, text: SourceText, reading: ScriptReading
) -> tuple[dict[str, str], list[TextEdit]]:
    """The constants that defaults of arguments become, and the edits that read them there."""
    taken, found, edits = set(_names(tree)), dict[str, str](), list[TextEdit]()
    for call in _calls(tree, "add_argument"):
        option, default = _option(call), _word(call, "default")
        if not option or default is None or number_of(default) is None or _SEED.search(option):
            continue
        name = next(
            (n for n in (option.upper(), f"{option.upper()}_DEFAULT") if n not in taken), ""
        )
        if not name or not re.fullmatch("[A-Z][A-Z0-9_]*", name):
            continue
        taken.add(name)
        found[name] = text.of(default)
        edits.append(text.replaced(default, name))
        reading.changes.append(
            f"line {default.lineno}: default={found[name]} is now {name}, at the top"
        )
        told = _word(call, "help")
        if isinstance(told, ast.Constant) and isinstance(told.value, str):
            words = " ".join(told.value.replace("%(default)s", "").split())
            reading.helps[name] = _DEFAULT.sub("", words).strip()
    return found, edits


def _out_dir(tree: ast.Module, text: SourceText, reading: ScriptReading) -> list[TextEdit]:
    """What makes the program accept ``--out_dir``, the one argument that a run gives it."""
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    if any(isinstance(one, str) and "--out_dir" in one for one in strings):
        return []
    for call in _calls(tree, "add_argument"):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and first.value == "--out-dir":
            reading.changes.append(f"line {call.lineno}: --out-dir can be written --out_dir too")
            return [text.before(first, '"--out_dir", ')]
    parsing = _calls(tree, "parse_args")
    for call in parsing:
        statement = statement_of(tree, call)
        at = text.indent(statement) if statement else None
        if at is None or not isinstance(call.func, ast.Attribute):
            continue
        if statement is None or not isinstance(call.func.value, ast.Name):
            continue
        parser = call.func.value.id
        added = f'{parser}.add_argument("--out_dir", default="run_0")'
        made = _made(tree, parser)
        reading.changes.append(f"line {(made or statement).lineno}: added {added}")
        if made is not None and (before := text.indent(made)) is not None:
            return [text.below(made.end_lineno or made.lineno, f"{before}{added}\n")]
        return [text.before(statement, f"{added}\n{at}")]
    other = [one for one in _PARSERS if one in _imported(tree)]
    if parsing or other:
        by = other[0] if other else "parse_args"
        reading.todo.append(
            f"let the program take --out_dir=run_0: {by} refuses an argument that it does not know"
        )
    return []


def _made(tree: ast.Module, parser: str) -> ast.Assign | None:
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


def _demands(tree: ast.Module, reading: ScriptReading) -> None:
    """Arguments that a run does not give, and the program does not do without."""
    for call in _calls(tree, "add_argument"):
        first = call.args[0] if call.args else None
        name = str(first.value) if isinstance(first, ast.Constant) else ""
        required = _word(call, "required")
        must = isinstance(required, ast.Constant) and required.value is True
        free = _word(call, "nargs") is not None or _word(call, "default") is not None
        if must or (name and not name.startswith("-") and not free):
            reading.todo.append(
                f"experiment.py: give {name} (line {call.lineno} of the script) a default: a run "
                "gives the program --out_dir and nothing else"
            )


def _written(tree: ast.Module, reading: ScriptReading) -> str:
    """The block at the end that writes the results, with its mark."""
    told = [
        str(node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "print"
        and _TOLD.search(ast.unparse(node))
    ]
    where = (
        f", as after line {', '.join(told[-_MOST:])} of the script, which prints them"
        if told
        else ""
    )
    reading.changes.append(
        "its end: a block that writes final_info.json into the folder of --out_dir"
    )
    reading.todo.append(
        "experiment.py: where the numbers of a run are known, once for each seed, write "
        f'FOUND.append({{"accuracy": accuracy}}) with your own names{where}'
    )
    ends = [str(node.lineno) for node in _leaving(tree)]
    if ends:
        reading.todo.append(
            f"experiment.py: the program ends at line {ends[-1]} of the script, before its last lines: "
            "take the exit away"
        )
    return (
        f"\n\n# {MARK}: where the numbers are known, once for each seed, write\n"
        '#     FOUND.append({"accuracy": accuracy})\n'
        "# with your own names and numbers, and remove these three lines.\n"
        'if __name__ == "__main__":\n'
        '    common.write_results(common.out_dir(), final_info={"data": common.summarise(FOUND)})\n'
    )


def _writes_results(tree: ast.Module) -> bool:
    """Whether a text of the code names the file of results."""
    named = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return any(isinstance(one, str) and "final_info" in one for one in named)


def _leaving(tree: ast.Module) -> Iterator[ast.stmt]:
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


def _calls(tree: ast.Module, name: str) -> list[ast.Call]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(
        (call for call in found if getattr(call.func, "attr", "") == name),
        key=lambda call: (call.lineno, call.col_offset),
    )


def _option(call: ast.Call) -> str:
    """The name that an argument's value has in the program."""
    dest = _word(call, "dest")
    words = [one.value for one in call.args if isinstance(one, ast.Constant)]
    longs = [one for one in words if isinstance(one, str) and one.startswith("--")]
    name = dest.value if isinstance(dest, ast.Constant) else (longs or words or [""])[0]
    return str(name).lstrip("-").replace("-", "_")


def _word(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _imported(tree: ast.Module) -> set[str]:
    found = {
        a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    return found | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }


def _names(tree: ast.Module) -> Iterator[str]:
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
