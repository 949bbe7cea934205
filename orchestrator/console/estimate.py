"""``aisci run --estimate``: what a run will take; and the question before an expensive one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from textwrap import fill

from orchestrator.api.allowed_models import is_free
from orchestrator.api.effort_use import THOUGHT
from orchestrator.api.estimate import Estimate, EstimateBasis, estimate_run
from orchestrator.api.estimate_costs import (
    TOKENS_A_SECOND,
    StageEstimate,
)
from orchestrator.api.prepare import RunRequest
from orchestrator.console import output as out
from orchestrator.console import run
from orchestrator.console.detaching import start_detached
from orchestrator.console.options import View
from orchestrator.models.price_file import own_prices_path

ASK_ABOVE = 10.0
"""US dollars: on a terminal, a run that is expected to cost more is started only after a yes."""
_LONGEST_LINE = 100
_NOT_KNOWN = "not known"
_HEADS = ("stage", "requests", "prompt", "cached", "answer", "US$", "time")


def start_or_show(
    request: RunRequest, view: View, *, show: bool, yes: bool, detach: bool = False
) -> int:
    """Start the run, after a question where it is expensive and ``yes`` was not given; or only ``show``
    what it would take. With ``detach`` another process makes it. Returns the exit code: 1 where the answer
    is no.
    """
    if show:
        found = _estimated(request)
        out.as_json({"estimate": asdict(found)}) if view.as_json else draw_estimate(found)
        return 0
    if not (yes or _may_start(request, view)):
        return 1
    if detach:
        return start_detached(sys.argv[1:], request.results, as_json=view.as_json)
    return run.start(request, view)


def _estimated(request: RunRequest) -> Estimate:
    with out.trying(f"estimating a run of {request.template} …"):
        return estimate_run(request)


def _may_start(request: RunRequest, view: View) -> bool:
    """Whether to start: a person at a terminal is asked if the run may cost more than :data:`ASK_ABOVE`."""
    if view.quiet or view.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    if all(map(is_free, (request.model, *(name for _, name in request.roles)))):
        return True
    found = _estimated(request)
    if found.likely is None or _spent(found) <= ASK_ABOVE:
        return True
    total = found.likely.total
    out.say(
        f"{_heading(found)}\nabout US$ {_dollars(total.usd)} and {_span(total.seconds)}, "
        f"{total.requests:,.0f} requests, {_about(total.prompt)} tokens of prompts"
    )
    out.say(_paragraphs(*_range(found), *_budgets(found)))
    try:
        started = input("start it? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        started = False
    if not started:
        out.say("nothing was started; --estimate shows each stage, --yes does not ask")
    return started


def _spent(found: Estimate) -> float:
    """The expected US dollars, of which a run's budget allows no more than itself."""
    allowed = [one.allowed for one in found.passes if one.key == "run.budget.usd"]
    expected = found.likely.total.usd if found.likely else None
    return min(expected or 0.0, *allowed) if allowed else expected or 0.0


def draw_estimate(found: Estimate) -> None:
    """The estimate as a table, and what it rests on."""
    if found.likely is None or found.basis is None:
        out.say(
            _paragraphs(f"{found.model} asks no language model: it costs nothing", *_free(found))
        )
        return
    rows = [one for one in found.stages if one.requests or one.seconds is None or one.seconds > 0]
    out.say(_heading(found) + "\n")
    out.table(_HEADS, [*map(_cells, rows), _cells(found.likely.total)], numbers=True)
    out.say()
    notes = (*_range(found), *_budgets(found), *_unpriced(found), *_thinking(found))
    out.say(_paragraphs(*notes, *_rests_on(found.basis)))


def _free(found: Estimate) -> Iterator[str]:
    """How long a run takes that asks no language model."""
    free = found.free
    if free is None:
        return
    experiments = f"at most {out.counted(free.runs, 'experiment')} an idea"
    if free.baseline_seconds is None or free.seconds is None:
        yield f"{experiments}; how long one takes is not known here"
        return
    how = "as measured here" if free.measured else "as the template says"
    yield (
        f"{experiments}, each about {_span(free.baseline_seconds)} ({how}): about {_span(free.seconds)} in all; "
        "edits, figures and each paper come on top, some seconds each"
    )


def _paragraphs(*texts: str) -> str:
    """Texts, each on lines of its own that fit a terminal."""
    wide = min(out.width(), _LONGEST_LINE)
    return "\n".join(
        fill(one, wide, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        for one in texts
    )


def _heading(found: Estimate) -> str:
    ideas = out.counted(found.ideas, "idea")
    return f"{ideas}, {found.template} at scale {found.scale}, {found.model}, policy {found.policy}"


def _cells(one: StageEstimate) -> tuple[str, ...]:
    tokens = (_about(count) for count in (one.prompt, one.cached, one.answer))
    requests = f"{one.requests:,.0f}" if one.requests >= 1 or not one.requests else "0-1"
    return one.stage, requests, *tokens, _dollars(one.usd), _span(one.seconds)


def _about(count: float) -> str:
    """Three digits of a number of tokens."""
    digits = max(0, len(str(round(count))) - 3)
    return f"{round(count, -digits):,.0f}" if count else ""


def _dollars(usd: float | None) -> str:
    return _NOT_KNOWN if usd is None else f"{usd:.2f}"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return _NOT_KNOWN
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _range(found: Estimate) -> Iterator[str]:
    """What the number of experiments, which the model chooses, makes of the total."""
    if found.likely is None or found.fewest is None or found.most is None:
        return
    others = []
    for one in (found.fewest, found.most):
        if round(one.runs) != round(found.likely.runs):
            dollars = "" if one.total.usd is None else f"US$ {one.total.usd:.2f} and "
            others.append(f"{one.runs:.0f} take {dollars}{_about(one.total.prompt)} prompt tokens")
    ends = f"; {', '.join(others)}" if others else ""
    yield f"For {found.likely.runs:.0f} experiments an idea; the model chooses their number{ends}."


def _budgets(found: Estimate) -> Iterator[str]:
    """The budgets that the estimate passes, in words."""
    for one in found.passes:
        whose = "an idea" if one.key.startswith("idea.") else "the run"
        takes, allowed = (_amount(one.key, value) for value in (one.expected, one.allowed))
        yield f"Above the budget: {whose} takes {takes}, {one.key} allows {allowed}."
    if found.passes:
        yield "A run stops at its budget, and `aisci resume` continues it with a larger one."


def _amount(key: str, value: float) -> str:
    if key.endswith(".wall"):
        return _span(value)
    if key.endswith(".usd"):
        return f"US$ {value:,.2f}"
    return f"{_about(value)} {key.rpartition('.')[2]}"


def _unpriced(found: Estimate) -> Iterator[str]:
    for name in found.unpriced:
        given = "--price IN,OUT, or " if name == found.model else ""
        yield (
            f"No price is known for {name}. Give it, in US dollars per million tokens, with "
            f"{given}an entry in {own_prices_path()}"
        )


def _thinking(found: Estimate) -> Iterator[str]:
    if found.effort:
        tokens = ", ".join(f"{count:,.0f} at {level}" for level, count in THOUGHT.items())
        yield f"Answers include what is thought at --effort, assumed: {tokens} a request."


def _rests_on(basis: EstimateBasis) -> Iterator[str]:
    own = f" and {out.counted(basis.own, 'idea')} of your own runs" if basis.own else ""
    yield (
        f"From {basis.shipped} recorded studies ({basis.measured}){own}. Another model may write "
        "more, above all one that reasons."
    )
    if basis.unread:
        yield f"{out.counted(basis.unread, 'run')} in the results folder could not be read."
    yield "Cached tokens repeat the beginning of an earlier request: at the price of the vendor's cache, if known."
    rate = "measured" if basis.speed_measured else f"{TOKENS_A_SECOND:.0f} tokens a second, assumed"
    yield f"Time: the model's speed is {rate}; {_baseline(basis)}."


def _baseline(basis: EstimateBasis) -> str:
    if basis.baseline_seconds is None:
        return "the baseline's is not known (`aisci template baseline`)"
    seconds = _span(basis.baseline_seconds)
    origin = "measured here" if basis.baseline_measured else "as the template estimates"
    return f"a baseline takes {seconds}, {origin}"
