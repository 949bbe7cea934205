"""How the code is written: one importer per library, short functions, prompts in files."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.python_source import parse_python
from tests.support.places import ROOT

FILES = sorted([ROOT / "cli.py", *(ROOT / "orchestrator").rglob("*.py")])
FILES = [path for path in FILES if "data" not in path.relative_to(ROOT).parts]
WORKERS = sorted((ROOT / "sandbox").rglob("*.py"))

# What is typed: one file for what all commands share, one for their groups.
PARSING = tuple(
    f"orchestrator/console/{name}.py"
    for name in (
        "commands",
        "options",
        "groups",
        "policy_groups",
        "literature_groups",
        "review_groups",
        "bench_groups",
        "stage_groups",
        "run_groups",
        "keep_groups",
        "research_groups",
        "machine_groups",
        "start_groups",
    )
)
# Each library that reaches out of the process, or that has a manner of its own, has one importer.
IMPORTERS = {
    "docker": {"orchestrator/sandbox/engine/client.py"},
    "requests": {"orchestrator/sandbox/engine/client.py"},
    "urllib3": {"orchestrator/sandbox/engine/client.py"},
    "litellm": {"orchestrator/models/litellm.py"},
    "pynvml": {"orchestrator/sandbox/gpus/nvml.py"},
    "cryptography": {"orchestrator/record/signing.py"},
    "rfc3161_client": {"orchestrator/record/timestamp.py"},
    "dulwich": {"orchestrator/report/git_history.py"},
    "ruamel": {"orchestrator/core/strict_yaml.py"},
    "tomllib": {"orchestrator/core/strict_toml.py"},
    "typer": {"cli.py", *PARSING},
    "aider": {"sandbox/editor/guard.py"},
    "sqlite3": {"orchestrator/literature/library/base.py"},
    "packaging": {"orchestrator/sandbox/images/wheel_files.py"},
    "pymupdf": {
        f"sandbox/latex/{name}.py"
        for name in ("inert", "pages", "text", "seen", "seen_judge", "seen_layer", "seen_ocr")
    },
}
CONSOLE = "orchestrator/console/"  # with cli.py, alone in drawing on a terminal
NEVER = {"pickle", "marshal", "shelve", "dill", "joblib", "numpy", "torch", "PIL", "fitz"}

LONG_FUNCTIONS = 60  # lines; most are far below 40
FEW_LONG = 0.03  # the share that may be over 40


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return parse_python(path.read_text("utf-8"))


@functools.cache
def imported(path: Path) -> tuple[str, ...]:
    """Every module that ``path`` imports, wherever in it; those for type checkers alone too."""
    found: list[str] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


def below(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


@pytest.mark.parametrize(("library", "allowed"), IMPORTERS.items())
def test_each_library_has_one_importer(library: str, allowed: set[str]) -> None:
    found = {
        name_of(path)
        for path in (*FILES, *WORKERS)
        if any(below(module, library) for module in imported(path))
    }
    assert found <= allowed
    assert found, f"nothing imports {library} any more: take it out of this test and the locks"


def test_only_the_command_and_the_console_draw_on_a_terminal() -> None:
    found = [name_of(p) for p in FILES if any(below(m, "rich") for m in imported(p))]
    assert [name for name in found if name != "cli.py" and not name.startswith(CONSOLE)] == []


def test_nothing_on_the_host_unpickles_or_parses_with_native_code() -> None:
    for path in FILES:
        names = {module.split(".")[0] for module in imported(path)}
        assert not names & NEVER, name_of(path)


def test_stages_reach_the_world_through_ports_alone() -> None:
    """No clock, no random source, no process, no socket, no environment: replay depends on it."""
    reach = {"time", "random", "secrets", "uuid", "os", "subprocess", "socket", "urllib", "http"}
    for path in FILES:
        if name_of(path).startswith("orchestrator/research/stages/"):
            names = {module.split(".")[0] for module in imported(path)}
            assert not names & (reach | {"datetime", "tempfile", "threading", "asyncio"}), name_of(
                path
            )


def handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(
                kind is None or (isinstance(kind, ast.Name) and kind.id == "Exception")
                for kind in kinds
            ):
                yield node


def test_there_is_one_broad_except_and_it_is_the_ideas_boundary() -> None:
    found = [name_of(path) for path in FILES for _ in handlers(path)]
    assert found == ["orchestrator/research/pipeline.py"]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name_of(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_functions_are_short() -> None:
    lengths = [found for path in FILES for found in functions(path)]
    assert [name for name, length in lengths if length > LONG_FUNCTIONS] == []
    long = [name for name, length in lengths if length > 40]
    assert len(long) <= FEW_LONG * len(lengths), long


def test_prompts_are_files_and_not_strings_in_code() -> None:
    """A string that speaks to a model is long prose; in code, long prose stands in docstrings."""
    wrong = []
    for path in FILES:
        tree = tree_of(path)
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in said
            ):
                text = node.value
                if "You are " in text or ("SEARCH/REPLACE block" in text and len(text) > 300):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == []


def test_every_file_begins_with_what_it_is_for() -> None:
    for path in FILES:
        assert ast.get_docstring(tree_of(path)), name_of(path)


def test_every_prompt_is_rendered_by_some_code() -> None:
    code = "\n".join(path.read_text("utf-8") for path in FILES)
    for prompt in sorted((ROOT / "orchestrator" / "research" / "prompts").glob("*.md")):
        assert f'"{prompt.stem}"' in code or prompt.stem.partition("_")[2] in code, prompt.name
