"""Containers and volumes made and removed by the engine API's own requests, nothing implied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.edges.engine import Engine, NotFound, translated


def create_container(engine: Engine, body: Mapping[str, Any], name: str) -> str:
    """Create, not start, what ``body`` (a create request of the engine's API) says.

    Returns:
        The container's id.
    """
    api: Any = engine.api  # this part of the library has no types
    with translated(f"creating the container {name}"):
        made: str = api.create_container_from_config(dict(body), name)["Id"]
    return made


def remove_container(engine: Engine, container: str) -> None:
    """Kill and remove; harmless when it is gone already."""
    with translated("removing a container"):
        try:
            engine.api.remove_container(container, v=True, force=True)
        except NotFound:
            return


def make_volume(
    engine: Engine, name: str, labels: Mapping[str, str], options: Mapping[str, str] | None = None
) -> None:
    """A labelled volume; with no ``options`` an ordinary folder of the engine's."""
    with translated(f"making the volume {name}"):
        engine.api.create_volume(name, "local", dict(options or {}), dict(labels))


def remove_volume(engine: Engine, name: str) -> None:
    """Remove; harmless when it is gone already."""
    with translated("removing a volume"):
        try:
            engine.api.remove_volume(name, force=True)
        except NotFound:
            return
