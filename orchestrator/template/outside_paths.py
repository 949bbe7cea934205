"""Texts in a template's code that look like paths to something that its folder lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

_READERS = {
    *("open", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "read_csv", "read_json"),
    *("read_parquet", "read_pickle", "read_table", "read_excel", "read_text", "read_bytes"),
    *("imread", "File", "Dataset", "listdir", "glob", "exists"),
}
_OUTSIDE = re.compile(r"(?:\.\./|~/)[\w.~/ -]*|/(?:data|[\w.-]+/[\w.-])[\w./ -]*")
_SYSTEM = ("/tmp", "/dev", "/proc", "/sys", "/usr", "/bin", "/etc", "/var/tmp")  # noqa: S108 - names that are left out, none is used
_BELOW = re.compile(r"(?:\./)?[\w-][\w.-]*(?:/[\w.-]+)*/?")
_DATA_NAMES = {"data", "dataset", "datasets"}
_DATA_FILES = (
    *(".csv", ".tsv", ".json", ".jsonl", ".txt", ".bin", ".npy", ".npz", ".pkl", ".pickle", ".pt"),
    *(".pth", ".h5", ".hdf5", ".parquet", ".zip", ".gz", ".tar", ".mat", ".xyz", ".safetensors"),
)


def absent_paths(tree: ast.AST, files: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(line, text) of each path outside the folder, and of each data file or folder not in it."""
    for line, text, read in _texts(tree, read=False):
        if _is_absent(text, files, read=read):
            yield line, text


def called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def value_parts(node: ast.AST) -> Iterable[ast.AST]:
    """The children in which a text is a value, not a key, a choice, a comparison or help."""
    if isinstance(node, ast.Compare):
        return ()
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.Call):
        words = [word for word in node.keywords if word.arg not in {"help", "choices", "metavar"}]
        return [node.func, *node.args, *words]
    if isinstance(node, ast.Subscript):
        return [node.value]
    return ast.iter_child_nodes(node)


def _texts(node: ast.AST, *, read: bool) -> Iterator[tuple[int, str, bool]]:
    """(line, text, whether it is what a reading call reads) of each text that may begin a path."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.lineno, node.value, read
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    elif isinstance(node, ast.JoinedStr):
        yield from _texts(node.values[0], read=False) if node.values else ()
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left, read=False)
    elif isinstance(node, ast.Call):
        yield from _call_texts(node, read=read)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child, read=read and isinstance(node, ast.keyword))


def _call_texts(call: ast.Call, *, read: bool) -> Iterator[tuple[int, str, bool]]:
    if called(call) == "join" and call.args:
        known = [one.value for one in call.args if isinstance(one, ast.Constant)]
        if len(known) == len(call.args) and all(isinstance(one, str) for one in known):
            yield call.lineno, "/".join(map(str, known)), read
        else:  # the rest of the path is not known
            yield from _texts(call.args[0], read=False)
        return
    reads = called(call) in _READERS and not _writes(call)
    for part in value_parts(call):
        yield from _texts(part, read=reads)


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and str(mode.value)[:1] in "wax" for mode in modes)


def _is_absent(text: str, files: Iterable[str], *, read: bool) -> bool:
    """Whether ``text`` looks like a path to something that is not among ``files``."""
    if len(text) > 200:
        return False
    if _OUTSIDE.fullmatch(text):
        return not any(text == system or text.startswith(f"{system}/") for system in _SYSTEM)
    inside = text.removeprefix("./").rstrip("/")
    named = inside.split("/")[0] in _DATA_NAMES and "/" in inside
    if not (_BELOW.fullmatch(text) and (named or (read and inside.endswith(_DATA_FILES)))):
        return False
    return not inside.startswith("run_") and not any(
        path == inside or path.startswith(f"{inside}/") for path in files
    )
