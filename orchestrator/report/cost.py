"""The cost of an idea: requests, tokens, money and time; and every call of the model."""

from __future__ import annotations

from orchestrator.core.model import Reply
from orchestrator.record.calls import Step
from orchestrator.record.ledger import total_usage
from orchestrator.report.html import Child, Html, data_table, el, fold, number, right
from orchestrator.report.page import dollars, duration, pill
from orchestrator.report.reading import IdeaFacts

_WIDTH = 640  # of the bar of stages, in CSS pixels
_SHOWN = 4000  # characters of a prompt's last message and of a reply


def cost_section(facts: IdeaFacts) -> list[Child]:
    """Money and tokens by purpose, time by stage."""
    by: dict[str, list[Step]] = {}
    for step in facts.of("model"):
        by.setdefault(step.model_request.ask.purpose, []).append(step)
    rows = [_purpose(name, tuple(steps)) for name, steps in by.items()]
    if before := tuple(step for step in facts.left if step.port == "model"):
        rows.insert(0, _purpose("before the fork", before))
    if len(rows) > 1:
        rows.append(_purpose("total", facts.paid))
    names = ("requests", "prompt tokens", "of these cached", "reply tokens", "cost", "time")
    heads = ("purpose", *map(right, names))
    unanswered = [step for step in facts.paid if step.seconds is None]
    charged = (
        f"{len(unanswered)} requests have no recorded answer and are charged at the most that "
        "they can have cost."
    )
    return [
        _time(facts),
        data_table(heads, rows) if rows else el("p", "No model was called.", class_="quiet"),
        el("p", charged, class_="small") if unanswered else None,
    ]


def _purpose(name: str, steps: tuple[Step, ...]) -> tuple[Html | str, ...]:
    used = total_usage(step.usage for step in steps)
    cached = f"{used.cached:,}" if used.cached else ""
    tokens = f"{used.prompt_tokens:,}", cached, f"{used.completion_tokens:,}"
    time = duration(sum(step.seconds or 0.0 for step in steps))
    cells: tuple[Child, ...] = (len(steps), *tokens, dollars(used.usd), time)
    return name, *map(number, cells)


def _time(facts: IdeaFacts) -> Html | None:
    """A bar of the stages, proportional to their wall time."""
    whole = sum(seconds for _, seconds in facts.stages)
    if whole <= 0:
        return None
    parts, keys, x = [], [], 0.0
    for place, (name, seconds) in enumerate(facts.stages):
        width = _WIDTH * seconds / whole
        look = f"s{place % 8}"
        parts.append(
            el("rect", x=round(x, 1), width=max(0.5, round(width - 1, 1)), height=12, class_=look)
        )
        swatch = el("svg", el("rect", width=9, height=9, rx=2, class_=look), width=9, height=9)
        keys.append(el("li", swatch, f"{name} {duration(seconds)}"))
        x += width
    chart = el(
        "svg",
        parts,
        viewBox=f"0 0 {_WIDTH} 12",
        width="100%",
        height=14,
        preserveAspectRatio="none",
        role="img",
        aria_label="time by stage",
    )
    return el("div", chart, el("ul", keys, class_="legend"))


def calls_section(facts: IdeaFacts) -> list[Child]:
    """Every model call, folded: the end of the prompt, and the reply."""
    calls = [_call(step) for step in facts.of("model")]
    return [fold(f"All {len(calls)} calls", calls)] if calls else []


def _call(step: Step) -> Html:
    used, request = step.usage, step.model_request
    ask = request.ask
    head = (
        f"{ask.purpose} · {step.place} · {used.prompt_tokens:,} → {used.completion_tokens:,} tokens"
    )
    state = pill(step.error.type, "bad") if step.error else None
    reply = step.answer.text if isinstance(step.answer, Reply) else ""
    missing = step.error.what if step.error else "(no answer)"
    last = ask.messages[-1].content if ask.messages else ""
    return fold(
        [head, state],
        el("p", "the end of the prompt", class_="label small quiet"),
        el("pre", last[-_SHOWN:], class_="wrap"),
        el("p", f"{request.model} replied", class_="label small quiet"),
        el("pre", reply[:_SHOWN] or missing, class_="wrap"),
    )
