"""First lines of journals for tests, with values that no test reads unless it sets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree
from orchestrator.record.events import IdeaStarted, RunStarted
from orchestrator.record.pins import ModelPin, Pins, PolicyPin, TemplatePin

PINS = Pins(
    program="0",
    template=TemplatePin(name="toy", origin="./toy", hash="t", files=Tree()),
    policy=PolicyPin(name="ci-cpu", origin="shipped", hash="p", settings={}),
    seccomp={},
    prompts="x",
    images=(),
    models=(ModelPin(name="builtin/sweep", author="builtin/sweep"),),
    scale="smoke",
    ideas=1,
)
IDEA = Idea(name="x", title="X", experiment="Turn x.")


def run_started(**changed: Any) -> RunStarted:
    """The first line of a run; ``changed`` are other fields of its pins."""
    return RunStarted(pins=replace(PINS, **changed))


def idea_started(idea: Idea = IDEA) -> IdeaStarted:
    """The first line of an idea."""
    return IdeaStarted(id=idea.id, idea=idea)
