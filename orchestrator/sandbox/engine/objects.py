"""Containers and volumes made and removed by the engine API's own requests, nothing implied."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from orchestrator.core.errors import ControlUnavailable, EngineFailed
from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, translated

CONFLICT = HTTPStatus.CONFLICT  # "removal … is already in progress"
_TRIES, _PAUSE = 60, 0.5  # seconds between tries
_NOTICED = 4  # tries until an engine has seen the end that the kernel reports


def create_container(engine: Engine, body: Mapping[str, Any], name: str) -> str:
    """Create, not start, what ``body`` (a create request of the engine's API) says.

    Returns:
        The container's id.
    """
    api: Any = engine.api  # this part of the library has no types
    with translated(f"creating the container {name}"):
        made: str = api.create_container_from_config(dict(body), name)["Id"]
    return made


@contextmanager
def while_it_runs(engine: Engine, container: str) -> Iterator[None]:
    """For looks at a container just started: where somebody has ended it, that is what is said.

    Raises:
        EngineFailed: it has ended, or is gone; there was nothing to look at.
    """
    try:
        yield
    except (ControlUnavailable, OSError) as error:
        with translated("looking at a container that was just started"):
            for _ in range(_NOTICED):
                if not engine.api.inspect_container(container)["State"]["Running"]:
                    raise EngineFailed(
                        "a container ended before it was let go",
                        where=container[:12],
                        why="somebody has killed it, or the engine has",
                        todo="`aisci resume` runs it again",
                    ) from error
                time.sleep(_PAUSE)
        raise


def remove_container(engine: Engine, container: str) -> None:
    """Kill and remove; harmless when it is gone already, or somebody else is removing it."""
    with translated("removing a container"):
        for _ in range(_TRIES):
            try:
                engine.api.remove_container(container, v=True, force=True)
            except NotFound:
                return
            except APIError as error:
                if error.status_code != CONFLICT:
                    raise
                time.sleep(_PAUSE)
            else:
                return
        raise EngineFailed(
            f"the engine did not remove a container within {_TRIES * _PAUSE:g} s",
            where=f"container {container}",
            todo="read the engine's log, then `aisci reap`",
        )


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
