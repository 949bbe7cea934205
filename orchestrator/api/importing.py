"""Making a run of a results folder of the AI Scientist, so that this program's stages can work on it.

The folder is only read. Nothing of it is run, unpickled or rendered on the host: LaTeX and PDFs go to the LaTeX
container. The results stay what they are, somebody else's: no evidence is made for them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.api.adapters import real_edges
from orchestrator.api.allowed_models import require_may_ask, server_of_model
from orchestrator.api.export import FileExporter
from orchestrator.api.exported import refuse_exported
from orchestrator.api.image_contents import record_contents
from orchestrator.api.images import resolve_images
from orchestrator.api.locking import only_writer, resumable
from orchestrator.api.outcomes import IdeaOutcome, idea_outcome
from orchestrator.api.policies import held_below, named_policy
from orchestrator.api.prepare import RESULTS, open_author, shows_pictures
from orchestrator.api.runs import run_id
from orchestrator.core.errors import BadFile, listed
from orchestrator.core.model import SWEEP
from orchestrator.core.tree import Tree, digest
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.proof.store import ProofStore
from orchestrator.record.blobs import BlobStore
from orchestrator.record.heard import Heard, Notice, RunOpened
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.notes import StagesAsked
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ImportPin
from orchestrator.research.importing.content import read_content
from orchestrator.research.importing.included import with_included
from orchestrator.research.importing.parts import ImportedParts
from orchestrator.research.importing.values import ImportedContent
from orchestrator.research.paper.latex import TEX
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunLocation, RunSpec
from orchestrator.sandbox.engine.client import connect
from orchestrator.template.draft import Seen, draft_manifest
from orchestrator.template.folder import MANIFEST
from orchestrator.template.scientist_folder import ScientistFolder, read_scientist_folder
from orchestrator.template.template import Template, from_files

_TIMED = re.compile(r"\d{8}_\d{6}_.+")
_OF_TEMPLATE = (".py", ".txt", ".json", ".tex", ".sty", ".cls", ".bst", ".bib")
_RESULTS = re.compile(r"run_\d+(?:\.py|/.*)|review.*|ideas\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A results folder, and what the run of it is pinned to; ``model`` works on it afterwards."""

    folder: Path
    model: str = SWEEP
    policy: str | None = None
    price: str | None = None
    vision: bool | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """The run that was made, its idea, what the folder says, and which of its files were left out."""

    folder: Path
    idea: IdeaOutcome
    content: ImportedContent
    left_out: tuple[tuple[str, str], ...]
    more: int
    compiled: bool
    warnings: tuple[str, ...]
    unresolved: int


@dataclass(frozen=True, slots=True)
class PreparedImport:
    """A folder that was read, what it says, and the specification of its run, without images."""

    read: ScientistFolder
    content: ImportedContent
    setup: RunSpec

    def stored(self, paths: RunPaths) -> RunLocation:
        """The place of a new run, in whose store the files are; and the stages that the import makes: the
        others are left for the commands of single stages.
        """
        store = BlobStore(paths.blobs)
        for data in self.read.files.values():
            store.put(data)
        asked = None if self.content.reviews else StagesAsked(until="verify")
        if not (self.content.paper or self.content.pdf):
            asked = StagesAsked(until="notes")
        return RunLocation(record=paths, output=paths, mode=Mode.RECORD, asked=asked)


def _silent(_event: Heard) -> None:
    pass


def import_results(request: ImportRequest, listener: Listener = _silent) -> ImportOutcome:
    """Make a run of a results folder of the AI Scientist.

    Raises:
        UserError: there is no such folder, or it has no results of a baseline.
        AisciError: the run stopped; its ``todo`` says how to continue.
    """
    prepared = prepare_import(request)
    read, content, engine = prepared.read, prepared.content, connect()
    setup = replace(prepared.setup, images=resolve_images(prepared.setup.policy, engine))
    paths = RunPaths.fresh(request.results, setup.template.name, datetime.now(UTC))
    listener(RunOpened(str(paths.folder)))
    listener(Notice(f"{len(read.files)} files of {read.name} are read"))
    with (
        only_writer(paths.folder),
        resumable(paths.folder),
        real_edges(setup, engine, run_id(paths)) as edges,
    ):
        contents = record_contents(setup.images, engine, BlobStore(paths.blobs), listener)
        place = replace(prepared.stored(paths), contents=contents)
        tools = RunDeps(edges=edges, exporter=FileExporter(), listener=listener)
        (outcome,) = research(setup, place, tools)
    paper = outcome.study.paper
    return ImportOutcome(
        folder=paths.folder,
        idea=idea_outcome(paths, outcome),
        content=content,
        left_out=read.left_out,
        more=read.more,
        compiled=paper is not None and bool(outcome.study.sections),
        warnings=paper.warnings if paper else (),
        unresolved=len(outcome.study.unresolved),
    )


def prepare_import(request: ImportRequest) -> PreparedImport:
    """What a folder says, and the run that is made of it. Raises :class:`UserError` and its children."""
    refuse_exported(request.folder)
    read = _with_parts_named(read_scientist_folder(request.folder))
    content = read_content(read.files, read.name)
    _require_baseline(content, request.folder, read.left_out)
    return PreparedImport(read, content, _setup(request, read, content))


def _with_parts_named(read: ScientistFolder) -> ScientistFolder:
    """The folder that was read; what the paper's source reads in and is not among its files is named."""
    tex = read.files.get(TEX, b"").decode("utf-8", errors="replace")
    _, unread = with_included(tex, ImportedParts(read.files))
    parts = [(name, f"{why}: its sentences are not held to the results") for name, why in unread]
    return replace(read, left_out=(*parts, *read.left_out))


def _require_baseline(
    content: ImportedContent, folder: Path, left: tuple[tuple[str, str], ...]
) -> None:
    """Raise :class:`BadFile` where the folder has no results that others can be compared with."""
    if not content.runs or content.runs[0].number:
        runs = [row for row in left if row[0].startswith("run_0")]
        raise BadFile(
            "the folder has no results of a baseline",
            where=str(folder / "run_0" / "final_info.json"),
            why=listed([f"{what}: {why}" for what, why in (*runs, *content.missing)]),
            todo="name the folder of one idea, ./results/TEMPLATE/DATE_TIME_IDEA; "
            "for its paper alone, `aisci review PAPER.pdf --model NAME`",
        )


def _setup(request: ImportRequest, read: ScientistFolder, content: ImportedContent) -> RunSpec:
    """The specification of the run, without its images."""
    prices = stated_price(request.price, request.model)
    model = open_author(request.model, environ=os.environ, prices=prices)
    policy = named_policy(request.policy, request.results).policy
    require_may_ask(policy, request.model, server_of_model(model))
    files = Tree.of({path: digest(data) for path, data in read.files.items()})
    return RunSpec(
        template=drafted_template(request.folder, read.files, content),
        policy=policy,
        model=request.model,
        author=model.name,
        scale="full",
        ideas=1,
        images=(),
        prices=prices_of(model, prices),
        sees=shows_pictures(model, asked=request.vision),
        proof=ProofStore(request.results, policy.name, policy.hash).pin(),
        given=(content.idea,),
        novelty=False,
        ceilings=held_below(policy),
        imported=ImportPin(folder=read.name, files=files, left_out=read.left_out, more=read.more),
    )


def drafted_template(
    folder: Path, files: Mapping[str, bytes], content: ImportedContent
) -> Template:
    """A template with a drafted manifest, from the code and texts of the folder; named after the folder
    above it, where that is the AI Scientist's of a template.
    """
    kept = {
        path: data
        for path, data in files.items()
        if path.endswith(_OF_TEMPLATE) and not _RESULTS.fullmatch(path) and path != MANIFEST
    }
    place = folder.resolve()
    own = place.parent.name if _TIMED.fullmatch(place.name) else place.name
    name = re.sub("[^A-Za-z0-9_-]", "_", own).strip("_-")[:80] or "imported"
    origin = f"imported from {place.name}"  # no path: the record alone has these files
    seen = Seen(from_files(kept, name, origin), content.results[0][1])
    return from_files({**kept, MANIFEST: draft_manifest(seen, name).encode()}, name, origin)
