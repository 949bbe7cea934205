"""Ideas for a template, and nothing else: proposed as in a run, written to a list that runs take.

A proposal rests on the template's baseline, as in a run: what it measured is part of the prompt. A kept one
serves, without a container; else it is measured once, and kept for the runs that follow. The answers have a
record below ``results/ideas``, so that the same command asks nothing again, and one for more ideas asks for
the others alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.baselines import baseline
from orchestrator.api.locking import only_writer, stoppable
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.prepare import RESULTS, RunRequest, open_author, prepare
from orchestrator.api.servers import require_servers
from orchestrator.api.template_run import TrialListener
from orchestrator.core.errors import ResultsExist
from orchestrator.core.model import SWEEP, Usage
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree, digest
from orchestrator.machine.baseline_cache import baselines_of, restore_files
from orchestrator.models.failures import RetryTiming
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.ports import Edges, Ports
from orchestrator.record.spending import account_spending
from orchestrator.research.ideas_file import write_ideas
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.run import baseline_study
from orchestrator.research.run_spec import RunSpec, Study
from orchestrator.research.stages.experiments import baseline_job
from orchestrator.research.stages.ideas import propose_ideas
from orchestrator.template.baseline import KeptBaseline, baseline_run
from orchestrator.template.contract.measured import FINAL, MeasuredRun

LIST = "ideas.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeasRequest:
    """So many ideas for a template, from a model. ``policy`` and ``scale`` say what a run may use, which the
    model is told. ``into`` is a file that does not exist yet; None: beside the record.
    """

    template: str
    model: str = SWEEP
    count: int = 20
    scale: str = "full"
    policy: str | None = None
    data: Path | None = None
    max_usd: float | None = None
    price: str | None = None
    into: Path | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedIdeas:
    """The ideas, in the order of the list ``file``; fewer than were asked for where some repeat others, or,
    if they are not ``whole``, where the model failed. ``measured``: a container measured the baseline.
    """

    ideas: tuple[Idea, ...]
    whole: bool
    measured: bool
    template: str
    file: Path
    folder: Path
    usage: Usage


def propose_list(
    request: IdeasRequest, listener: TrialListener, say: Callable[[str], None] = lambda _: None
) -> ProposedIdeas:
    """Propose ideas, and write their list; ``say`` receives what is under way, each wait for a model too.

    Raises:
        UserError: the request is wrong, or the list exists; nothing was started.
        BadTemplate, BadResults: the template's baseline does not hold.
        ModelFailed: the model gave no idea.
    """
    _require_new(request.into)
    setup = prepare(
        RunRequest(
            template=request.template, model=request.model, ideas=request.count, scale=request.scale,
            policy=request.policy, data=request.data, price=request.price, results=request.results,
        )
    ).setup  # fmt: skip
    require_servers(setup)
    kept, measured = _baseline_of(setup, request, listener)
    key = digest([
        __version__, prompts_hash(), setup.author, setup.template.hash, setup.policy.hash, setup.scale, kept.key
    ])  # fmt: skip
    name = setup.template.name
    paths = IdeaPaths(request.results / "ideas" / f"{name[:40]}-{key[:12]}")
    paths.folder.mkdir(parents=True, exist_ok=True)
    again = stoppable(
        "the proposals were stopped", where=str(paths.folder), todo="the same command goes on"
    )
    with again, only_writer(paths.folder):
        ports = _ports(setup, paths, request, say)
        say(f"{ports.edges.model.name} proposes {request.count} ideas for {name}")
        found, whole = propose_ideas(
            _study_on(setup, kept, BlobStore(paths.blobs)), request.count, ports
        )
        if whole:
            ports.journal.seal()
        file = request.into or paths.folder / LIST
        write_ideas(file, found)
    return ProposedIdeas(
        ideas=found,
        whole=whole,
        measured=measured,
        template=setup.template.argument,
        file=file,
        folder=paths.folder,
        usage=ports.journal.ledger.total(),
    )


def _ports(
    setup: RunSpec, paths: IdeaPaths, request: IdeasRequest, say: Callable[[str], None]
) -> Ports:
    """The model alone, over the list's own record."""
    timing = RetryTiming(tell=say)
    model = open_author(request.model, environ=os.environ, prices=dict(setup.prices), timing=timing)
    none, name = absent(model.name), setup.template.name
    edges = Edges(model, none.editor, none.sandbox, none.literature, month=account_spending())
    what = Idea(name=name[:80], title=f"ideas for {name}"[:200], experiment="a list of ideas")
    return ports_of_own(paths, BlobStore(paths.blobs), what, edges, "ideas", request.max_usd)


def _require_new(file: Path | None) -> None:
    if file is not None and file.exists():
        raise ResultsExist(
            "there is a file already",
            where=f"--into {file}",
            why="it may hold ideas that you chose or changed",
            todo="name another file, or move this one",
        )


def _baseline_of(
    setup: RunSpec, request: IdeasRequest, listener: TrialListener
) -> tuple[KeptBaseline, bool]:
    """The newest kept baseline of this template, scale and policy, in whichever image; else one that is
    measured now. Whether it was.
    """
    known = [
        one
        for one in baselines_of(setup.template.name)
        if (one.template_hash, one.scale) == (setup.template.hash, setup.scale)
        if one.result.attestation.policy == setup.policy.hash
    ]
    if known:
        return known[-1], False
    policy = request.policy or setup.policy.name
    found = baseline(
        request.template, scale=setup.scale, policy=policy, listener=listener, data=request.data
    )
    return found.kept, found.new


def _study_on(setup: RunSpec, kept: KeptBaseline, blobs: BlobStore) -> Study:
    """The study that a run would begin its ideas with, on this baseline."""
    restore_files(kept, blobs)
    files = Tree.of({name: blobs.put(data) for name, data in setup.template.files.items()})
    job = baseline_job(
        setup.template, setup.policy, setup.scale, files, scope="", data=setup.mounts
    )
    results = MeasuredRun.of(blobs.get(kept.result.files.as_dict()[FINAL])).results
    return baseline_study(setup, files, (baseline_run(job, kept.result), results))
