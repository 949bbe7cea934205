"""The control over the way out that always exists: the models that are asked."""

from __future__ import annotations

from functools import partial

from orchestrator.policy.controls.control import Control, by_host
from orchestrator.policy.model_rules import ANY_MODEL
from orchestrator.policy.policy import Policy


def _models(policy: Policy) -> str:
    rules = policy.whole.model
    tails = "the end of its output" if policy.tells_tails else "the verdict alone"
    told = f"Of a failed attempt the next prompt has {tails}."
    if rules.allow == ANY_MODEL:
        return f"Any model may be asked, at its vendor or at a server of your own. {told}"
    if not rules.allow:
        return f"No model may be asked; builtin/sweep is none. {told}"
    return f"These models alone may be asked: {', '.join(rules.allow)}. {told}"


MODELS = (
    Control(
        id="model",
        title="Models",
        keys=("model.*",),
        by="the host, before a run starts and again when a model is opened",
        meaning=_models,
        in_containers=False,
        how=partial(
            by_host,
            "names and addresses are compared before anything is asked; with a data set that the "
            "template marks as confidential, only the verdict is told",
        ),
        not_stopped="What every prompt has: the template's texts and code, results, figures for a "
        "model that sees, the paper. Results are what the code writes into them. A vendor's own "
        "further addresses (regions, a proxy), which other variables of the environment name.",
    ),
)
