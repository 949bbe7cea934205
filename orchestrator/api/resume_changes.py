"""What a resume changes without another template or policy: more ideas, a price, a budget; or, in a fork, the model.

The first three are recorded as a branch whose calls are all recalled: no request has them, so nothing is asked
again. A request names its model, so another model is asked everything again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from orchestrator.api.allowed_models import server_of_model
from orchestrator.api.prepare import open_author, shows_pictures
from orchestrator.api.raised_budget import with_budget
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.core.errors import UserError
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins
from orchestrator.research.idea_lists import listed_ideas
from orchestrator.research.ideas_file import edited_ideas
from orchestrator.research.run_spec import RunSpec


def changed_setup(setup: RunSpec, pins: Pins, request: ResumeRequest, paths: RunPaths) -> RunSpec:
    """``setup`` with what ``request`` changes; equal to it where that is nothing. Raises :class:`UserError`."""
    if request.model is not None:
        setup = _with_model(setup, request, paths)
    elif request.price is not None:
        setup = replace(setup, prices=_prices(setup.model, request.price))
    if request.ideas is not None:
        setup = _with_ideas(setup, request.ideas, request.ideas_file)
    run = setup.policy.run
    if request.max_usd not in {None, run.usd} or request.max_gpu_time not in {None, run.gpu_time}:
        more = request.max_usd, request.results, request.max_gpu_time
        setup = with_budget(setup, pins, *more)
    return setup


def _prices(name: str, price: str | None) -> tuple[tuple[str, float], ...]:
    return prices_of(open_author(name, environ=os.environ), stated_price(price, name))


def _with_model(setup: RunSpec, request: ResumeRequest, paths: RunPaths) -> RunSpec:
    """Another model, and the ideas that the run has: they are not proposed again."""
    assert request.model is not None
    prices = _prices(request.model, request.price)
    model = open_author(request.model, environ=os.environ)
    known = () if setup.open_ended else edited_ideas(paths.ideas, ()) or ()
    return replace(
        setup,
        model=request.model,
        author=model.name,
        prices=prices,
        sees=shows_pictures(model, asked=None),
        server=server_of_model(model),
        given=known or setup.given,
        ideas=len(known) or setup.ideas,
    )


def _with_ideas(setup: RunSpec, count: int, file: Path | None) -> RunSpec:
    """So many ideas in all: more are proposed, or taken from the list in ``file`` by a run of a list."""
    if count < setup.ideas:
        raise UserError(
            f"this run has {setup.ideas} ideas",
            where=f"--ideas {count}",
            why="a number can only be raised: what is recorded stays",
            todo="take ideas out of its ideas.json, then resume",
        )
    if count == setup.ideas:
        return setup
    if setup.imported:
        raise UserError(
            "an imported study has the one idea that came with it",
            where=f"--ideas {count}; {setup.imported.folder}",
            todo="make its code a template, `aisci template adopt`, and start a run of that",
        )
    if not setup.given:
        if file is not None:
            raise UserError(
                "this run proposes its ideas",
                where=f"--from-ideas {file}",
                todo="leave it out, and more are proposed; or add ideas to its ideas.json, then resume",
            )
        return replace(setup, ideas=count)
    if file is None:
        raise UserError(
            f"this run has the ideas of a list, {len(setup.given)} of them",
            where=f"--ideas {count}",
            why="none is proposed, and the list itself is not in the record",
            todo=f"name the list: --ideas {count} --from-ideas FILE; or add ideas to its ideas.json",
        )
    return _with_listed(setup, count, file)


def _with_listed(setup: RunSpec, count: int, file: Path) -> RunSpec:
    """The ideas of a run of a list, and the next ones of the list in ``file``."""
    known = {idea.id for idea in setup.given}
    more = [idea for idea in listed_ideas(file) if idea.id not in known][: count - len(setup.given)]
    if len(more) < count - len(setup.given):
        raise UserError(
            f"the list has {len(more)} ideas that this run has not",
            where=f"--ideas {count}; {file}",
            todo=f"ask for {len(setup.given) + len(more)}, or name a longer list",
        )
    return replace(setup, given=(*setup.given, *more), ideas=count)
