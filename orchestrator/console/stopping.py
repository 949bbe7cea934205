"""``aisci stop``: end every run, keep what its containers have, and hold what comes after."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.api.holding import release_hold, set_hold
from orchestrator.api.stopping import stop_runs
from orchestrator.console import output as out
from orchestrator.core.errors import UserError
from orchestrator.sandbox.storage.keeping import KeptContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWay:
    """Whether to hold, for which reason, for all accounts of the machine or one's own, and how to speak."""

    hold: bool
    everybody: bool
    why: str
    as_json: bool


def stop_all(way: StopWay, *, asked: bool) -> int:
    """Hold first, so that nothing begins meanwhile; then stop. The exit code: 1 if anything could not be done."""
    if not asked:
        raise UserError(
            "what is to be stopped is not named",
            where="aisci stop",
            todo="`aisci stop --all` stops every run of yours, `aisci cancel RUN` one",
        )
    held = set_hold(way.why, everybody=way.everybody) if way.hold else None
    done = stop_runs(everybody=way.everybody, keep=way.hold)
    for one in done.kept:
        say_kept(one, as_json=way.as_json)
    for run in done.runs:
        if way.as_json:
            out.as_json({"stopped": str(run.folder), "pid": run.pid, "killed": run.killed})
        else:
            how = "killed: it did not end in time" if run.killed else "in order"
            out.say(f"stopped:  {run.id}, process {run.pid}, {how}")
    for fault in done.faults:
        out.as_json({"fault": fault}) if way.as_json else out.say(f"not done: {fault}")
    if way.as_json:
        out.as_json({"runs": len(done.runs), "hold": str(held) if held else None})
    else:
        if not done.runs:
            out.say("no run is at work")
        if held:
            option = " --everybody" if way.everybody else ""
            out.say(f"held:     {held}; `aisci stop --release{option}` releases it")
    return 1 if done.faults else 0


def release(way: StopWay, *, also_stop: bool) -> int:
    """Release a hold; exit code 1 if there was none."""
    if way.hold or also_stop:
        raise UserError(
            "a hold is either set or released",
            where="--release",
            todo="leave --all and --hold out",
        )
    path = release_hold(everybody=way.everybody)
    if way.as_json:
        out.as_json({"released": str(path) if path else None})
    else:
        out.say(f"released: {path}" if path else "there is no hold")
    return 0 if path else 1


def say_kept(one: KeptContainer, *, as_json: bool) -> None:
    """Where a container's evidence lies now."""
    if as_json:
        out.as_json({"kept": str(one.folder), "container": one.name, "run": one.run})
    else:
        size = sum(bytes_ for _, _, bytes_ in one.files)
        out.say(f"kept:     {one.name}, run {one.run}: {one.folder} ({size >> 10} KiB)")
