"""A survey: from a question to a paper about what others found, without an experiment.

It has a journal of its own below ``results/surveys``, so that the same command again repeats no recorded call, and
goes on where it was stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.adapters import LIBRARY, pool_for
from orchestrator.api.allowed_models import require_may_ask, server_of_model
from orchestrator.api.images import resolve_images
from orchestrator.api.locking import obeyed, only_writer
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.policies import named_policy
from orchestrator.api.prepare import RESULTS, open_author
from orchestrator.core.deadline import MORE_ROOM
from orchestrator.core.errors import AisciError, Interrupted, UserError
from orchestrator.core.files import shipped_root, slug, write
from orchestrator.core.model import SWEEP, Usage
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree, digest
from orchestrator.literature.engines.opening import (
    chosen_engines,
    open_sources,
    own_shelf,
    server_of,
)
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.literature.sources import Shelf
from orchestrator.models.failures import RetryTiming
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF, IdeaPaths
from orchestrator.record.ports import Edges, Ports
from orchestrator.record.spending import account_spending
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.survey.extracting import extract_facts
from orchestrator.research.survey.scoping import find_papers, plan_survey
from orchestrator.research.survey.section_writing import write_survey
from orchestrator.research.survey.sorting import group_papers, select_papers
from orchestrator.research.survey.survey_pdf import compile_survey
from orchestrator.research.survey.survey_report import survey_report
from orchestrator.research.survey.survey_source import SHIPPED_LIST
from orchestrator.research.survey.survey_values import LiteratureSurvey, SurveyTask
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox

_SHORTEST, _LONGEST = 8, 300  # characters of a question
_STYLE = "aisci.sty"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRequest:
    """A question, who answers it, the engines that are searched besides the lists on this machine, and how many
    papers the survey has at most. ``policy`` limits the container that LaTeX runs in.
    """

    question: str
    model: str = SWEEP
    engine: str = "none"
    papers: int = 30
    policy: str | None = None
    max_usd: float | None = None
    price: str | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOutcome:
    """A survey: its PDF, its state at the end, what does not fit a line of it, its folder, and its cost."""

    pdf: Path
    pages: int
    survey: LiteratureSurvey
    misfits: tuple[str, ...]
    folder: Path
    usage: Usage


def survey_literature(request: SurveyRequest, say: Say = lambda _: None) -> SurveyOutcome:
    """Make a survey. Raises :class:`UserError` and its children for the request, :class:`IdeaFailed` where too
    few papers answer the question, :class:`BadReply` for what a model gives no usable answer to.
    """
    question = _question(request.question)
    engines = [(name, server_of(name, os.environ)) for name in chosen_engines(request.engine)]
    prices = stated_price(request.price, request.model)
    policy = named_policy(request.policy, request.results).policy
    model = open_author(
        request.model, environ=os.environ, prices=prices, timing=RetryTiming(tell=say)
    )
    require_may_ask(policy, request.model, server_of_model(model))
    if request.max_usd is not None:
        prices_of(model, prices)  # without a price no budget of dollars holds
    style = (shipped_root() / "templates" / _STYLE).read_text("utf-8")
    task = SurveyTask(
        question=question, papers=request.papers, author=model.name, policy=policy, style=style
    )
    key = digest([
        __version__, prompts_hash(), model.name, engines, question, request.papers, policy.hash, style
    ])  # fmt: skip
    paths = IdeaPaths(request.results / "surveys" / f"{slug(question)[:40]}-{key[:12]}")
    engine = connect()
    images = resolve_images(policy, engine, None, ("latex",))
    paths.folder.mkdir(parents=True, exist_ok=True)
    with (
        _again(paths.folder),
        only_writer(paths.folder),
        pool_for(policy, engine, "survey", images=images) as pool,
    ):
        blobs = BlobStore(paths.blobs)
        own = own_shelf()
        lists = own if own or engines else [_shipped_list()]
        searched = open_sources(engines, os.environ, lists)
        edges = Edges(
            model,
            absent(model.name).editor,
            DockerSandbox(pool, blobs),
            searched,
            month=account_spending(),
        )
        what = Idea(
            name=slug(question)[:40], title=question, experiment="a survey of the literature"
        )
        ports = ports_of_own(paths, blobs, what, edges, "survey", request.max_usd)
        survey = _surveyed(task, ports, say)
        say("LaTeX compiles the survey")
        tex, made, misfits = compile_survey(survey, ports)
        return _written_survey(paths, survey, tex, made, misfits, ports)


def _surveyed(task: SurveyTask, ports: Ports, say: Say) -> LiteratureSurvey:
    """The stages, one after the other, before LaTeX."""
    say("planning the searches")
    survey = plan_survey(task, ports)
    say("searching")
    survey = find_papers(survey, ports)
    say(f"{len(survey.judged)} records found; choosing among them")
    survey = select_papers(survey, ports)
    say(f"{len(survey.kept)} papers kept; dividing them into groups")
    survey = group_papers(survey, ports)
    say("filling the tables")
    survey = extract_facts(survey, ports)
    say("writing")
    return write_survey(survey, ports)


def _question(text: str) -> str:
    question = " ".join(text.split())
    if not _SHORTEST <= len(question) <= _LONGEST:
        raise UserError(
            f"a question has {_SHORTEST} to {_LONGEST} characters",
            where=f"{question[:80]!r} has {len(question)}",
            todo="write the question of the survey in one sentence, or its subject in a few words",
        )
    return question


def _shipped_list() -> tuple[str, Shelf]:
    """The papers of the shipped templates, where there is nothing else: their abstracts are our summaries."""
    files = sorted((shipped_root() / "templates").glob(f"*/{LIBRARY}"))
    lists = [LocalLibrary.from_bytes(path.read_bytes(), LIBRARY) for path in files]
    papers = {paper.key: paper for one in lists for paper in one.papers}
    return SHIPPED_LIST, LocalLibrary(papers.values())


@contextmanager
def _again(folder: Path) -> Iterator[None]:
    """What stops a survey says that the same command goes on with it."""
    todo = "the same command again goes on; no recorded call is paid twice"
    try:
        with obeyed():
            yield
    except KeyboardInterrupt as error:
        raise Interrupted("the survey was stopped", where=str(folder), todo=todo) from error
    except AisciError as error:
        if error.todo == MORE_ROOM:
            error.where = "--max-usd"
            error.todo = "the same command with a larger --max-usd goes on from there"
        elif isinstance(error, Interrupted):
            error.todo = todo
        elif error.transient:
            error.todo = f"{error.todo}\n{todo}".strip()
        raise


def _written_survey(
    paths: IdeaPaths,
    survey: LiteratureSurvey,
    tex: str,
    made: Tree,
    misfits: tuple[str, ...],
    ports: Ports,
) -> SurveyOutcome:
    """Write the survey beside its record: source, PDF, pages as pictures, the machine-readable report."""
    files = made.as_dict()
    pdf = paths.folder / "survey.pdf"
    write(paths.folder / "survey.tex", tex)
    write(pdf, ports.blobs.get(files[PAPER_PDF]))
    pages = [path for path in files if path.startswith(f"{LATEX_OUTPUT}/page-")]
    for page in pages:
        write(paths.folder / page.rpartition("/")[2], ports.blobs.get(files[page]))
    report = json.dumps(survey_report(survey, misfits), indent=2, ensure_ascii=False)
    write(paths.folder / "survey.json", report + "\n")
    ports.journal.seal()
    return SurveyOutcome(
        pdf=pdf,
        pages=len(pages),
        survey=survey,
        misfits=misfits,
        folder=paths.folder,
        usage=ports.journal.ledger.total(),
    )
