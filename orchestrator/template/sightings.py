"""What a template's code expects around it: a GPU, files from outside, the network, seeds.

Each is a guess from the text of the code, with its place; nothing is run. A wrong guess must not
stop anybody, so these are shown to people and break no rule.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.template.imports import PROGRAMS, parsed, reached
from orchestrator.template.outside_paths import absent_paths, called, value_parts
from orchestrator.template.template import Template

# An experiment's folder in its container, from which ``../../../data`` is the staged data.
_WORKDIR = "/workspace/results/template/idea"
_STAGED = ("/data", "/workspace/data")
_TEXT = 60  # characters of a quoted piece of code
_CUDA = re.compile(r"cuda(?::\d+)?")
_NEEDS_GPU = {"synchronize", "set_device", "current_device", "get_device_name"}
_COMPARES = {"startswith", "endswith", "print", "format", "get"}
_FETCHERS = {
    *("load_dataset", "from_pretrained", "hf_hub_download", "snapshot_download", "urlretrieve"),
    *("urlopen", "fetch_openml", "download_url"),
}
_SEEDERS = {"seed", "manual_seed", "manual_seed_all", "default_rng", "RandomState", "PRNGKey"}
_SEEDED = re.compile(r"(?:num_|n_)?seeds?(?:_offsets?)?|seeds?_.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place in the code and what stands there: ``path`` is a file that the folder lacks."""

    kind: Literal["cuda", "path", "fetch", "seed"]
    file: str
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def data_set(self) -> str | None:
        """Of a path: the data set below ``/data`` that it names as it stands; empty for ``/data``
        itself, None for a path elsewhere.
        """
        at = posixpath.normpath(posixpath.join(_WORKDIR, self.text))
        for folder in _STAGED:
            if at == folder or at.startswith(f"{folder}/"):
                return at.removeprefix(folder).strip("/").split("/")[0]
        return None


def sightings(template: Template) -> tuple[Sighting, ...]:
    """Everything seen in the files that its two programs import, one of a kind per line.

    A path is looked for only in what ``experiment.py`` imports: ``plot.py`` reads what runs wrote.
    """
    trees = parsed(template)
    found: list[Sighting] = []
    for file in reached(trees, *PROGRAMS):
        tree = trees[file]
        found += [Sighting("cuda", file, *one) for one in _cuda(tree)]
        found += [Sighting("fetch", file, *one) for one in _fetches(tree)]
    for file in reached(trees, PROGRAMS[0]):
        found += [Sighting("seed", file, *one) for one in _seeds(trees[file])]
        paths = absent_paths(trees[file], template.files)
        found += [Sighting("path", file, *one) for one in paths]
    return tuple({(one.kind, one.where): one for one in found}.values())


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"


def _asks_for_gpu(test: ast.AST) -> bool:
    return "cuda" in ast.unparse(test).lower() or "gpu" in ast.unparse(test).lower()


def _cuda(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Where CUDA is used whether it is there or not."""
    if isinstance(node, ast.If | ast.IfExp) and _asks_for_gpu(node.test):
        stops = isinstance(node, ast.If) and any(isinstance(one, ast.Raise) for one in node.body)
        if stops and "not " in ast.unparse(node.test):
            yield node.lineno, _shown(node.test)
        return
    if isinstance(node, ast.Assert):
        if _asks_for_gpu(node.test):
            yield node.lineno, _shown(node)
        return
    if isinstance(node, ast.Call):
        if called(node) in _COMPARES:
            return
        if _moves_to_gpu(node):
            yield node.lineno, _shown(node)
            return
    parts = tuple(value_parts(node))
    named = [one for one in parts if isinstance(one, ast.Constant) and _is_cuda(one.value)]
    if named:
        yield named[0].lineno, _shown(node)
        return
    for part in parts:
        yield from _cuda(part)


def _is_cuda(value: object) -> bool:
    return isinstance(value, str) and _CUDA.fullmatch(value) is not None


def _moves_to_gpu(call: ast.Call) -> bool:
    """``model.cuda()``, or a call of ``torch.cuda`` that fails without a GPU."""
    if not isinstance(call.func, ast.Attribute):
        return False
    of = ast.unparse(call.func.value)
    return call.func.attr == "cuda" or (call.func.attr in _NEEDS_GPU and of.endswith("cuda"))


def _fetches(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            wanted = any(
                word.arg == "download" and getattr(word.value, "value", None) is True
                for word in node.keywords
            )
            web = ast.unparse(node.func) in {"requests.get", "requests.post", "wget.download"}
            if wanted or web or called(node) in _FETCHERS:
                yield node.lineno, _shown(node)


def _seeds(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        seeds = isinstance(node, ast.Call) and called(node) in _SEEDERS
        if isinstance(node, ast.Assign):
            names = [one.id for one in node.targets if isinstance(one, ast.Name)]
            seeds = any(_SEEDED.fullmatch(name) for name in names)
        if seeds:
            assert isinstance(node, ast.stmt | ast.expr)
            yield node.lineno, _shown(node)
