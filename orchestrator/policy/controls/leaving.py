"""What leaves this machine under a policy: what, to whom, and when. ``docs/what-leaves.md`` says more of each."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.policy.model_rules import ANY_MODEL
from orchestrator.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Leaving:
    """One way out."""

    what: str
    to: str
    when: str


def leaving(policy: Policy) -> tuple[Leaving, ...]:
    """Every way out that a run under ``policy`` has, and those of other commands."""
    models = _models(policy)
    asked = "with each question to a model; builtin/sweep asks none"
    hosts = ", ".join(policy.limits("experiment").network)
    experiments = Leaving(
        "whatever the experiment's code sends: it has the staged data",
        hosts or "nobody: its containers have no network",
        "while an experiment runs" if hosts else "never",
    )
    return (
        Leaving(
            "the template's texts and code, ideas, results, the edited code and the paper; figures, if the "
            "model is shown pictures",
            models,
            asked,
        ),
        Leaving(_failed(policy), models, "after an attempt that failed, with the next question"),
        experiments,
        Leaving(
            "words to search for, and the ids of references",
            "the services that --engine names",
            "only with --engine",
        ),
        Leaving(
            "the run's name, how it ended, and its ideas' names",
            "the address or command of --notify",
            "only with --notify, when the run ends or wants a person",
        ),
        Leaving(
            "requests for files, with this machine's address",
            "Debian's and Python's package servers, the registry of the base image, the hosts of data sets",
            "only with `aisci images build` and `aisci data prepare`",
        ),
    )


def _models(policy: Policy) -> str:
    allowed = policy.whole.model.allow
    if allowed == ANY_MODEL:
        return "the vendor of the model that the command names, or the server that the environment names"
    return ", ".join(allowed) or "nobody: the policy allows no model"


def _failed(policy: Policy) -> str:
    if policy.tells_tails:
        return (
            "the last 1500 characters of each stream that the program wrote, which may hold rows of the staged "
            "data (with a data set marked as confidential: the verdict alone)"
        )
    return "the verdict and the exit code; nothing that the program wrote"
