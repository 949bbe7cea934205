"""Small edits of a program's text, placed by its syntax tree; everything else stays as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace the bytes from ``start`` to ``end`` by ``text``."""

    start: int
    end: int
    text: str


class SourceText:
    """A program's UTF-8 bytes, where the syntax tree says that its nodes are."""

    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self._lines = [0]
        for line in self.data.split(b"\n"):  # the tree counts these ends of lines only
            self._lines.append(self._lines[-1] + len(line) + 1)

    def offset(self, line: int, column: int) -> int:
        """Of a line and column as the tree has them: from 1, and in bytes from 0."""
        return self._lines[line - 1] + column

    def replaced(self, node: ast.expr, text: str) -> TextEdit:
        """The edit that writes ``text`` in place of an expression."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.offset(node.lineno, node.col_offset)
        return TextEdit(start, self.offset(node.end_lineno, node.end_col_offset), text)

    def of(self, node: ast.expr) -> str:
        """What stands there."""
        edit = self.replaced(node, "")
        return self.data[edit.start : edit.end].decode()

    def before(self, node: ast.stmt | ast.expr, text: str) -> TextEdit:
        """The edit that inserts ``text`` at a node's first character."""
        at = self.offset(node.lineno, node.col_offset)
        return TextEdit(at, at, text)

    def below(self, line: int, text: str) -> TextEdit:
        """The edit that inserts whole lines below a line; 0 is above the first."""
        at = min(self._lines[line], len(self.data))
        lacks_end = line and not self.data[:at].endswith(b"\n")
        return TextEdit(at, at, f"\n{text}" if lacks_end else text)

    def indent(self, node: ast.stmt) -> str | None:
        """The blanks in front of a statement, or None where something else stands there."""
        line = self._lines[node.lineno - 1]
        text = self.data[line : line + node.col_offset].decode()
        return None if text.strip() else text

    def edited(self, edits: Iterable[TextEdit]) -> str:
        """The text with all ``edits``, of which no two overlap."""
        data = self.data
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            data = data[: edit.start] + edit.text.encode() + data[edit.end :]
        return data.decode()


def end_of_imports(tree: ast.Module) -> int:
    """The last line of the imports at the head, or of the docstring; 0 if there is neither."""
    line = 0
    for i, node in enumerate(tree.body):
        words = i == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not words and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        line = node.end_lineno or node.lineno
    return line


def statement_of(tree: ast.Module, wanted: ast.AST) -> ast.stmt | None:
    """The innermost statement that holds a node."""
    found: ast.stmt | None = None
    for node in ast.walk(tree):  # outer statements come before inner ones
        if isinstance(node, ast.stmt) and any(one is wanted for one in ast.walk(node)):
            found = node
    return found
