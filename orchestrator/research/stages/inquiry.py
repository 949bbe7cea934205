"""Questions about files that runs left, answered before a model's reply counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.looking.contents import LOOKED_BYTES, look_into
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study

_MOST = 8  # places of one question
_LOOKS = 2


class PlaceForm(ReplyForm):
    """A place in a file that a run left."""

    run: Annotated[str, Field(max_length=60)]
    file: Annotated[str, Field(max_length=200)]
    at: Annotated[str, Field(max_length=200)] = ""


class AskingForm(ReplyForm):
    """A form that may ask for places in files first."""

    look: Annotated[tuple[PlaceForm, ...], Field(max_length=_MOST)] = ()


_F = TypeVar("_F", bound=AskingForm)


def ask_with_files(study: Study, ports: Ports, ask: Ask, form: type[_F]) -> _F:
    """A valid reply. If it asks for places in files, they are shown, and it is asked again; twice."""
    for _ in range(_LOOKS):
        reply = ask_for(ports, ask, form)
        if not reply.look:
            return reply
        rows = [_row(study, place, ports) for place in reply.look]
        said = Message("assistant", as_said(reply))
        again = Message("user", render("looked", looked=block("looked", rows)))
        ask = replace(ask, messages=(*ask.messages, said, again))
    return ask_for(ports, ask, form)


def _row(study: Study, place: PlaceForm, ports: Ports) -> dict[str, Any]:
    asked = place.model_dump()
    run = next((one for one in study.runs if place.run in {one.name, str(one.number)}), None)
    if run is None:
        return asked | {"trouble": f"no run has that name: {[one.name for one in study.runs]}"}
    files = run.files.as_dict()
    name = place.file.removeprefix(f"run_{run.number}/")
    sha256 = files.get(f"run_{run.number}/{name}")
    if sha256 is None:
        left = [path.partition("/")[2] for path in files][:20]
        return asked | {"trouble": f"the run left no file of that name: {left}"}
    data = ports.blobs.get(sha256)
    if len(data) > LOOKED_BYTES:
        return asked | {"trouble": f"it has {len(data)} bytes, over {LOOKED_BYTES}"}
    return asked | look_into(name, data, place.at)
