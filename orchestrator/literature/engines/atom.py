"""Atom feeds by the standard library's expat: no document type, no entity, a bounded depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 30
_MOST_NODES = 200_000


@dataclass(slots=True)
class Node:
    """An element: its name without a namespace, its attributes, its text, and what is in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    nodes: list[Node] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Node]:
        return (one for one in self.nodes if one.name == name)

    def said(self, name: str) -> str:
        """The text of the first element of that name; empty without one."""
        return next((one.text for one in self.all(name)), "")


def read_feed(data: bytes) -> Node:
    """The root element. Raises ValueError: no XML, a document type, nested too deep."""
    root, open_nodes, count = Node(""), list[Node](), 0
    texts: list[list[str]] = []  # of the open nodes, in pieces: joining each time would be slow

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_nodes) >= _DEEPEST or count > _MOST_NODES:
            raise ValueError("it has too many elements")
        node = Node(name.rpartition(" ")[2], attributes)
        (open_nodes[-1] if open_nodes else root).nodes.append(node)
        open_nodes.append(node)
        texts.append([])

    def end(_: str) -> None:
        open_nodes.pop().text = "".join(texts.pop())

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type or an entity")

    def text(data: str) -> None:
        if texts:
            texts[-1].append(data)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat's own signature
    except (expat.ExpatError, LookupError) as error:  # the latter: an encoding that nobody knows
        raise ValueError(f"no XML: {error}") from None
    return root.nodes[0]
