"""Rules about the source tree, as functions: each returns what breaks it, empty if nothing does."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from orchestrator.core.python_source import parse_python

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"core"}),
    frozenset({"record", "policy", "template", "models", "editor", "literature"}),
    frozenset({"sandbox", "research", "report"}),
    frozenset({"machine", "proof", "audit", "agreement", "exchange"}),
    frozenset({"api"}),
    frozenset({"console"}),
)
"""The rooms of ``orchestrator/``, from the lowest floor up."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS, start=1) for room in rooms}
LONGEST = 250  # lines of a file that gives no reason
REASON = "Longer than 250 lines"
"""How a long file's docstring begins the sentence that says why it is not split."""


def program(root: Path) -> list[Path]:
    """Every Python file of the program."""
    found = [root / "cli.py", *(root / "orchestrator").rglob("*.py")]
    return sorted(path for path in found if path.is_file() and "data" not in path.parts)


def room_of(path: Path, root: Path) -> str:
    """``console/run.py`` is in the room ``console``; the map and the command are in none."""
    parts = path.relative_to(root).parts
    return parts[1] if len(parts) > 2 else ""


def _tree(path: Path) -> ast.Module:
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed: int) -> ast.Module:
    return parse_python(path.read_text("utf-8"))


def rooms_imported(path: Path) -> Iterator[str]:
    """The rooms that a file imports from, wherever in it."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "orchestrator" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]


def climbing_imports(root: Path) -> list[str]:
    """Imports of a room on the same floor or above, rooms and modules that no floor names."""
    out = []
    for path in program(root):
        name, room = str(path.relative_to(root)), room_of(path, root)
        if not room:
            if name not in {"cli.py", "orchestrator/__init__.py"}:
                out.append(f"{name}: a module outside of every room")
            continue
        if room not in FLOOR:
            out.append(f"{name}: no floor names the room {room!r}")
            continue
        for other in sorted(set(rooms_imported(path)) - {room}):
            if other not in FLOOR:
                out.append(f"{name} imports {other!r}, which is not a room")
            elif FLOOR[other] >= FLOOR[room]:
                out.append(f"{name} imports {other}, which is not on a lower floor")
    return out


def error_classes(root: Path) -> set[str]:
    """The names of every class that derives from ``AisciError``."""
    bases: dict[str, set[str]] = {}
    for path in program(root):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    found = {"AisciError"}
    while more := {name for name, over in bases.items() if over & found} - found:
        found |= more
    return found


def errors_without_help(root: Path) -> list[str]:
    """Constructions of an error without ``where`` or ``todo``; one that passes ``**`` is trusted."""
    kinds = error_classes(root)
    out = []
    for path in program(root):
        for node in ast.walk(_tree(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            given = {keyword.arg for keyword in node.keywords}
            if node.func.id not in kinds or None in given:
                continue
            missing = [name for name in ("where", "todo") if name not in given]
            if not node.args and "what" not in given:
                missing.insert(0, "what")
            if missing:
                place = f"{path.relative_to(root)}:{node.lineno}"
                out.append(f"{place}: {node.func.id} has no {' and no '.join(missing)}")
    return out


def long_files(root: Path) -> list[str]:
    """Files over :data:`LONGEST` lines whose docstring gives no reason."""
    out = []
    for path in program(root):
        count = len(path.read_text("utf-8").splitlines())
        if count > LONGEST and REASON not in (ast.get_docstring(_tree(path)) or ""):
            out.append(f"{path.relative_to(root)}: {count} lines and no reason")
    return out


def repeated_module_names(root: Path) -> list[str]:
    """Modules of one room that have the same name."""
    by: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in program(root):
        if room_of(path, root) and path.stem != "__init__":
            by[room_of(path, root), path.stem].append(str(path.relative_to(root)))
    return [" and ".join(paths) for paths in by.values() if len(paths) > 1]


def _public_names(path: Path) -> Iterator[str]:
    for node in _tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def repeated_public_names(root: Path, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Public classes, functions and constants that two modules define."""
    by: dict[str, list[str]] = defaultdict(list)
    for path in program(root):
        for name in set(_public_names(path)):
            by[name].append(str(path.relative_to(root)))
    return [
        f"{name}: {', '.join(paths)}"
        for name, paths in sorted(by.items())
        if len(paths) > 1 and name not in allowed
    ]
