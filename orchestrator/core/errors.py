"""Every error: what went wrong, where, why, what to do. ``orchestrator/__init__.py`` draws the tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from orchestrator.core.places import Place, Problem
from orchestrator.core.sanitize import plain_line

MOST_LISTED = 12  # problems of one file in one message: what fits on a screen
LONGEST_ROW = 300  # characters of one of them


class AisciError(Exception):
    """What went wrong, where, and what to do next."""

    exit_code = 1
    transient = False

    def __init__(self, what: str, *, where: str = "", why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.todo = what, where, why, todo

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  why:   {self.why}"] if self.why else []
        lines += [f"  do:    {self.todo}"] if self.todo else []
        return "\n".join(lines)


class UserError(AisciError):
    """The request is wrong; nothing was started."""

    exit_code = 2


class BadFile(UserError):
    """A file that a person wrote breaks its rules."""

    problems: tuple[Problem, ...] = ()
    """Each error of the file, with its place."""

    @classmethod
    def at(cls, place: Place, what: str, *, rule: str, why: str = "", todo: str) -> Self:
        """The error for one thing at ``place``."""
        error = cls(what, where=str(place), why=why, todo=todo)
        error.problems = (Problem(place, ": ".join(filter(None, (what, why))), todo, rule),)
        return error

    @classmethod
    def listing(cls, file: str, problems: Sequence[Problem], what: str = "") -> Self:
        """The error for all ``problems`` of ``file``, after ``what``; several are listed under ``why``."""
        head = f"{what}: " if what else ""
        if len(problems) == 1:
            (one,) = problems
            error = cls(head + _with_subject(one), where=one.where, todo=one.todo)
        else:
            error = cls(
                f"{head or 'the file has '}{len(problems)} errors",
                where=file,
                why=listed([_row(file, one) for one in problems]),
                todo="correct each of these lines",
            )
        error.problems = tuple(problems)
        return error


def _with_subject(problem: Problem) -> str:
    """``run.memory: needs a unit``: what is wrong, after its key unless the words name it."""
    key = problem.place.key
    last = key.rpartition(".")[2]
    named = (
        key in problem.what
        or repr(last) in problem.what
        or problem.what.startswith(f"{last} ")
        or problem.what.endswith(f" {last}")
    )
    return f"{key}: {problem.what}" if key and not named else problem.what


def _row(file: str, problem: Problem) -> str:
    """``10:24: run.memory: needs a unit; …``: the file is named above the list."""
    place, key = problem.place, problem.place.key
    at = place.position if place.file == file else str(replace(place, key=""))
    named = re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", problem.what)
    parts = [at, *([] if named else [key]), f"{problem.what}; {problem.todo}"]
    return plain_line(": ".join(filter(None, parts)), limit=LONGEST_ROW)


def listed(rows: Sequence[str]) -> str:
    """``rows`` one below the other, as many as fit on a screen, and how many more there are."""
    more = [f"and {len(rows) - MOST_LISTED} more"] if len(rows) > MOST_LISTED else []
    return "\n".join([*rows[:MOST_LISTED], *more])


class BadPolicy(BadFile):
    """A policy that cannot be enforced."""


class BadTemplate(BadFile):
    """A template that breaks its contract."""


class UnknownName(UserError):
    """No template, policy, model or image of that name."""


class MissingKey(UserError):
    """The model's vendor needs a key that the environment does not have."""


class ResultsExist(UserError):
    """A results folder that exists is never overwritten."""


class EngineUnavailable(AisciError):
    """No Docker engine answers."""


class EngineFailed(AisciError):
    """The engine refused a request or the connection broke."""

    transient = True


class DataFailed(AisciError):
    """A data set could not be fetched, or differs from its manifest."""


class ImageMissing(AisciError):
    """An image that a policy names is not built."""


class ImageStale(AisciError):
    """An image was built from another recipe than this program has, or is older than allowed."""


class ImageBuildFailed(AisciError):
    """Building an image failed."""


class ControlUnavailable(AisciError):
    """The policy asks for a control that this machine cannot give."""


class HostBusy(ControlUnavailable):
    """This machine could provide it, but not while other jobs run."""

    transient = True


class SandboxFailed(AisciError):
    """A container did not follow its policy; its result is not used."""


class HarvestRefused(AisciError):
    """The output of a container breaks the harvest rules as a whole."""


class BadResults(AisciError):
    """A run finished, but its ``final_info.json`` has no usable result."""


class ModelFailed(AisciError):
    """The model gave no usable answer to ``asked`` requests; resume asks again."""

    transient, asked = True, 1


class ModelBusy(ModelFailed):
    """Rate limit, server error or time-out, after all retries."""


class ModelRefused(ModelFailed):
    """The vendor refused the request."""


class TooLong(ModelRefused):
    """The conversation is longer than the model's context; its turns in the middle can be left out."""


class KeyRefused(ModelRefused):
    """The vendor refuses the key or its account: no request of the run can succeed."""


class BadReply(ModelFailed):
    """The model answered, and the answer cannot be used; the classes below say why."""


class EmptyReply(BadReply):
    """The reply holds no text beside the model's reasoning."""


class CutReply(BadReply):
    """The reply was cut off at its limit of tokens, before what was asked for was complete."""


class WrongFormat(BadReply):
    """The reply is complete and does not have the requested format."""


class EditorFailed(AisciError):
    """The editor's worker broke off; resume edits again."""

    transient = True


class BudgetSpent(AisciError):
    """The next call would exceed the budget, or a call exceeded its time."""

    transient = True


class DiskFull(AisciError):
    """The host has no room to write."""

    transient = True


class UnsafeFolder(UserError):
    """A run's folder holds a link or a special file."""


class BadJournal(AisciError):
    """A journal, or a body that it names, is torn, changed or from another version."""


class Diverged(AisciError):
    """A repeated run makes another request than the recorded one."""


class Interrupted(AisciError):
    """A person or a signal stopped the run."""

    exit_code = 130
    transient = True


class IdeaFailed(AisciError):
    """A stage gave up on one idea; its finished runs are kept and other ideas continue."""


class StageLeft(IdeaFailed):
    """The model or the editor gave a stage nothing usable; resume tries again."""

    transient = True
