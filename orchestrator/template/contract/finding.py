"""The result of a template check: each rule, whether it holds, and how to correct violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.template.template import Template


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """An error at ``where`` (a path, possibly with a line or key), and its correction; "" where ``what``
    says that itself.
    """

    where: str
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class ContractRule:
    """A rule of the contract that a template's files alone can violate; ``of`` are the files that it is about.
    ``words``: it is about what people and models read, so that the programs run all the same.
    """

    name: str
    promise: str
    judge: Callable[[Template], Iterable[RuleFinding]]
    of: tuple[str, ...] = ()
    words: bool = False

    def unseen(self, template: Template) -> str:
        """Why there is nothing to judge: the files that the rule is about are not there; or "". A manifest
        that was inferred from the other files declares nothing.
        """
        missing = [path for path in self.of if path not in template.files]
        return f"there is no {' and no '.join(missing)} to look at" if missing else ""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule and its findings; ``why_not`` says why the rule does not apply to this template.
    ``notes`` are what a person should know and no breach; ``words`` is as the rule's.
    """

    name: str
    promise: str
    findings: tuple[RuleFinding, ...] = ()
    why_not: str = ""
    notes: tuple[RuleFinding, ...] = ()
    words: bool = False

    @property
    def held(self) -> bool:
        return not self.findings
