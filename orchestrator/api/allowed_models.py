"""Which models may be asked, and where: what a policy's block ``model`` and the machine's ceilings say."""

from __future__ import annotations

from orchestrator.api.policies import SHIPPED
from orchestrator.core.errors import BadPolicy
from orchestrator.core.places import Place, Problem
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.litellm import LitellmModel
from orchestrator.policy.ceiling import machine_ceilings
from orchestrator.policy.compare import shown_setting
from orchestrator.policy.model_rules import ANY_MODEL, may_be_asked
from orchestrator.policy.policy import Policy
from orchestrator.research.run_spec import RunSpec

_KEY = ("model", "allow")


def server_of_model(model: LanguageModel) -> str:
    """The address of the user's own server that answers for the model; empty for a vendor's."""
    server = model.server if isinstance(model, LitellmModel) else None
    return server.bare if server else ""


def is_free(name: str) -> bool:
    """Whether the author of that name asks no language model, so that it costs nothing."""
    return name.partition("/")[0] in {"builtin", "scripted"}


def require_may_ask(policy: Policy, name: str, server: str) -> None:
    """Raise :class:`BadPolicy` where ``policy`` does not let the model of that name be asked at ``server``."""
    allowed = policy.whole.model.allow
    if is_free(name) or may_be_asked(allowed, name, server):
        return
    at = f"at {server}" if server else "at its vendor"
    lists = "any" if allowed == ANY_MODEL else list(allowed)
    problem = Problem(
        Place(policy.origin) if policy.origin == "shipped" else policy.document.place(_KEY),
        f"the policy {policy.name!r} does not let {name[:100]} be asked {at}; "
        f"model.allow is {shown_setting(lists)}",
        "name a model that it allows, with its vendor; or use a policy that allows this one",
        "model",
    )
    raise BadPolicy.listing(problem.place.file, [problem])


def require_allowed_models(setup: RunSpec) -> None:
    """Raise :class:`BadPolicy` where the policy of a run forbids one of its models."""
    require_may_ask(setup.policy, setup.model, setup.server)
    for pin in setup.roles:
        require_may_ask(setup.policy, pin.name, pin.server)


def require_below_ceilings(model: LanguageModel, name: str) -> None:
    """Raise :class:`BadPolicy` where a ceiling of this machine forbids ``model``, whichever command asks it."""
    if not is_free(name):
        for ceiling in machine_ceilings(SHIPPED):
            require_may_ask(ceiling, name, server_of_model(model))
