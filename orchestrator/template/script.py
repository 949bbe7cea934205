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
from orchestrator.template.contract.words import FILL_IN
from orchestrator.template.script_edits import (
    SourceText,
    TextEdit,
    end_of_imports,
    statement_of,
)
from orchestrator.template.script_facts import (
    exits,
    keyword_value,
    lines_with,
    looped,
    method_calls,
    modules_named,
    option_name,
    own_names,
    parser_made,
    writes_results,
)

_DRAWS = re.compile(r"plt\.|axe?s?\b|fig|print|.*subplots|.*savefig")
_NO_KNOB = re.compile(
    "seed|random_state|dim|axis|verbose|indent|n_jobs|num_workers|figsize|default", re.IGNORECASE
)
_UNSTUDIED = re.compile(
    r"seed|random_state|^log|_log|print|verbose|workers|save|port$|rank|gpu|device|interval",
    re.IGNORECASE,
)
_TOLD = re.compile(r"acc|loss|score|error|auc|\bf1|mse|perplex|reward|r2|report", re.IGNORECASE)
_PARSERS = ("click", "typer", "fire", "hydra", "absl", "tyro", "docopt", "simple_parsing")
_ENDING = ("click", "typer")  # their commands end the program
_DEFAULT = re.compile(r"\s*[(\[]default\b[^)\]]*[)\]]", re.IGNORECASE)
_IMPORT = "import common  # it writes what a run found"
_VARIED = "# What a study may vary. Each constant is set once, here, as a plain number."
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


def read_script(source: str, data_set: str = "data") -> ScriptReading:
    """The results are written as those of ``data_set``. Raises :class:`SyntaxError` or :class:`ValueError` for what is no Python."""
    tree, text, reading = parse_python(source), SourceText(source), ScriptReading()
    constants, edits = _constants(tree, text, reading)
    edits += _out_dir(tree, text, reading)
    _demands(tree, reading)
    head = [f"{name} = {value}" for name, value in constants.items()]
    head = [_VARIED, *head, ""] if head else []
    if not writes_results(tree):
        head = [_IMPORT, "", *head, "FOUND = []  # one dictionary per seed", ""]
        edits.append(text.below(source.count("\n") + 1, _written(tree, reading, data_set)))
    if head:
        edits.append(text.below(end_of_imports(tree), "\n".join(["", *head])))
    if not constants:
        reading.todo += _literals(tree)
    reading.text = text.edited(edits)
    parse_python(reading.text)
    return reading


def _constants(
    tree: ast.Module, text: SourceText, reading: ScriptReading
) -> tuple[dict[str, str], list[TextEdit]]:
    """The constants that defaults of arguments become, and the edits that read them there."""
    taken, found, edits = set(own_names(tree)), dict[str, str](), list[TextEdit]()
    for call in method_calls(tree, "add_argument"):
        option, default = option_name(call), keyword_value(call, "default")
        if not option or default is None or number_of(default) is None:
            continue
        if _UNSTUDIED.search(option):  # it changes no number of a run, or is not a study's to vary
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
        told = keyword_value(call, "help")
        if isinstance(told, ast.Constant) and isinstance(told.value, str):
            words = " ".join(told.value.replace("%(default)s", "").split())
            reading.helps[name] = _DEFAULT.sub("", words).strip()
    return found, edits


def _out_dir(tree: ast.Module, text: SourceText, reading: ScriptReading) -> list[TextEdit]:
    """What makes the program accept ``--out_dir``, the one argument that a run gives it."""
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    if any(isinstance(one, str) and "--out_dir" in one for one in strings):
        return []
    for call in method_calls(tree, "add_argument"):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and first.value == "--out-dir":
            reading.changes.append(f"line {call.lineno}: --out-dir can be written --out_dir too")
            return [text.before(first, '"--out_dir", ')]
    parsing = method_calls(tree, "parse_args")
    for call in parsing:
        statement = statement_of(tree, call)
        at = text.indent(statement) if statement else None
        if at is None or not isinstance(call.func, ast.Attribute):
            continue
        if statement is None or not isinstance(call.func.value, ast.Name):
            continue
        parser = call.func.value.id
        added = f'{parser}.add_argument("--out_dir", default="run_0")'
        made = parser_made(tree, parser)
        reading.changes.append(f"line {(made or statement).lineno}: added {added}")
        if made is not None and (before := text.indent(made)) is not None:
            return [text.below(made.end_lineno or made.lineno, f"{before}{added}\n")]
        return [text.before(statement, f"{added}\n{at}")]
    reading.todo += _other_parsers(tree, parses=bool(parsing))
    return []


def _other_parsers(tree: ast.Module, *, parses: bool) -> Iterator[str]:
    """What to do where something other than a plain parser reads the arguments."""
    other = [one for one in _PARSERS if one in modules_named(tree)]
    if parses or other:
        by = other[0] if other else "parse_args"
        yield f"let the program take --out_dir=run_0: {by} refuses an argument that it does not know"
    elif (argv := lines_with(tree, "sys.argv")) and not writes_results(tree):
        yield (
            f"experiment.py: it reads sys.argv at line {argv[0]} of the script, and a run gives it "
            "--out_dir=run_0 and nothing else: set these values as constants at the top"
        )
    if other and other[0] in _ENDING:
        yield (
            f"let {other[0]} return to the last lines: it ends the program, unless the command is "
            "called with standalone_mode=False"
        )


def _literals(tree: ast.Module) -> list[str]:
    """One line on numbers that calls give by name, which could be constants; none for figures."""
    found = {
        f"{word.arg}={ast.unparse(word.value)} (line {word.value.lineno})": None
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and not _DRAWS.match(ast.unparse(call.func))
        for word in call.keywords
        if number_of(word.value) is not None and not _NO_KNOB.search(word.arg or "seed")
    }
    if not found or any(_is_knob_line(node) for node in tree.body):
        return []
    named = ", ".join(list(found)[:_MOST])
    told = "experiment.py: a study varies constants such as `GAMMA = 0.001` on a line at the top"
    return [f"{told}; these numbers of the script could be some: {named}"]


def _is_knob_line(node: ast.stmt) -> bool:
    """Whether a statement sets a constant in capitals to a number."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    return node.targets[0].id.isupper() and number_of(node.value) is not None


def _demands(tree: ast.Module, reading: ScriptReading) -> None:
    """Arguments that a run does not give, and the program does not do without."""
    for call in method_calls(tree, "add_argument"):
        first = call.args[0] if call.args else None
        name = str(first.value) if isinstance(first, ast.Constant) else ""
        required = keyword_value(call, "required")
        must = isinstance(required, ast.Constant) and required.value is True
        free = (
            keyword_value(call, "nargs") is not None or keyword_value(call, "default") is not None
        )
        if must or (name and not name.startswith("-") and not free):
            reading.todo.append(
                f"experiment.py: give {name} (line {call.lineno} of the script) a default: a run "
                "gives the program --out_dir and nothing else"
            )


def _told(tree: ast.Module) -> str:
    """Where the script prints its numbers; one loop prints those of every epoch, not of every seed."""
    prints = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "print"
        and _TOLD.search(ast.unparse(node))
    ]
    once = [node for node in prints if not looped(tree, node)]
    lines = [str(line) for line in sorted(node.lineno for node in once or prints)][-_MOST:]
    if not lines:
        return ""
    where = f", as at line {' or '.join(lines)} of the script, which prints them"
    return where if once else f"{where} in a loop: append behind it, once"


def _written(tree: ast.Module, reading: ScriptReading, data_set: str) -> str:
    """The block at the end that writes the results, with its mark."""
    reading.changes.append(
        "its end: a block that writes final_info.json into the folder of --out_dir"
    )
    reading.todo.append(
        "experiment.py: where the numbers of a run are known, once for each seed, write "
        f'FOUND.append({{"accuracy": accuracy}}) with your own names{_told(tree)}'
    )
    ends = [str(node.lineno) for node in exits(tree)]
    if ends:
        reading.todo.append(
            f"experiment.py: the program ends at line {ends[-1]} of the script, before its last lines: "
            "take the exit away"
        )
    return (
        f"\n\n# {FILL_IN}: where the numbers are known, once for each seed, write\n"
        '#     FOUND.append({"accuracy": accuracy})\n'
        "# with your own names and numbers, and remove these three lines.\n"
        'if __name__ == "__main__":\n'
        f'    found = {{"{data_set}": common.summarise(FOUND)}}\n'
        "    common.write_results(common.out_dir(), final_info=found)\n"
    )
