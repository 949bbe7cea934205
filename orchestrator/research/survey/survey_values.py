"""The values of a survey, from its task to its finished text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.literature import PaperRef
from orchestrator.core.research import Searched
from orchestrator.policy.policy import Policy
from orchestrator.research.survey.abstracts import Abstract


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTask:
    """What is asked: a question, how many papers at most, who writes as the paper prints it, the policy that
    limits LaTeX, and the text of the paper's style file.
    """

    question: str
    papers: int
    author: str
    policy: Policy
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyScope:
    """What a survey covers, in a paragraph; its sub-questions; the searches that it begins with."""

    text: str
    questions: tuple[str, ...]
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPaper:
    """A record that a search found, whether it is kept, and why. ``relevance`` is from 0 to 3."""

    paper: PaperRef
    kept: bool
    relevance: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Papers that belong together, by their keys; ``common`` and ``differ`` are their author's notes."""

    name: str
    common: str
    differ: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """A sentence of a paper's abstract, from 1; its title is sentence 0."""

    key: str
    sentence: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What an abstract says in one sentence; an empty text where it does not say it."""

    text: str = ""
    sentence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFacts:
    """A row of a table: what one paper's abstract says of its method, its data and its main finding."""

    key: str
    method: Stated
    data: Stated
    finding: Stated


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutText:
    """A text of the author's that is not printed: where it stood, and what is wrong with it."""

    section: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySection:
    """A section's paragraphs, each a list of sentences in which ``[[key:3]]`` is a reference."""

    name: str
    heading: str
    paragraphs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteratureSurvey:
    """The state of a survey between stages; each stage returns a new one."""

    task: SurveyTask
    scope: SurveyScope
    searches: tuple[Searched, ...] = ()
    judged: tuple[JudgedPaper, ...] = ()
    groups: tuple[Group, ...] = ()
    facts: tuple[PaperFacts, ...] = ()
    title: str = ""
    sections: tuple[SurveySection, ...] = ()
    left_out: tuple[LeftOutText, ...] = ()
    abstracts: Mapping[str, Abstract] = field(default_factory=dict)
    """Of the papers that are kept, by key, in the order in which they were found."""

    @property
    def kept(self) -> tuple[PaperRef, ...]:
        """The papers that the survey is about."""
        return tuple(one.paper for one in self.judged if one.kept)
