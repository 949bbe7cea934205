"""Judging the novelty of a list of ideas by itself: also of lists that The AI Scientist wrote.

Each idea has a journal of its own below ``results/novelty``, so that the same command again repeats no
recorded call, and no paid answer is lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.adapters import LIBRARY
from orchestrator.api.locking import only_writer
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.prepare import RESULTS, open_author
from orchestrator.core.errors import AisciError
from orchestrator.core.files import shipped_root, write
from orchestrator.core.model import Usage
from orchestrator.core.research import Idea, Novelty
from orchestrator.core.tree import digest
from orchestrator.core.untrusted import read_plain
from orchestrator.literature.engines.opening import (
    chosen_engines,
    open_sources,
    own_shelf,
    server_of,
)
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.models.failures import RetryTiming
from orchestrator.models.prices import stated_price
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.literature_notes import NoveltyJudged
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Edges
from orchestrator.record.spending import account_spending
from orchestrator.research.idea_lists import listed_ideas
from orchestrator.research.pipeline import RUN_ERRORS
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.stages.novelty import decide_novelty
from orchestrator.template.template import Template, load_template

_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyRequest:
    """A list of ideas, the model that judges, and the engines that are searched. ``template`` gives the
    model the ideas' context, and its list of papers.
    """

    file: Path
    model: str
    engine: str = "none"
    template: str | None = None
    max_usd: float | None = None
    price: str | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedIdea:
    """The decision on one idea, or the error that left it without one; what its calls cost."""

    idea: Idea
    novelty: Novelty | None
    error: AisciError | None
    folder: Path
    usage: Usage


def judge_ideas(
    request: NoveltyRequest, say: Callable[[str], None] = lambda _: None
) -> tuple[JudgedIdea, ...]:
    """The decision on each idea of a list, in its order; one that fails holds up no other.

    Raises :class:`BadFile` for the list, and :class:`UserError` and its children for the request.
    """
    engines = [(name, server_of(name, os.environ)) for name in chosen_engines(request.engine)]
    listed = listed_ideas(request.file)
    template = load_template(request.template, shipped_root()) if request.template else None
    prices = stated_price(request.price, request.model)
    model = open_author(
        request.model, environ=os.environ, prices=prices, timing=RetryTiming(tell=say)
    )
    shelves = own_shelf()
    if template is not None and LIBRARY in template.files:
        papers = LocalLibrary.from_bytes(template.files[LIBRARY], LIBRARY)
        shelves = [("template", papers), *shelves]
    none = absent(model.name)
    searched = open_sources(engines, os.environ, shelves)
    edges = Edges(model, none.editor, none.sandbox, searched, month=account_spending())
    key = digest([
        __version__, prompts_hash(), model.name, engines, template.hash if template else ""
    ])  # fmt: skip
    folder = RunPaths(request.results / "novelty" / f"{request.file.stem[:40]}-{key[:12]}")
    folder.folder.mkdir(parents=True, exist_ok=True)
    spent, judged = 0.0, []
    with only_writer(folder.folder):
        for number, idea in enumerate(listed, start=1):
            say(f"{number} of {len(listed)}: {idea.name}")
            left = None if request.max_usd is None else max(0.0, request.max_usd - spent)
            judged.append(_judged(idea, template, edges, folder, left))
            spent += judged[-1].usage.usd or 0.0
    return tuple(judged)


def _judged(
    idea: Idea, template: Template | None, edges: Edges, run: RunPaths, usd: float | None
) -> JudgedIdea:
    paths = run.idea(idea)
    ports = ports_of_own(paths, BlobStore(paths.blobs), idea, edges, f"idea/{idea.id}/novelty", usd)
    journal = ports.journal
    novelty, failed = None, None
    try:
        novelty = decide_novelty(idea, template, ports)
        ports.note(NoveltyJudged(novelty=novelty))
        journal.seal()
    except RUN_ERRORS:
        raise
    except AisciError as error:
        failed = error
    return JudgedIdea(
        idea=idea, novelty=novelty, error=failed, folder=paths.folder, usage=journal.ledger.total()
    )


def write_judged(path: Path, source: Path, judged: tuple[JudgedIdea, ...]) -> None:
    """Write the list again, each idea with ``novel``, as The AI Scientist has it; undecided is null."""
    rows = json.loads(read_plain(source, _MOST_BYTES))
    for row_, one in zip(rows, judged, strict=True):
        decision = one.novelty.decision if one.novelty else "undecided"
        row_["novel"] = {"novel": True, "not novel": False}.get(decision)
        row_["novelty_reason"] = one.novelty.reason if one.novelty else ""
    write(path, json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
