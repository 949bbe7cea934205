"""A model whose replies are written in advance: for tests and for trying aisci without a vendor.

It is strict: a request that no rule expects is an error. A file of replies has one JSON object
per line: ``{"purpose": "ideas.propose", "text": "…", "contains": "…", "times": 1}``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import AisciError, BadFile, ModelRefused
from orchestrator.core.model import Ask, Reply, Usage

_MAX_FILE = 64 * 2**20


class ReplyRule(BaseModel, extra="forbid", frozen=True, arbitrary_types_allowed=True):
    """Answers requests of ``purpose`` (empty: any) whose messages contain ``contains``. It answers
    ``times`` requests (0: any number). ``text`` may be a function of the request; an error in its
    place is raised.
    """

    purpose: str = ""
    contains: str = ""
    text: str | Callable[[Ask], str] | AisciError
    times: Annotated[int, Field(ge=0)] = 1
    finish: str = "stop"

    def expects(self, ask: Ask) -> bool:
        """Whether this rule is meant for ``ask``."""
        if self.purpose not in ("", ask.purpose):
            return False
        return any(self.contains in message.content for message in ask.messages)


class ReplyLine(ReplyRule):
    """A rule in a file, whose text is always a string."""

    text: str


class ScriptedModel:
    """Answers with the first rule that expects a request and is not used up; ``asks`` are the
    requests. Four characters count as one token; nothing costs anything.
    """

    def __init__(self, rules: Iterable[ReplyRule | str], name: str = "scripted") -> None:
        self._rules = [ReplyRule(text=rule) if isinstance(rule, str) else rule for rule in rules]
        self._used = [0] * len(self._rules)
        self._lock = threading.Lock()
        self.name = name
        self.asks: list[Ask] = []

    @classmethod
    def from_file(cls, path: Path, name: str = "scripted") -> ScriptedModel:
        """The model for a file of JSON lines. Raises :class:`BadFile`."""
        try:
            if path.stat().st_size > _MAX_FILE:
                todo = f"keep it under {_MAX_FILE} bytes"
                raise BadFile("the file of replies is too large", where=str(path), todo=todo)
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadFile(
                "the file of replies cannot be read",
                where=str(path),
                why=str(error),
                todo="name a UTF-8 file of JSON lines: --model scripted/FILE",
            ) from error
        rules: list[ReplyRule] = []
        for number, line in enumerate(lines, start=1):
            try:
                rules += [ReplyLine.model_validate_json(line)] if line.strip() else []
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                key = ".".join(map(str, problem["loc"]))
                raise BadFile(
                    "a scripted reply is invalid",
                    where=f"{path}:{number}" + (f": {key}" if key else ""),
                    why=str(problem["msg"]),
                    todo='a line is {"purpose": "ideas.propose", "text": "…"}',
                ) from error
        return cls(rules, name)

    def ceiling(self, ask: Ask) -> Usage:
        """The request's tokens and the most that it allows for the answer; no cost."""
        return Usage(_tokens(ask), ask.max_tokens, 0.0)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """Answer by the rules. Raises :class:`ModelRefused` where none fits, :class:`BudgetSpent`."""
        within.check(f"step {ask.purpose}")
        rule = self._take(ask)
        if isinstance(rule.text, AisciError):
            raise rule.text
        text = rule.text if isinstance(rule.text, str) else rule.text(ask)
        usage = Usage(_tokens(ask), min(len(text) // 4 + 1, ask.max_tokens), 0.0)
        return Reply(text, usage, self.name, rule.finish)

    def _take(self, ask: Ask) -> ReplyRule:
        with self._lock:
            self.asks.append(ask)
            for index, rule in enumerate(self._rules):
                if (not rule.times or self._used[index] < rule.times) and rule.expects(ask):
                    self._used[index] += 1
                    return rule
        raise ModelRefused(
            f"no scripted reply expects this request of {ask.purpose!r}",
            where=f"request {len(self.asks)} to {self.name}",
            why=f"it begins: {ask.messages[-1].content[:120]!r}" if ask.messages else "it is empty",
            todo="add a reply for it to the script",
        )


def _tokens(ask: Ask) -> int:
    return sum(len(message.content) for message in ask.messages) // 4 + 1
