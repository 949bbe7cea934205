"""What the kept studies take by the present program: the figures that estimates rest on, and how good they are.

``python -m tests.support.estimate_bench`` takes each study through the program, writes the figures that ship
(``orchestrator/research/estimate/recorded.json``), estimates each study from the others, and adds the ratios
to ``bench/estimate.json``, and what each study took, by what was asked, to ``bench/tokens.json``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from os.path import commonprefix
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.decode import encode
from orchestrator.core.model import ROLES, Ask, Message, Reply, Usage
from orchestrator.models.bounds import cost_of
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import EnginePin, ReviewPin
from orchestrator.research.estimate.expected import PICTURE, ExpectedStep, Wanted, expected
from orchestrator.research.estimate.idea_use import SHIPPED_USES, IdeaUse, ShippedUses, StepUse
from orchestrator.research.estimate.measuring import ideas_taken
from tests.support import played
from tests.support.bench import record

STUDIES = (
    "averaged_weights",
    "floating_start",
    "grokking",
    "nanoGPT_lite",
    "operand_order",
    "seir",
)
PLAIN = {"input_cost_per_token": 3e-6, "output_cost_per_token": 15e-6}
CACHED = PLAIN | {"cache_read_input_token_cost": 3e-7, "cache_creation_input_token_cost": 3.75e-6}
PAPER = tuple(f"writeup.{name}" for name in ("setup", "method", "results", "discussion", "background",
         "introduction", "conclusion", "fix", "read", "doubted"))  # fmt: skip
"""How the requests of the conversation begin in which a paper is written."""
COMPARED = ("requests", "prompt", "answer", "usd", "usd with a cache")
MOST_RUNS = 10
COUNTED = f"by the tokenizer that litellm brings, {PICTURE:,} for a picture"
_CAP = 20.0  # seconds: a kept job of exactly that many was cut by an earlier play


@cache
def counter() -> Any:
    """litellm, loaded when a study is counted: it takes seconds."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm  # noqa: PLC0415

    return litellm.token_counter


@cache
def count(text: str) -> int:
    return int(counter()(model="", text=text))


class CountedPlay(played.Played):
    """A kept study's model that counts tokens; an answer that the study does not have counts none."""

    def __init__(self, replies: list[list[str]]) -> None:
        super().__init__(replies)
        self._before: list[tuple[Message, ...]] = []

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        reply = super().complete(ask, within)
        known = sum(purpose == ask.purpose for purpose, _ in self._replies)
        own = self.asked[ask.purpose] <= known
        sizes = [count(one.content) + PICTURE * len(one.pictures) for one in ask.messages]
        cached = self._repeated(ask.messages, sizes)
        ends = [at for at, message in enumerate(ask.messages, start=1) if message.cache]
        marked = sum(sizes[: ends[-1]]) if ends else 0
        self._before.append(ask.messages)
        usage = Usage(
            prompt_tokens=sum(sizes),
            completion_tokens=count(reply.text) if own else 0,
            cached=cached,
            written=max(0, marked - cached),
        )
        return replace(reply, usage=usage)

    def _repeated(self, messages: Sequence[Message], sizes: Sequence[int]) -> int:
        """The tokens of the longest beginning that an earlier request had too, as a vendor's cache finds it."""
        return max((self._same(messages, one, sizes) for one in self._before), default=0)

    @staticmethod
    def _same(messages: Sequence[Message], before: Sequence[Message], sizes: Sequence[int]) -> int:
        total = 0
        for new, old, size in zip(messages, before, sizes, strict=False):
            if new.content != old.content:
                same = commonprefix([new.content, old.content])  # noqa: RUF071 - texts, no paths
                pictures = PICTURE * len(new.pictures) if new.pictures == old.pictures else 0
                return total + count(same) + pictures * (2 * len(same) > len(new.content))
            total += size
        return total


def measured_study(name: str) -> IdeaUse:
    """What one kept study takes."""
    kept = played.load(name)
    engines = (EnginePin(name="kept"),) if kept.get("found") else ()
    with tempfile.TemporaryDirectory() as scratch:
        model = CountedPlay(kept["replies"])
        outcome, folder = played.carry_out(kept, model, Path(scratch), engines)
        assert outcome.status == "finished", outcome.failure
        (use,) = ideas_taken(RunPaths(folder))
    return replace(use, slower=slower(kept), answer_seconds=None)


def slower(kept: dict[str, Any]) -> float | None:
    """The mean time of a run in baselines, from the kept jobs that nothing cut."""
    baseline = kept["jobs"]["run/baseline"]["seconds"]
    made = [job["seconds"] for place, job in kept["jobs"].items() if "/run_" in place]
    whole = [seconds for seconds in made if seconds != _CAP]
    return sum(whole) / len(whole) / baseline if whole and baseline != _CAP else None


def wanted(use: IdeaUse) -> Wanted:
    """What is known of a study before it begins."""
    return Wanted(
        template=use.template,
        scale=use.scale,
        model="",
        engines=use.engines,
        seeing=frozenset(ROLES) if use.sees else frozenset(),
        code=use.code,
        values=use.values,
        most_runs=MOST_RUNS,
        reviewing=_reviewing(use),
    )


def _reviewing(use: IdeaUse) -> ReviewPin:
    """How the papers of a study were reviewed and improved, by what was asked."""
    asked = {one.purpose: one.requests for one in use.steps if one.stage == "review"}
    return ReviewPin(
        reviews=round(asked.get("review.form", 1)),
        reflections=1 if asked.get("review.reflect") else 0,
        improve=int(any(one.stage == "improve" for one in use.steps)),
    )


def left_out(name: str, ideas: dict[str, IdeaUse], runs: int | None = None) -> dict[str, float]:
    """Estimate over actual of one study, by the figures of the others alone; ``runs``: as if known. An
    answer that no model gave is compared nowhere.
    """
    real = ideas[name]
    others = [one for other, one in ideas.items() if other != name]
    guess = expected(wanted(real), others, runs)
    given = {(one.stage, one.purpose) for one in real.steps if one.answered < one.requests}

    def totals(steps: Iterable[StepUse | ExpectedStep]) -> dict[str, float]:
        total = dict.fromkeys(COMPARED, 0.0)
        for step in steps:
            answer = 0.0 if (step.stage, step.purpose) in given else step.answer
            usage = round(step.prompt), round(answer), round(step.cached), round(step.written)
            now = (
                step.requests,
                step.prompt,
                answer,
                cost_of(PLAIN, *usage),
                cost_of(CACHED, *usage),
            )
            total = {key: total[key] + one for key, one in zip(COMPARED, now, strict=True)}
        return total

    took, guessed = totals(real.steps), totals(guess.steps)
    ratios = {key: round(guessed[key] / took[key], 2) for key in COMPARED}
    return {"runs": real.runs, "runs expected": guess.runs, **ratios}


def tokens_of(use: IdeaUse) -> dict[str, Any]:
    """What a study took: tokens sent, of which repeated, and answered, by purpose; of its paper's conversation; and
    dollars at :data:`PLAIN` and :data:`CACHED`.
    """
    rows = dict[str, Any]()
    for one in use.steps:
        known = rows.setdefault(one.purpose, [0, 0, 0, 0])
        more = (one.requests, one.prompt, one.cached, one.answer)
        rows[one.purpose] = [round(a + b) for a, b in zip(known, more, strict=True)]
    paper = [row for name, row in rows.items() if name.startswith(PAPER)]
    requests, sent, repeated, answered = (
        sum(column) for column in zip(*rows.values(), strict=True)
    )
    return {
        "runs": use.runs,
        "requests": requests,
        "sent": sent,
        "repeated": repeated,
        "answered": answered,
        "repeated share of the paper's conversation": round(
            sum(row[2] for row in paper) / sum(row[1] for row in paper), 3
        ),
        "usd": round(cost_of(PLAIN, sent, answered, 0, 0), 2),
        "usd with a cache": round(cost_of(CACHED, sent, answered, repeated, 0), 2),
        "requests, sent, repeated, answered": rows,
    }


def main() -> None:
    ideas = {name: measured_study(name) for name in STUDIES}
    today = datetime.now(UTC).date().isoformat()
    uses = ShippedUses(measured=today, tokens=COUNTED, ideas=ideas)
    SHIPPED_USES.write_text(json.dumps(encode(ShippedUses, uses), indent=1) + "\n")
    blind = {name: left_out(name, ideas) for name in STUDIES}
    told = {name: left_out(name, ideas, ideas[name].runs) for name in STUDIES}
    record("tokens", {name: tokens_of(ideas[name]) for name in STUDIES})
    record("estimate", {"estimate / actual": blind, "the same with its number of runs": told})


if __name__ == "__main__":
    main()
