"""The lines that an editor's worker and the host exchange, and the host's half of the talk.

The worker is not trusted: each line is bounded and validated, an unknown key is refused,
and it may ask the model only so often. Its own account of the edit is kept as text; what
changed is decided by comparing files (:func:`conclude_edit`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import AisciError, EditorFailed
from orchestrator.core.job import Attestation
from orchestrator.core.model import Ask, Message
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import Tree

MAX_LINE = 8 * 1024 * 1024
"""Bytes of one line, either way; the worker keeps the same bound."""

MAX_TURNS = 4
"""Model calls in one edit: Aider's first and its three reflections."""

REPLY_TOKENS = 8192
"""Room for one reply; an edit may write a whole file."""

_EMPTY = hashlib.sha256(b"").hexdigest()


class LineChannel(Protocol):
    """A duplex of lines with a worker."""

    def send(self, line: bytes) -> None:
        """Send one line, given without its newline. Raises BrokenPipeError once it is gone."""

    def receive(self, timeout: float) -> bytes | None:
        """The next line without its newline, or None at the end; waits ``timeout`` seconds."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SaidMessage(_Said):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class SaidLlm(_Said):
    """The worker asks the model."""

    type: Literal["llm"]
    messages: list[SaidMessage] = Field(min_length=1, max_length=256)
    temperature: float = Field(ge=0, le=2)


class SaidDone(_Said):
    """The worker's own account of an edit that ran to its end."""

    type: Literal["done"]
    reply: str
    turns: int = Field(ge=0, le=MAX_TURNS)
    malformed: int = Field(ge=0, le=MAX_TURNS)
    refused: list[Annotated[str, Field(max_length=200)]] = Field(max_length=32)
    why_not: str = Field(max_length=4000)


class SaidFailed(_Said):
    """The worker cannot go on."""

    type: Literal["failed"]
    what: str


EDIT_AGAIN = "`aisci resume` makes this edit again"
_REPORT = "report this with the idea's journal.jsonl: the program is at fault"

_SAID: TypeAdapter[SaidLlm | SaidDone | SaidFailed] = TypeAdapter(
    Annotated[SaidLlm | SaidDone | SaidFailed, Field(discriminator="type")]
)


def converse(
    lines: LineChannel, request: EditRequest, model: LanguageModel, within: Deadline
) -> SaidDone | None:
    """Give the order and carry model calls until the worker is done; None if it broke off.

    Raises :class:`EditorFailed` for a foul line or a worker that gave up, and whatever
    ``model`` raises, after the worker was told.
    """
    _tell(
        lines,
        type="edit",
        instruction=request.instruction,
        editable=list(request.editable),
        readable=list(request.readable),
    )
    turns = 0
    while (line := lines.receive(request.limits.wall)) is not None:
        said = _understood(line, request)
        if isinstance(said, SaidDone):
            # It now ends by itself; only then are its files at rest.
            if lines.receive(request.limits.wall) is not None:
                raise _failed("the editor sent more after its end", request)
            return said
        if isinstance(said, SaidFailed):
            raise _failed("the editor gave up", request, said.what[:2000])
        turns += 1
        if turns > MAX_TURNS:
            raise _failed(f"the editor asked the model more than {MAX_TURNS} times", request)
        _answer(lines, said, request, model, within)
    return None


def _answer(
    lines: LineChannel, said: SaidLlm, request: EditRequest, model: LanguageModel, within: Deadline
) -> None:
    ask = Ask(
        purpose=request.purpose,
        messages=tuple(Message(m.role, m.content) for m in said.messages),
        temperature=said.temperature,
        max_tokens=REPLY_TOKENS,
    )
    try:
        reply = model.complete(ask, within)
    except AisciError as error:
        _tell(lines, type="error", what=error.what)
        raise
    _tell(
        lines,
        type="reply",
        # a lone surrogate can stand in no file, so it never reaches one
        text=reply.text.encode("utf-8", "replace").decode(),
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
    )


def _tell(lines: LineChannel, **said: object) -> None:
    line = json.dumps(said).encode()
    if len(line) >= MAX_LINE:
        raise EditorFailed(
            f"a line of {len(line)} bytes is more than the editor's {MAX_LINE}",
            where="a request or reply on its way to the editor",
            todo="ask for a smaller change",
        )
    with suppress(BrokenPipeError):  # a worker that is gone is noticed when it is listened to
        lines.send(line)


def _understood(line: bytes, request: EditRequest) -> SaidLlm | SaidDone | SaidFailed:
    if len(line) > MAX_LINE:
        raise _failed(f"the editor sent a line over {MAX_LINE} bytes", request)
    try:
        return _SAID.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise EditorFailed(
            "the editor sent a line that its protocol does not know",
            where=request.scope,
            why=f"{'.'.join(map(str, first['loc']))[:200]}: {first['msg'][:200]}",
            todo="rebuild its image: `aisci images build aisci-editor`",
        ) from None


def visible_files(request: EditRequest) -> Tree:
    """The files that the worker is given: the editable and the readable ones, no others.

    Raises :class:`EditorFailed` where a readable file is missing, a path is no plain relative
    one, or the request asks for nothing.
    """
    if not request.instruction.strip() or not request.editable:
        raise EditorFailed(
            "an edit needs an instruction and a file to edit", where=request.scope, todo=_REPORT
        )
    given = request.files.as_dict()
    for path in (*request.editable, *request.readable):
        parts = path.split("/")
        if not path.isprintable() or "\\" in path or {"", ".", ".."} & set(parts):
            raise EditorFailed(
                f"{path!r} is not a plain relative path",
                where=request.scope,
                todo="use letters, digits and single slashes in the template's file names",
            )
    missing = sorted(set(request.readable) - set(given) - set(request.editable))
    if missing:
        raise EditorFailed(
            f"files that the editor should see are missing: {missing}",
            where=request.scope,
            todo=_REPORT,
        )
    named = {*request.editable, *request.readable}
    return Tree.of({path: sha256 for path, sha256 in given.items() if path in named})


def conclude_edit(
    request: EditRequest,
    home: Tree,
    *,
    reply: str,
    why_not: str = "",
    refused: Iterable[str] = (),
    turns: int = 0,
    attestation: Attestation | None = None,
) -> Edit:
    """The edit, from the files that came ``home``: only editable ones count.

    Raises :class:`EditorFailed` where an editable file was lost.
    """
    came, kept = home.as_dict(), dict[str, str]()
    for path in request.editable:
        before = request.files.get(path)
        if path not in came and before is not None:
            raise _failed(
                f"the editor lost {path!r}",
                request,
                "it was removed, is not a plain file any more, or exceeds the harvest limit",
            )
        # an editable file that was not there is made empty for Aider; unused, it is no change
        if path in came and not (before is None and came[path] == _EMPTY):
            kept[path] = came[path]
    changed = tuple(sorted(p for p, sha256 in kept.items() if request.files.get(p) != sha256))
    if not changed and not why_not:
        why_not = "the edit leaves every file as it was"
    return Edit(
        files=request.files.updated(kept),
        changed=changed,
        reply=reply,
        why_not=why_not,
        refused=tuple(sorted({*refused, *(set(came) - set(request.editable))})),
        turns=turns,
        attestation=attestation,
    )


def _failed(what: str, request: EditRequest, why: str = "") -> EditorFailed:
    return EditorFailed(what, where=request.scope, why=why, todo=EDIT_AGAIN)
