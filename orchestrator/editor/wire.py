"""The JSON lines between an editor's worker and the host, and the host's side of the exchange.

The worker is not trusted: each line is bounded and validated, an unknown key is refused, and
the number of model calls is limited. Its own account of the edit is kept as text; what changed
is decided by comparing files (``outcome.py``).
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, suppress
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from orchestrator.core.asking import ATTEMPTS, ask_until, require_whole
from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import MOST_NEW_FILES, NEW_FILE, NEW_FILE_BYTES, EditRequest
from orchestrator.core.errors import AisciError, EditorFailed
from orchestrator.core.model import Ask, Message
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import Tree

MAX_LINE = 8 * 1024 * 1024
"""Bytes of one line in either direction; the worker has the same limit."""

MAX_TURNS = 4
"""Model calls in one edit: the first one and Aider's three reflections."""

REPLY_TOKENS = 8192
"""The most tokens of one reply; an edit may write a whole file."""

_UNUSABLE = (
    "Your reply could not be used: {}. Answer again, whole, and as briefly as the change allows."
)
_MOST_REPLIES = 64 << 10  # characters of all replies that an edit keeps


class LineChannel(Protocol):
    """A bidirectional channel of lines to a worker."""

    def send(self, line: bytes) -> None:
        """Send one line, given without its newline. Raises BrokenPipeError once it has ended."""

    def receive(self, timeout: float) -> bytes | None:
        """The next line without its newline, or None at the end; waits ``timeout`` seconds."""

    def waiting(self) -> AbstractContextManager[None]:
        """Pause the worker's wall clock while it waits for the host."""


class _WireModel(BaseModel, extra="forbid", frozen=True, strict=True):
    """Immutable; another key or another type is an error."""


class ChatMessage(_WireModel):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class WorkerRequest(_WireModel):
    """The worker asks the model."""

    type: Literal["llm"]
    messages: list[ChatMessage] = Field(min_length=1, max_length=256)
    temperature: float = Field(ge=0, le=2)


class EditDone(_WireModel):
    """The worker's own account of a finished edit; the host puts all replies in ``reply``."""

    type: Literal["done"]
    reply: str
    turns: int = Field(ge=0, le=MAX_TURNS)
    malformed: int = Field(ge=0, le=MAX_TURNS)
    refused: list[Annotated[str, Field(max_length=200)]] = Field(max_length=32)
    why_not: str = Field(max_length=4000)


class EditFailed(_WireModel):
    """The worker cannot continue."""

    type: Literal["failed"]
    what: str


EDIT_AGAIN = "`aisci resume` makes this edit again"
_REPORT = "report this with the idea's journal.jsonl: this is a bug in aisci"

_MESSAGE: TypeAdapter[WorkerRequest | EditDone | EditFailed] = TypeAdapter(
    Annotated[WorkerRequest | EditDone | EditFailed, Field(discriminator="type")]
)


def converse(
    channel: LineChannel, request: EditRequest, model: LanguageModel, within: Deadline
) -> EditDone | None:
    """Send the request and answer model calls until the worker is done; None if it ended early.
    Raises :class:`EditorFailed` for an invalid line or a worker that reports a failure, and, after
    the worker got an error message, :class:`EmptyReply`, :class:`CutReply` and what ``model`` raises.
    """
    _send(
        channel,
        type="edit",
        instruction=request.instruction,
        editable=list(request.editable),
        readable=list(request.readable),
        known=[path for path in request.files.paths() if path not in request.editable],
        new_files=(
            {"name": NEW_FILE.pattern, "most": MOST_NEW_FILES, "bytes": NEW_FILE_BYTES}
            if request.new_files
            else None
        ),
    )
    replies = list[str]()
    while (line := channel.receive(request.limits.wall)) is not None:
        message = _parse(line, request)
        if isinstance(message, EditDone):
            # It now ends by itself; only then does it write no more files.
            if channel.receive(request.limits.wall) is not None:
                raise edit_failed("the editor sent more after its end", request)
            return message.model_copy(update={"reply": "\n\n".join(replies)[:_MOST_REPLIES]})
        if isinstance(message, EditFailed):
            raise edit_failed("the editor gave up", request, message.what[:2000])
        if len(replies) == MAX_TURNS:
            raise edit_failed(f"the editor asked the model more than {MAX_TURNS} times", request)
        messages = tuple(Message(one.role, one.content) for one in message.messages)
        ask = Ask(
            purpose=request.purpose,
            messages=messages,
            temperature=message.temperature,
            max_tokens=REPLY_TOKENS,
        )
        try:
            # Of a reply that was cut, some blocks could be applied.
            with channel.waiting():
                reply = ask_until(
                    lambda ask: model.complete(ask, within),
                    ask,
                    require_whole,
                    lambda error: _UNUSABLE.format(error.why),
                    lambda asked: asked < getattr(model, "most", ATTEMPTS),
                )
        except AisciError as error:
            _send(channel, type="error", what=error.what)
            raise
        # A lone surrogate cannot be written to a file, so it is replaced here.
        text, usage = reply.text.encode("utf-8", "replace").decode(), reply.usage
        replies.append(text)
        _send(channel, type="reply", text=text, prompt_tokens=usage.prompt_tokens,
              completion_tokens=usage.completion_tokens)  # fmt: skip
    return None


def _send(channel: LineChannel, **message: object) -> None:
    line = json.dumps(message).encode()
    if len(line) >= MAX_LINE:
        raise EditorFailed(
            f"a line of {len(line)} bytes exceeds the editor's limit of {MAX_LINE}",
            where="a request or reply for the editor",
            todo="ask for a smaller change",
        )
    with suppress(BrokenPipeError):  # a worker that has ended is noticed by the next receive
        channel.send(line)


def _parse(line: bytes, request: EditRequest) -> WorkerRequest | EditDone | EditFailed:
    if len(line) > MAX_LINE:
        raise edit_failed(f"the editor sent a line over {MAX_LINE} bytes", request)
    try:
        return _MESSAGE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise EditorFailed(
            "the editor sent a line that is not part of its protocol",
            where=request.scope,
            why=f"{'.'.join(map(str, first['loc']))[:200]}: {first['msg'][:200]}",
            todo="rebuild its image: `aisci images build aisci-editor`",
        ) from None


def visible_files(request: EditRequest) -> Tree:
    """The files that the worker gets: the editable and the readable ones, no others. Raises
    :class:`EditorFailed` if a readable file is missing, a path is not a plain relative one, or the
    request is empty.
    """
    if not request.instruction.strip() or not request.editable:
        raise EditorFailed(
            "an edit needs an instruction and a file to edit", where=request.scope, todo=_REPORT
        )
    files, named = request.files.as_dict(), {*request.editable, *request.readable}
    for path in named:
        if not path.isprintable() or "\\" in path or {"", ".", ".."} & set(path.split("/")):
            raise EditorFailed(
                f"{path!r} is not a plain relative path",
                where=request.scope,
                todo="use letters, digits and single slashes in the template's file names",
            )
    missing = sorted(named - set(files) - set(request.editable))
    if missing:
        what = f"files that the editor should see are missing: {missing}"
        raise EditorFailed(what, where=request.scope, todo=_REPORT)
    return Tree.of({path: sha256 for path, sha256 in files.items() if path in named})


def edit_failed(what: str, request: EditRequest, why: str = "") -> EditorFailed:
    """The error of an edit that another try may make."""
    return EditorFailed(what, where=request.scope, why=why, todo=EDIT_AGAIN)
