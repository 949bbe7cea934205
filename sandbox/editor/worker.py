"""One edit by Aider, driven over stdin and stdout: ``python -I worker.py``.

The working directory holds the files. Each line is one JSON object::

    host   → worker  {"type": "edit", "instruction": …, "editable": […], "readable": […],
                      "known": […], "new_files": null or {"name": …, "most": …, "bytes": …}}
    worker → host    {"type": "llm", "messages": [{"role": …, "content": …}], "temperature": …}
    host   → worker  {"type": "reply", "text": …, "prompt_tokens": …, "completion_tokens": …}
                or   {"type": "error", "what": …}
    worker → host    {"type": "done", "reply": …, "turns": …, "malformed": …, "refused": […],
                      "why_not": …}
                or   {"type": "failed", "what": …}

The worker holds no key and needs no network: every word to and from a model travels through
the host, which also decides by comparing files what has changed. ``known`` names the files that
the host has and that may not be edited, whether they are here or not.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guard import GuardCoder

LONGEST_LINE = 8 * 1024 * 1024
"""Bytes; the host keeps the same bound."""


class HostGone(Exception):
    """The host closed the pipe, or said what this protocol does not know."""


class Wire:
    """JSON lines on the descriptors that were stdin and stdout, taken away from everyone else."""

    def __init__(self) -> None:
        self._in: IO[bytes] = os.fdopen(os.dup(0), "rb")
        self._out: IO[bytes] = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)  # whatever Aider prints goes to stderr

    def send(self, **said: Any) -> None:
        """Write one line, in ASCII."""
        line = json.dumps(said).encode() + b"\n"
        if len(line) > LONGEST_LINE:
            line = b'{"type": "failed", "what": "a line is longer than the protocol allows"}\n'
        self._out.write(line)
        self._out.flush()

    def receive(self, *kinds: str) -> dict[str, Any]:
        """Read one line of one of these types."""
        line = self._in.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise HostGone("the host's line ended early")
        said: dict[str, Any] = json.loads(line)
        if said.get("type") not in kinds:
            raise HostGone(f"expected one of {kinds}")
        return said


def edit(wire: Wire, root: str, order: dict[str, Any], guard: Any) -> dict[str, Any]:
    """Run Aider once over the files below ``root``; what to say at the end."""
    turns = 0

    def complete(messages: list[dict[str, str]], temperature: float) -> tuple[str, int, int]:
        nonlocal turns
        turns += 1
        wire.send(type="llm", messages=messages, temperature=temperature)
        said = wire.receive("reply", "error")
        if said["type"] == "error":
            raise guard.Broken(f"the model gave no answer: {said['what']}")
        return said["text"], said["prompt_tokens"], said["completion_tokens"]

    try:
        coder: GuardCoder = guard.GuardCoder(
            root,
            order["editable"],
            order["readable"],
            complete,
            order["known"],
            order["new_files"],
        )
        # preproc would run "!command" and "/run command" and fetch URLs from the instruction
        reply = coder.run(with_message=order["instruction"], preproc=False)
    except guard.Broken as error:
        return {"type": "failed", "what": str(error)}
    return {
        "type": "done",
        "reply": reply or "",
        "turns": turns,
        "malformed": coder.num_malformed_responses,
        "refused": [path[:200] for path in sorted(coder.refused)[:32]],
        "why_not": coder.why_not(turns)[:4000],
    }


def main() -> None:
    """Take the pipe, leave the tree as working directory, load Aider, and do one edit when it is asked for."""
    wire = Wire()
    root = os.path.realpath(Path.cwd())
    os.chdir("/")  # nothing that is looked up by a relative name may come from the tree
    os.environ.update(
        LITELLM_LOCAL_MODEL_COST_MAP="True",  # or its import fetches a price list
        LITELLM_MODE="PRODUCTION",  # or its import reads a .env file
    )
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # -I leaves it out
    guard = importlib.import_module("guard")  # slow, and only after the environment is set
    wire.send(**edit(wire, root, wire.receive("edit"), guard))


if __name__ == "__main__":
    main()
