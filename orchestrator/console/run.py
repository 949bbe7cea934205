"""``aisci run``, ``resume`` and ``replay``: one run under a listener, and how it ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api import find_run as runs
from orchestrator.api.adapters import real_edges
from orchestrator.api.cached_baseline import kept_for, pin_of
from orchestrator.api.export import Saver, differences
from orchestrator.api.images import resolve_images, same_images
from orchestrator.api.prepare import Wanted, fits, prepare, present_template, usable_policy
from orchestrator.api.signals import obeyed
from orchestrator.console import output as out
from orchestrator.console.live_table import Progress
from orchestrator.console.log_lines import Lines
from orchestrator.console.run_state import Load, Track
from orchestrator.console.view import View
from orchestrator.core.errors import AisciError, BudgetSpent, Interrupted, UserError
from orchestrator.core.files import write
from orchestrator.core.sanitize import plain_line
from orchestrator.proof.store import Shelf
from orchestrator.record import bodies
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import head_of, set_torn_tail_aside
from orchestrator.record.envelope import about, sealed_in
from orchestrator.record.events import Body
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.replay import absent
from orchestrator.record.signing import Signer, read_signer
from orchestrator.research.pins import read_pins, same_program, setup_of, template_of
from orchestrator.research.pipeline import Outcome
from orchestrator.research.preflight import rehearse
from orchestrator.research.run import research
from orchestrator.research.setup import Place, Setup, Tools
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.pool import OnEvent


def start(wanted: Wanted, view: View, sign: Path | None = None) -> int:
    """Begin a run; returns the exit code."""
    signer = read_signer(sign) if sign is not None else None
    setup = prepare(wanted)
    engine = connect()
    setup = replace(setup, images=resolve_images(setup.policy, engine, setup.template))
    if not wanted.fresh:
        setup = _starting(setup, view)
    paths = RunPaths.fresh(wanted.results, setup.template.name, datetime.now(UTC))
    place = Place(record=paths, output=paths, mode=Mode.RECORD)
    with _only_writer(paths.folder):
        try:
            return _research(setup, place, engine, view, signer)
        finally:
            if not (paths.journal.is_file() and paths.journal.stat().st_size):
                shutil.rmtree(paths.folder)  # not even its first line: there is nothing to resume
            elif setup.proof is not None:  # the page of proofs that the run's own pages lead to
                Shelf(wanted.results, setup.policy.name, setup.proof.of).lay_out()


def _starting(setup: Setup, view: View) -> Setup:
    """With the baseline that this machine keeps for such a run, which is said."""
    kept = kept_for(setup)
    if kept is None:
        return setup
    if not (view.quiet or view.as_json):
        out.say(
            f"baseline: as kept since {kept.at}, {kept.seconds:.0f} s saved; --fresh measures anew"
        )
    return replace(setup, baseline=pin_of(kept))


def resume(
    name: str,
    results: Path,
    view: View,
    *,
    fork: bool,
    policy: str | None,
    sign: Path | None = None,
) -> int:
    """Go on with a run; returns the exit code."""
    signer = read_signer(sign) if sign is not None else None
    paths = runs.find(name, results)
    with _only_writer(paths.folder):
        for journal in (paths.journal, *sorted(paths.folder.glob(f"*/{runs.JOURNAL}"))):
            torn = set_torn_tail_aside(journal)
            if torn and not view.as_json:
                out.say(f"{journal}: a torn last line ({torn} bytes) was set aside")
        pins = read_pins(paths)
        engine = connect()
        if fork:
            known = pins.template
            now = present_template(known.name, known.origin) or template_of(pins, paths)
            setup = setup_of(pins, now)
            chosen = usable_policy(policy, results) if policy else setup.policy
            fits(chosen, results)
            images, proof = resolve_images(chosen, engine, now), setup.proof
            if policy:
                proof = Shelf(paths.folder.parent.parent, chosen.name, chosen.hash).pin()
            setup = replace(setup, policy=chosen, images=images, proof=proof)
        else:
            same_program(pins)
            setup = setup_of(pins, template_of(pins, paths))
            if not runs.ended(paths):
                fits(setup.policy, results)
            same_images(setup, engine)
        place = Place(record=paths, output=paths, mode=Mode.FORK if fork else Mode.RESUME)
        return _research(setup, place, engine, view, signer)


def _research(setup: Setup, place: Place, engine: Engine, view: View, signer: Signer | None) -> int:
    """The run itself, on real edges; stopped or failed, it says how to go on."""
    paths = place.record
    with (
        _resumable(paths.folder),
        _listening(paths, view) as (listener, on_event),
        real_edges(setup, engine, run_id(paths), on_event) as edges,
    ):
        if place.mode is not Mode.RESUME or not runs.ended(paths):  # else nothing is asked
            rehearse(setup, edges(BlobStore(paths.blobs)).sandbox)
        outcomes = research(setup, place, Tools(edges=edges, saving=Saver(), listener=listener))
    ended = runs.ended(paths)
    if signer is not None and ended:
        made = sealed_in(about(paths), signer.public.fingerprint, signer.sign)
        write(paths.signature, made)
    head = head_of(paths.journal) if ended else ""
    return _ended(paths, outcomes, view, head, signer.public.fingerprint if signer else "")


def replay(name: str, results: Path, view: View, *, into: Path | None) -> int:
    """Make a run again without the world, and compare; exit code 1 where files differ."""
    paths = runs.find(name, results)
    if into is not None and into.exists() and any(into.iterdir()):
        raise UserError("the folder to replay into is not empty", where=f"--into {into}")
    pins = read_pins(paths)
    known = pins.template
    template = present_template(known.name, known.origin) or template_of(pins, paths)
    setup = setup_of(pins, template)
    with tempfile.TemporaryDirectory(prefix="aisci-replay-") as scratch:
        output = RunPaths(into or Path(scratch))
        place = Place(record=paths, output=output, mode=Mode.REPLAY)
        tools = Tools(edges=lambda _: absent(setup.author), saving=Saver(), listener=lambda _: None)
        outcomes = research(setup, place, tools)
        same, different = differences(output.folder, paths.folder)
    _say_replayed(len(outcomes), same, different, view)
    return 1 if different else 0


def run_id(paths: RunPaths) -> str:
    """The run's name on the engine's labels: its template and time."""
    folder = paths.folder.resolve()
    return f"{folder.parent.name}-{folder.name}"


@contextmanager
def _listening(paths: RunPaths, view: View) -> Iterator[tuple[Listener, OnEvent]]:
    """The listener that ``view`` asks for, drawing while the run goes on; and a sandbox's."""
    body = _bodies(paths.folder)
    track = Track(body, time.monotonic)
    if view.as_json:
        yield lambda line: out.as_json({"event": asdict(line)}), track.sampled
    elif view.quiet:
        yield lambda _: None, track.sampled
    elif sys.stderr.isatty():
        with Progress(track) as progress:
            yield progress, track.sampled
    else:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        yield Lines(track, body, now), track.sampled


def _bodies(folder: Path) -> Load:
    """Reads a line's body, from the blobs of the run or of any of its ideas."""

    def load(body: Body) -> Any:
        ideas = (BlobStore(path) for path in sorted(folder.glob("*/blobs")))
        return bodies.load(body, BlobStore(folder / "blobs", *ideas))

    return load


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C and the like stop the run in order; every error that passes says how to go on."""
    try:
        with obeyed():
            yield
    except KeyboardInterrupt as error:
        raise Interrupted("the run was stopped", where=str(folder), todo=_onward(folder)) from error
    except AisciError as error:
        if error.transient:
            todo = _onward(folder)
            error.where = error.where or str(folder)
            if isinstance(error, BudgetSpent):  # as it is, the run would only find it spent again
                error.todo = error.todo.replace(" RUN ", f" {folder} ")
            elif isinstance(error, Interrupted):
                error.todo = todo
            else:
                error.todo = f"{error.todo}\n{todo}".strip()
        raise


def _onward(folder: Path) -> str:
    """What to do after a stop; before its first line a run has asked nothing, and is not kept."""
    if (folder / runs.JOURNAL).is_file():
        return f"go on with: aisci resume {folder}"
    return "start it again: nothing was asked or spent"


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Two processes never write one run's journals: the second is refused."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                "another process is at work on this run",
                where=str(folder),
                todo="wait for it, or stop it; then ask again",
            ) from error
        yield
    finally:
        os.close(handle)


def _ended(
    paths: RunPaths, outcomes: tuple[Outcome, ...], view: View, head: str, signer: str
) -> int:
    """Say how each idea ended; exit code 1 where none was finished and one failed.

    ``head`` is empty for a run that may go on, ``signer`` where nobody is to sign.
    """
    rows = [_row(paths, outcome) for outcome in outcomes]
    if view.as_json:
        signed = {"signed_by": signer if head else ""} if signer else {}
        out.as_json(
            {"outcome": {"folder": str(paths.folder), "ideas": rows, "head": head, **signed}}
        )
    else:
        out.table(
            ("idea", "ended", "where and why"), [(r["name"], r["status"], r["why"]) for r in rows]
        )
        out.say(f"\nresults:  {paths.folder}\nreport:   {paths.report}")
        for row in rows:
            out.say(f"paper:    {row['paper']}") if row["paper"] else None
        out.say(
            f"head:     {head} (keep it elsewhere)"
            if head
            else "head:     none yet, not at its end"
        )
        if signer:
            out.say(f"signed:   by {signer}" if head else "signed:   no: the run is not at its end")
    states = {outcome.status for outcome in outcomes}
    return 1 if "failed" in states and "finished" not in states else 0


def _row(paths: RunPaths, outcome: Outcome) -> dict[str, Any]:
    folder = paths.idea(outcome.study.idea).folder
    failure = outcome.failure
    pdfs = sorted(folder.glob("*.pdf"))
    return {
        "name": outcome.study.idea.name,
        "id": outcome.study.idea.id,
        "status": outcome.status,
        "why": plain_line(f"{failure.stage}: {first_line(failure.what)}") if failure else "",
        "failure": asdict(failure) if failure else None,
        "folder": str(folder),
        "paper": str(pdfs[0]) if pdfs else "",
    }


def first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _say_replayed(ideas: int, same: list[str], different: list[str], view: View) -> None:
    if view.as_json:
        out.as_json({"replayed": {"ideas": ideas, "same": len(same), "different": different}})
        return
    if not view.quiet:
        out.say(
            f"replayed {ideas} ideas from the record: {len(same)} files are the same byte for byte"
        )
    for name in different:
        out.say(f"differs: {name}")
