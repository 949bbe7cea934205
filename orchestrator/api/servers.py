"""The servers of a run's models, where they are the user's own: known to the record, and asked before it starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from orchestrator.api.allowed_models import is_free
from orchestrator.api.prepare import open_unasked
from orchestrator.core.errors import MissingKey, ModelBusy
from orchestrator.core.model import DEFAULT_ROLE, FALLBACK
from orchestrator.models.address import ServerAddress
from orchestrator.models.litellm import LitellmModel
from orchestrator.models.own_server import why_unreachable
from orchestrator.record.pins import ModelPin, Pins
from orchestrator.research.run_spec import RunSpec


def require_servers(setup: RunSpec, environ: Mapping[str, str] = os.environ) -> None:
    """Raise :class:`ModelBusy` for a server of the user's own at which nothing answers. A run with a fallback
    starts without it.
    """
    if any(pin.role == FALLBACK for pin in setup.roles):
        return
    names = (setup.model, *(pin.name for pin in setup.roles))
    servers = {str(server): (name, server) for name, server in _servers(names, environ)}
    for name, server in servers.values():
        if why := why_unreachable(server):
            raise ModelBusy(
                f"nothing answers at the server of {name}; nothing was started",
                where=str(server),
                why=why,
                todo=f"start the server, or correct {server.variable}",
            )


def _servers(
    names: Iterable[str], environ: Mapping[str, str]
) -> Iterable[tuple[str, ServerAddress]]:
    for name in dict.fromkeys(names):
        model = None if is_free(name) else open_unasked(name, environ=environ)
        if isinstance(model, LitellmModel) and model.server is not None:
            yield name, model.server


def pinned_models(pins: Pins, other: str | None) -> tuple[ModelPin, ...]:
    """The models that go on being asked where ``other``, if any, takes the place of the run's model."""
    return tuple(pin for pin in pins.models if other is None or pin.role != DEFAULT_ROLE)


def require_pinned_servers(
    pins: Iterable[ModelPin], environ: Mapping[str, str] = os.environ
) -> None:
    """Raise :class:`MissingKey` where a model was asked at a server of the user's own, and the environment does
    not name one now: its requests would go to the vendor.
    """
    for pin in pins:
        model = open_unasked(pin.name, environ=environ) if pin.server else None
        if isinstance(model, LitellmModel) and model.server is None:
            variable = f"{model.provider.upper().replace('-', '_')}_API_BASE"
            raise MissingKey(
                f"this run asks {pin.name} at a server of your own, and the environment names none",
                where=f"not set: {variable}",
                why=f"the run began with {pin.server}; without the variable its prompts would go to the vendor",
                todo=f"export {variable}={pin.server}, and the server's key if it wants one; then resume again",
            )


def server_notices(
    pins: Iterable[ModelPin], environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """A line for each model that is asked at another address than at the run's start."""
    return tuple(
        f"{pin.name} is asked at {now or 'its vendor'}; the record names {pin.server or 'its vendor'}"
        for pin in pins
        if not is_free(pin.name) and (now := address_now(pin, environ)) != pin.server
    )


def address_now(pin: ModelPin, environ: Mapping[str, str]) -> str:
    """The address that the environment gives the model now, as records have it; empty for its vendor."""
    return next((server.bare for _, server in _servers([pin.name], environ)), "")
