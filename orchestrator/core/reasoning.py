"""A model's reasoning, taken out of its reply: ``<think>``, ``<thinking>`` and ``<reasoning>``.

Servers leave it in the text, whole, without its first tag or, where the reply was cut, without its
last. A draft in it is not an answer. In doubt more is taken out: then the model is asked again.
"""

from __future__ import annotations

import re

from orchestrator.core.fences import fences

# A tag in quotes on both sides is spoken about, or a string of a program.
_TAG = re.compile(r"([\"'`])</?(?:think|thinking|reasoning)>\1|<(/?)(?:think|thinking|reasoning)>", re.IGNORECASE)  # fmt: skip


def without_reasoning(text: str) -> str:
    """``text`` without its reasoning, in linear time; unchanged if it has none.

    What stands before a closing tag alone is reasoning, and so is what stands after an opening tag
    alone that begins the text or a line. A tag in a fenced block is code, unless the text begins
    with reasoning that ends nowhere else.
    """
    tags = _tags(text)
    kept: list[str] = []
    at, opened = 0, -1
    for tag in tags:
        if tag[2]:
            if opened < 0:
                kept = []
            at, opened = tag.end(), -1
        elif opened < 0:
            kept.append(text[at : tag.start()])
            opened = tag.start()
    if opened < 0:
        kept.append(text[at:])
    elif "".join(kept).rpartition("\n")[2].strip():
        kept.append(text[opened:])  # prose that names the tag
    whole = "".join(kept)
    return text if whole == text else whole.strip()


def _tags(text: str) -> list[re.Match[str]]:
    """The tags that begin or end reasoning."""
    tags = [tag for tag in _TAG.finditer(text) if tag[2] is not None]
    blocks = [block for block in fences(text) if block.closed]
    outside, number = list[re.Match[str]](), 0
    for tag in tags:
        while number < len(blocks) and blocks[number].end <= tag.start():
            number += 1
        if number == len(blocks) or tag.start() < blocks[number].start:
            outside.append(tag)
    begins = bool(tags) and not text[: tags[0].start()].strip() and not tags[0][2]
    return tags if begins and not any(tag[2] for tag in outside) else outside
