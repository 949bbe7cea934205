"""``aisci stamp``: a time stamp of somebody else on a run's signature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.stamping import (
    ask_for_stamp,
    shown_address,
    take_stamp,
    write_stamp_request,
)
from orchestrator.console import output as out
from orchestrator.core.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class StampWay:
    """Where the request goes, where the answer is, or which authority is asked."""

    request: Path | None = None
    answer: Path | None = None
    authority: str | None = None


def stamp_run(name: str, results: Path, way: StampWay, *, as_json: bool) -> None:
    """Write the request, take the answer, or ask the authority, which is named before it is asked."""
    if way.request is not None and way.answer is not None:
        todo = "write the request, have it answered, then take the answer"
        raise UserError("one after the other", where="--request --answer", todo=todo)
    if way.request is not None:
        file = write_stamp_request(name, results, way.request)
        if as_json:
            out.as_json({"request": str(file)})
            return
        out.say(f"request:  {file} (it holds the signature's hash alone)")
        out.say("next:     have an authority answer it, then: aisci stamp RUN --answer FILE")
        return
    if way.answer is not None:
        at, by = take_stamp(name, results, way.answer), str(way.answer)
    elif way.authority:
        by = shown_address(way.authority)
        if not as_json:
            out.say(f"asking:   {by}, which is sent the signature's hash")
        at = ask_for_stamp(name, results, way.authority)
    else:
        raise UserError(
            "nothing says who stamps",
            where="aisci stamp",
            why="no authority is asked unless you name one",
            todo="give --authority URL, or set `authority` in your config.toml; or carry the "
            "request by hand: --request FILE, then --answer FILE",
        )
    if as_json:
        out.as_json({"stamped": at.isoformat(), "by": by})
        return
    out.say(f"stamped:  {at:%Y-%m-%d %H:%M:%S} UTC, as {by} says")
    out.say("check:    aisci audit RUN --key PUBKEY --stamped-by CERT")
