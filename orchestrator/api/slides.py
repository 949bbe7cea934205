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
from orchestrator.api.find_run import find_idea
from orchestrator.api.images import resolve_images
from orchestrator.api.locking import only_writer
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.prepare import RESULTS, open_author
from orchestrator.api.reproduce import play_again
from orchestrator.core.errors import UserError
from orchestrator.core.files import slug, write
from orchestrator.core.model import Usage
from orchestrator.core.tree import Tree, digest
from orchestrator.core.untrusted import require_plain
from orchestrator.models.failures import RetryTiming
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import head_of
from orchestrator.record.paths import LATEX_OUTPUT, PAPER_PDF, IdeaPaths, RunPaths
from orchestrator.record.ports import Edges, Ports
from orchestrator.record.spending import account_spending
from orchestrator.research.pins import read_pins, same_program, spec_of, template_of
from orchestrator.research.run_spec import RunSpec, Study
from orchestrator.research.stages.slides import make_slides, with_pictures_left_out
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidesRequest:
    """An idea's folder, RUN/IDEA; ``model`` None: the one that wrote its paper."""

    idea: str
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
    run, record = find_idea(request.idea, request.results)
    require_plain(run.folder)
    pins = read_pins(run)
    same_program(pins)
    spec = spec_of(pins, template_of(pins, run))
    say("playing the study again from its record")
    study = _study(spec, run, record)
    name = request.model or spec.model
    recorded = dict(spec.prices) if name == spec.model else {}
    prices = stated_price(request.price, name) or recorded
    model = open_author(name, environ=os.environ, prices=prices, timing=RetryTiming(tell=say))
    if request.max_usd is not None:
        prices_of(model, prices)  # without a price no budget of dollars holds
    study = study if name == spec.model else with_pictures_left_out(study)
    key = digest([__version__, model.name, head_of(record.journal)])
    paths = IdeaPaths(request.results / "slides" / f"{slug(study.idea.name)}-{key[:12]}")
    paths.folder.mkdir(parents=True, exist_ok=True)
    engine = connect()
    images = resolve_images(spec.policy, engine, None, ("latex",))
    with only_writer(paths.folder), pool_for(spec.policy, engine, "slides", images=images) as pool:
        blobs = BlobStore(paths.blobs, BlobStore(record.blobs), BlobStore(run.blobs))
        none, box = absent(model.name), DockerSandbox(pool, blobs)
        edges = Edges(
            with_pictures(model, blobs),
            none.editor,
            box,
            none.literature,
            month=account_spending(),
        )
        say(f"{model.name} makes the slides")
        ports = ports_of_own(paths, blobs, study.idea, edges, "slides", request.max_usd)
        tex, made = make_slides(study, ports)
        return _written(paths, slug(study.idea.name), tex, made, ports)


def _written(paths: IdeaPaths, name: str, tex: str, made: Tree, ports: Ports) -> SlidesOutcome:
    """Write the deck beside its record: source, PDF, pages as pictures."""
    files = made.as_dict()
    pdf = paths.folder / f"{name}_slides.pdf"
    write(paths.folder / "slides.tex", tex)
    write(pdf, ports.blobs.get(files[PAPER_PDF]))
    pages = [path for path in files if path.startswith(f"{LATEX_OUTPUT}/page-")]
    for page in pages:
        write(paths.folder / page.rpartition("/")[2], ports.blobs.get(files[page]))
    usage = ports.journal.ledger.total()
    return SlidesOutcome(pdf=pdf, slides=len(pages), folder=paths.folder, usage=usage)


def _study(spec: RunSpec, run: RunPaths, record: IdeaPaths) -> Study:
    """The idea's study, as its record gives it. Raises :class:`UserError` where it has no paper."""
    with tempfile.TemporaryDirectory(prefix="aisci-slides-") as scratch:
        outcomes = play_again(spec, run, RunPaths(Path(scratch)))
    found = [one.study for one in outcomes if run.idea(one.study.idea).folder == record.folder]
    if not found or found[0].paper is None:
        raise UserError(
            "this idea has no paper yet",
            where=str(record.folder),
            todo="`aisci resume` finishes it; then make the slides",
        )
    return found[0]
