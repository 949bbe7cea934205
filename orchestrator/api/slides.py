"""Slides about a finished idea: its study is played again from the record, and its author makes a deck.

A deck has a journal of its own below ``results/slides``, so that the same command again repeats no recorded
call. The run's record is only read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.adapters import pool_for, with_pictures
from orchestrator.api.export import FileExporter
from orchestrator.api.find_run import JOURNAL
from orchestrator.api.images import resolve_images
from orchestrator.api.locking import only_writer
from orchestrator.api.prepare import RESULTS, open_author
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.files import slug, write
from orchestrator.core.model import Usage
from orchestrator.core.tree import digest
from orchestrator.core.untrusted import require_plain
from orchestrator.models.prices import stated_price
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.chain import head_of
from orchestrator.record.events import IdeaStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.month import MonthBudget
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF, IdeaPaths, RunPaths
from orchestrator.record.ports import Edges, Ports, absent
from orchestrator.research.pins import read_pins, same_program, spec_of, template_of
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunLocation, RunSpec, Study
from orchestrator.research.stages.slides import make_slides, with_pictures_left_out
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidesRequest:
    """An idea's folder, RUN/IDEA; ``model`` None: the one that wrote its paper."""

    idea: Path
    model: str | None = None
    max_usd: float | None = None
    price: str | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidesOutcome:
    """A deck: its PDF, how many slides it has, the folder of its record, and what its calls cost."""

    pdf: Path
    slides: int
    folder: Path
    usage: Usage


def slides_of(request: SlidesRequest, say: Callable[[str], None] = lambda _: None) -> SlidesOutcome:
    """Make a deck about a finished idea. Raises :class:`UserError` and its children for the request,
    :class:`Diverged` for a run of another version, and what :func:`make_slides` raises.
    """
    run, record = _run_of(request.idea)
    pins = read_pins(run)
    same_program(pins)
    spec = spec_of(pins, template_of(pins, run))
    say("playing the study again from its record")
    study = _study(spec, run, record)
    name = request.model or spec.model
    model = open_author(
        name, environ=os.environ, prices=stated_price(request.price, name) or dict(spec.prices)
    )
    study = study if request.model in {None, spec.model} else with_pictures_left_out(study)
    key = digest([__version__, model.name, head_of(record.journal)])
    paths = IdeaPaths(request.results / "slides" / f"{slug(study.idea.name)}-{key[:12]}")
    paths.folder.mkdir(parents=True, exist_ok=True)
    engine = connect()
    images = resolve_images(spec.policy, engine, None, ("latex",))
    with only_writer(paths.folder), pool_for(spec.policy, engine, "slides", images=images) as pool:
        blobs = BlobStore(paths.blobs, BlobStore(record.blobs), BlobStore(run.blobs))
        none = absent(model.name)
        edges = Edges(
            with_pictures(model, blobs),
            none.editor,
            DockerSandbox(pool, blobs),
            none.literature,
            {},
            MonthBudget.of_user(),
        )
        journal = Journal(paths.journal, blobs, Mode.RESUME)
        if not journal.events:
            journal.append(IdeaStarted(id=study.idea.id, idea=study.idea))
        say(f"{model.name} makes the slides")
        ports = Ports(edges, journal, blobs, JournalBudget(usd=request.max_usd), "slides")
        tex, made = make_slides(study, ports)
        files = made.as_dict()
        pdf = paths.folder / f"{slug(study.idea.name)}_slides.pdf"
        write(paths.folder / "slides.tex", tex)
        write(pdf, blobs.get(files[PAPER_PDF]))
        pages = [name for name in files if name.startswith(f"{LATEX_OUTPUT}/page-")]
        for page in pages:
            write(paths.folder / page.rpartition("/")[2], blobs.get(files[page]))
    return SlidesOutcome(
        pdf=pdf, slides=len(pages), folder=paths.folder, usage=journal.ledger.total()
    )


def _run_of(folder: Path) -> tuple[RunPaths, IdeaPaths]:
    if not ((folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file()):
        raise UnknownName(
            "this is no idea of a run",
            where=str(folder),
            why=f"it holds no {JOURNAL}, or the folder above it holds none",
            todo="name the folder of one idea: `aisci slides RUN/IDEA`",
        )
    require_plain(folder.parent)
    return RunPaths(folder.parent), IdeaPaths(folder)


def _study(spec: RunSpec, run: RunPaths, record: IdeaPaths) -> Study:
    """The idea's study, as its record gives it. Raises :class:`UserError` where it has no paper."""
    none = absent(spec.author, spec.authors)
    deps = RunDeps(edges=lambda _: none, exporter=FileExporter(), listener=lambda _: None)
    with tempfile.TemporaryDirectory(prefix="aisci-slides-") as scratch:
        place = RunLocation(record=run, output=RunPaths(Path(scratch)), mode=Mode.REPLAY)
        outcomes = research(spec, place, deps)
    found = [one.study for one in outcomes if run.idea(one.study.idea).folder == record.folder]
    if not found or found[0].paper is None:
        raise UserError(
            "this idea has no paper yet",
            where=str(record.folder),
            todo="`aisci resume` finishes it; then make the slides",
        )
    return found[0]
