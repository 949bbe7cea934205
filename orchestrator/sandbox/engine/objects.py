"""Containers and volumes, created and removed by the engine API's own requests, without defaults."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from orchestrator.core.errors import AisciError, ControlUnavailable, EngineFailed
from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, translated

CONFLICT = HTTPStatus.CONFLICT  # "removal … is already in progress"
# Docker before 25 says so, with status 500, of a container that ended just before it was killed.
_ENDED_MEANWHILE = "is not running"
_TRIES, _PAUSE = 60, 0.5  # seconds between tries
_NOTICED = 4  # tries until the engine reports an end that the kernel has reported


def create_container(engine: Engine, body: Mapping[str, Any], name: str) -> str:
    """Create, not start, the container of ``body``, a create request of the API; return its id."""
    api: Any = engine.api  # this part of the library has no types
    made = list[str]()

    def make() -> None:
        made.append(api.create_container_from_config(dict(body), name)["Id"])

    # In a thread, since an engine goes on with a request that Ctrl-C drops: its answer is awaited.
    with translated(f"creating the container {name}"), ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(make).result()
        except KeyboardInterrupt:
            thread.shutdown(cancel_futures=True)
            for container in made:
                with suppress(AisciError, APIError):
                    remove_container(engine, container)
            raise
    return made[0]


@contextmanager
def while_it_runs(engine: Engine, container: str) -> Iterator[None]:
    """While inspecting a new container. Raises :class:`EngineFailed` if it ended or was removed."""
    try:
        yield
    except (ControlUnavailable, OSError) as error:
        with translated("inspecting a container that was just started"):
            for _ in range(_NOTICED):
                if not engine.api.inspect_container(container)["State"]["Running"]:
                    raise EngineFailed(
                        "a container ended before its program started",
                        where=container[:12],
                        why="it was killed from outside, or by the engine",
                        todo="`aisci resume` runs it again",
                    ) from error
                time.sleep(_PAUSE)
        raise


def remove_container(engine: Engine, container: str) -> None:
    """Kill and remove; no error if it does not exist, or is already being removed."""
    remove = engine.api.remove_container
    _removed(f"container {container}", lambda: remove(container, v=True, force=True))


def _removed(what: str, remove: Callable[[], object]) -> None:
    """Try until the engine has removed it. Raises :class:`EngineFailed` after half a minute."""
    why = ""
    with translated(f"removing the {what}"):
        for _ in range(_TRIES):
            try:
                remove()
                return
            except NotFound:
                return
            except APIError as error:
                why = str(error.explanation)
                if error.status_code != CONFLICT and _ENDED_MEANWHILE not in why:
                    raise
                time.sleep(_PAUSE)
        raise EngineFailed(
            f"the engine did not remove a {what.split(maxsplit=1)[0]} within {_TRIES * _PAUSE:g} s",
            where=what,
            why=why,
            todo="read the engine's log, then `aisci reap`",
        )


def make_volume(
    engine: Engine, name: str, labels: Mapping[str, str], options: Mapping[str, str] | None = None
) -> None:
    """Create a labelled volume; without ``options`` an ordinary folder of the engine."""
    with translated(f"making the volume {name}"):
        engine.api.create_volume(name, "local", dict(options or {}), dict(labels))


def remove_volume(engine: Engine, name: str) -> None:
    """Remove; no error if it does not exist.

    An engine that is removing a container still counts it as the volume's user for a moment.
    """
    _removed(f"volume {name}", lambda: engine.api.remove_volume(name, force=True))
