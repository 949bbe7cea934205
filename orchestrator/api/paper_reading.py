"""A model reads a finished paper beside its results, and doubts the sentences that they do not carry.

Each paper has a journal of its own below ``results/readings``, so that the same command again repeats no recorded
call, and no paid answer is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.held_papers import HeldPaper
from orchestrator.api.locking import only_writer
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.paper_sources import held_paper
from orchestrator.api.papers import PaperCheck, check_held
from orchestrator.api.prepare import RESULTS, open_author
from orchestrator.core.errors import UserError
from orchestrator.core.files import slug
from orchestrator.core.model import SWEEP, Message, Usage
from orchestrator.core.research import Idea
from orchestrator.core.tree import digest
from orchestrator.models.failures import RetryTiming
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.ports import Edges
from orchestrator.record.spending import account_spending
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.stages.doubting import ReadSentence, doubts_of, seen_sentences
from orchestrator.research.stages.reader_facts import reader_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRequest:
    """A paper as :func:`held_paper` finds it, and the model that reads it."""

    paper: Path
    model: str
    scale: str = ""
    max_usd: float | None = None
    price: str | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperReading:
    """What the program found, and what the model doubted: each sentence with its doubt, empty for none."""

    check: PaperCheck
    read: tuple[tuple[ReadSentence, str], ...]
    folder: Path
    usage: Usage

    @property
    def doubted(self) -> tuple[tuple[ReadSentence, str], ...]:
        """The sentences that the model doubts, and why."""
        return tuple(pair for pair in self.read if pair[1])

    @property
    def settled(self) -> int:
        """How many typed sentences the program could not trace and the model found carried."""
        if self.check.by_reference:
            return 0
        return sum(1 for one, why in self.read if one.checked.problems and not why)

    @property
    def holds(self) -> bool:
        """Whether all was read and nothing is doubted. Where the program printed the numbers, its own findings
        count too.
        """
        return (
            self.check.whole
            and not self.doubted
            and not (self.check.by_reference and self.check.wrong)
        )


def read_paper(
    request: ReadingRequest, say: Callable[[str], None] = lambda _: None
) -> PaperReading:
    """A model's doubts about a paper. Raises :class:`UnknownName` if there is no paper, :class:`UserError` and its
    children for the request, :class:`BadReply` where the model gives no usable answer.
    """
    if request.model == SWEEP:
        raise UserError(
            f"{SWEEP} cannot read a paper",
            where="--model",
            why="it is a program and has no judgement; without --model the program checks by itself",
            todo="name a language model, or leave --model out",
        )
    paper = held_paper(request.paper, request.scale, request.results)
    check = check_held(paper)
    prices = stated_price(request.price, request.model)
    model = open_author(
        request.model, environ=os.environ, prices=prices, timing=RetryTiming(tell=say)
    )
    if request.max_usd is not None:
        prices_of(model, prices)  # without a price no budget of dollars holds
    facts, sentences = _facts(paper), _sentences(paper, check)
    key = digest([
        __version__, prompts_hash(), model.name, facts.content, [one.text for one in sentences]
    ])  # fmt: skip
    name = slug(request.paper.resolve().name)[:40] or "paper"
    paths = IdeaPaths(request.results / "readings" / f"{name}-{key[:12]}")
    paths.folder.mkdir(parents=True, exist_ok=True)
    with only_writer(paths.folder):
        blobs = BlobStore(paths.blobs)
        none = absent(model.name)
        edges = Edges(model, none.editor, none.sandbox, none.literature, month=account_spending())
        what = Idea(name=name, title=str(request.paper)[:200], experiment="a paper read by a model")
        ports = ports_of_own(paths, blobs, what, edges, "reading", request.max_usd)
        say(f"{model.name} reads {len(sentences)} sentences")
        doubts = doubts_of(facts, sentences, ports)
    read = tuple((one, doubts.get(at, "")) for at, one in enumerate(sentences))
    return PaperReading(
        check=check, read=read, folder=paths.folder, usage=ports.journal.ledger.total()
    )


def _facts(paper: HeldPaper) -> Message:
    return reader_facts(paper.ledger, paper.records, paper.manifest, paper.scale, paper.described)


def _sentences(paper: HeldPaper, check: PaperCheck) -> list[ReadSentence]:
    rows = [
        one for one in check.sentences if one.sentence.part not in {"title", "front", "program"}
    ]
    return list(seen_sentences(paper.tex, rows, paper.ledger))
