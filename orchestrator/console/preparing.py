"""``aisci run --prepare-only``: make ready what a run needs, start none, and say what is known now."""

from __future__ import annotations

from dataclasses import asdict

from orchestrator.api.locking import stoppable
from orchestrator.api.making_ready import ReadyRun, make_run_ready
from orchestrator.api.model_check import ModelCheck
from orchestrator.api.prepare import RunRequest
from orchestrator.console import output as out
from orchestrator.console.data import following_files
from orchestrator.console.live import LiveLine
from orchestrator.console.options import View
from orchestrator.console.output import span


def make_ready(request: RunRequest, view: View) -> int:
    """Make ready what ``request`` needs; an error says what cannot be."""
    todo = "the same command goes on: what is ready stays so"
    stopped = stoppable("the preparation was stopped", where=request.template, todo=todo)
    with stopped, following_files(view) as following, LiveLine(view) as live:
        made = make_run_ready(request, live, live.tell, following)
    if view.as_json:
        out.as_json({"ready": _json(made)})
    else:
        _draw(made)
    return 0


def _json(made: ReadyRun) -> dict[str, object]:
    setup, kept = made.setup, made.baseline.kept
    return {
        "template": setup.template.name, "scale": setup.scale, "policy": setup.policy.name,
        "images": dict(setup.images), "built": made.built, "data": [one.name for one in setup.data],
        "staged": list(made.staged), "models": [asdict(one) for one in made.models],
        "baseline": {"key": kept.key, "at": kept.at, "seconds": kept.seconds, "new": made.baseline.new},
    }  # fmt: skip


def _draw(made: ReadyRun) -> None:
    setup, kept = made.setup, made.baseline.kept
    took = f"{span(round(kept.seconds))}, under {setup.policy.name}"
    rows = [
        ("images", "built" if made.built else "were ready"),
        ("containers", "one of each kind ran, and did nothing"),
        ("data", ", ".join(one.name for one in setup.data) or "none to stage"),
        (
            "baseline",
            f"measured in {took}" if made.baseline.new else f"kept since {kept.at}; {took}",
        ),
    ]
    rows += [("model", _known(one)) for one in made.models]
    out.table((f"{setup.template.name} at scale {setup.scale}", ""), rows)
    out.say("\nready: the same command without --prepare-only begins with the ideas")


def _known(model: ModelCheck) -> str:
    server = f" at {model.server}" if model.server else ""
    price, priced = model.price, "no price is listed"
    if price.input is not None and price.output is not None:
        priced = f"${price.input:g} in and ${price.output:g} out a million tokens"
    return f"{model.name}{server}: key {model.key}, {priced}; it was not asked"
