"""Start, resume and replay a run. Nothing is printed: a listener receives what happens."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.api import find_run
from orchestrator.api.adapters import kept_for, real_edges, require_month_left
from orchestrator.api.allowed_models import require_allowed_models
from orchestrator.api.batch_reviews import require_batches
from orchestrator.api.denied import require_not_withdrawn
from orchestrator.api.effort_use import EffortUse
from orchestrator.api.export import FileExporter
from orchestrator.api.holding import require_no_hold
from orchestrator.api.image_contents import record_contents
from orchestrator.api.images import resolve_images, same_images
from orchestrator.api.job_reports import reported_jobs
from orchestrator.api.live_board import LiveBoard
from orchestrator.api.locking import only_writer, resumable
from orchestrator.api.origin import origin_here
from orchestrator.api.outcomes import RunOutcome, idea_outcome
from orchestrator.api.parallel import flight_notice, ideas_in_flight, one_teller, require_gpus
from orchestrator.api.policies import fits, held_below, usable_policy
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.api.reproduce import present_or_pinned
from orchestrator.api.resume_changes import changed_setup
from orchestrator.api.resume_notice import resume_notice
from orchestrator.api.resume_request import (
    ResumeRequest,
    require_difference,
    require_makeable,
    require_sound,
)
from orchestrator.api.servers import (
    pinned_models,
    require_pinned_servers,
    require_servers,
    server_notices,
)
from orchestrator.api.signatures import with_signatures
from orchestrator.api.signed_record import sign_or_tell, sign_record
from orchestrator.api.sweepable import require_sweepable
from orchestrator.core.model import SWEEP
from orchestrator.core.untrusted import require_plain
from orchestrator.proof.store import ProofStore
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import head_of, set_torn_tail_aside
from orchestrator.record.heard import Heard, Notice, RunOpened
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import BaselinePin, Pins
from orchestrator.record.signing import Signer
from orchestrator.research.pins import read_pins, same_program, spec_of, template_of
from orchestrator.research.preflight import rehearse
from orchestrator.research.run import ENDS_OF_RUN, research
from orchestrator.research.run_spec import RunDeps, RunLocation, RunSpec
from orchestrator.sandbox.engine.client import Engine, connect

_LOWER = "or continue with --fork and a --policy below it"
_ELSEWHERE = "resume it on a machine like the first, or with --fork and a smaller --policy"


def _silent(_event: Heard) -> None:
    pass


def run(request: RunRequest, listener: Listener = _silent) -> RunOutcome:
    """Take a template from ideas to reviewed papers.

    Raises:
        UserError: the request is wrong; nothing was started.
        AisciError: the run stopped; its ``todo`` says how to continue.
    """
    require_no_hold()
    prepared = prepare(request)
    setup = prepared.setup
    require_sweepable(setup)
    require_batches(setup)
    require_servers(setup)
    require_gpus(request.gpus, setup.policy)
    require_month_left(setup)
    engine = connect()
    if prepared.why_policy:
        listener(Notice(f"policy: {setup.policy.name}, {prepared.why_policy}"))
    for ceiling in setup.ceilings:
        listener(Notice(f"ceiling: {ceiling.name}, {ceiling.file}; the policy is below it"))
    for line in (*prepared.model_ends, *EffortUse(setup).notices()):
        listener(Notice(line))
    if not setup.engines and setup.model != SWEEP:
        listener(Notice("papers: from lists on this machine alone; --engine all searches online"))
    images = resolve_images(setup.policy, engine, setup.template)
    setup = with_signatures(replace(setup, images=images))
    kept = None if request.fresh else kept_for(setup)
    if kept is not None:
        since = f"baseline: as kept since {kept.at[:16].replace('T', ' ')} UTC, {kept.seconds:.0f} s saved"
        listener(Notice(f"{since}; --fresh measures it again"))
        container = kept.result.attestation.container
        pin = BaselinePin(key=kept.key, at=kept.at, machine=kept.machine, container=container)
        setup = replace(setup, baseline=pin)
    paths = RunPaths.fresh(request.results, setup.template.name, datetime.now(UTC))
    flying = ideas_in_flight(setup, request.parallel)
    if flying > 1:
        listener(Notice(flight_notice(setup, flying)))
    place = RunLocation(
        record=paths,
        output=paths,
        mode=Mode.RECORD,
        parallel=flying,
        gpus=request.gpus,
        by=origin_here(),
    )
    with only_writer(paths.folder):
        try:
            return _carried_out(setup, place, engine, listener, request.sign)
        finally:
            if not (paths.journal.is_file() and paths.journal.stat().st_size):
                shutil.rmtree(paths.folder)  # not even its first line: there is nothing to resume


def resume(request: ResumeRequest, listener: Listener = _silent) -> RunOutcome:
    """Continue a run that stopped. No recorded call is made or paid again.

    Raises:
        UserError: the request is wrong, or another process works on the run.
        AisciError: the run stopped again; its ``todo`` says how to continue.
    """
    require_sound(request)
    paths = find_run.find_run(request.run, request.results)
    require_plain(paths.folder)
    with only_writer(paths.folder):
        for journal in (paths.journal, *sorted(paths.folder.glob(f"*/{find_run.JOURNAL}"))):
            torn = set_torn_tail_aside(journal)
            if torn:
                listener(Notice(f"{journal}: a torn last line ({torn} bytes) was set aside"))
        pins = read_pins(paths)
        require_makeable(request, pins)
        work = request.asked is not None or request.changes or not find_run.ended(paths)
        if work:
            models = pinned_models(pins, request.model)
            require_pinned_servers(models)
            for line in (resume_notice(paths, pins), *server_notices(models)):
                listener(Notice(line))
        engine = connect()
        setup, mode = _resumed(pins, paths, engine, request, work=work)
        if mode is Mode.FORK and request.asked is None and find_run.ended(paths):
            require_difference(paths, pins, setup)
        if work:
            require_servers(setup)
            require_month_left(setup)
        place = RunLocation(
            record=paths,
            output=paths,
            mode=mode,
            asked=request.asked,
            idea=request.idea,
            parallel=ideas_in_flight(setup, request.parallel),
            gpus=request.gpus,
            by=origin_here(),
        )
        return _carried_out(setup, place, engine, listener, request.sign)


def _resumed(
    pins: Pins, paths: RunPaths, engine: Engine, request: ResumeRequest, *, work: bool
) -> tuple[RunSpec, Mode]:
    """The set-up to continue with, and whether it continues the record's branch or begins another."""
    if request.fork:
        setup = _forked(pins, paths, engine, request)
    else:
        same_program(pins)
        setup = spec_of(pins, template_of(pins, paths))
        if work:
            fits(setup.policy, request.results, _ELSEWHERE)
        same_images(setup, engine)
    changed = changed_setup(setup, pins, request, paths)
    if work or request.fork:
        changed = replace(changed, ceilings=held_below(changed.policy, _LOWER))
        require_allowed_models(changed)
    # A change is recorded as a branch whose calls are all recalled: an audit holds the use to its budget.
    forks = request.fork or changed != setup
    if work or forks:
        signed = with_signatures(changed, pinned=not request.policy)
        changed = signed if forks else changed
    return changed, Mode.FORK if forks else Mode.RESUME


def _forked(pins: Pins, paths: RunPaths, engine: Engine, request: ResumeRequest) -> RunSpec:
    """The set-up of a new branch: the present template, and another policy if one is named."""
    template = present_or_pinned(pins, paths)
    setup = spec_of(pins, template)
    policy, proof = setup.policy, setup.proof
    if request.policy:
        policy = usable_policy(request.policy, request.results)
        proof = ProofStore(paths.folder.parent.parent, policy.name, policy.hash).pin()
    else:
        fits(policy, request.results, _ELSEWHERE)
    images = resolve_images(policy, engine, template)
    return replace(setup, policy=policy, images=images, proof=proof)


def run_id(paths: RunPaths) -> str:
    """The run's name on the engine's labels: its template and time."""
    folder = paths.folder.resolve()
    return f"{folder.parent.name}-{folder.name}"


def _carried_out(
    setup: RunSpec, place: RunLocation, engine: Engine, listener: Listener, signer: Signer | None
) -> RunOutcome:
    """The run itself, on this machine's adapters."""
    paths = place.record
    require_not_withdrawn(setup)
    listener = one_teller(listener)  # ideas in flight are told of from threads of their own
    listener(RunOpened(str(paths.folder)))
    engine_run = run_id(paths), reported_jobs(listener, LiveBoard(paths.folder))
    with resumable(paths.folder), real_edges(setup, engine, *engine_run, gpus=place.gpus) as edges:
        if place.mode is not Mode.RESUME or place.asked or not find_run.ended(paths):
            rehearse(setup, edges(BlobStore(paths.blobs)).sandbox)
        if place.mode is not Mode.RESUME:  # a line that pins images says what they hold
            blobs = BlobStore(paths.blobs)
            place = replace(place, contents=record_contents(setup.images, engine, blobs, listener))
        tools = RunDeps(edges=edges, exporter=FileExporter(), listener=listener)
        try:
            outcomes = research(setup, place, tools)
        except ENDS_OF_RUN:
            sign_or_tell(paths, signer, listener)
            raise
    ended = sign_record(paths, signer)
    return RunOutcome(
        folder=paths.folder,
        report=paths.report,
        ideas=tuple(idea_outcome(paths, outcome) for outcome in outcomes),
        head=head_of(paths.journal) if ended else "",
        signer=signer.public.fingerprint if signer else "",
    )
