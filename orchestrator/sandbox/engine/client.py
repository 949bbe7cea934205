"""The Docker engine: the only importer of ``docker``, and of the HTTP client below it.

Other modules take their types from here and wrap each request to the engine in
:func:`translated`, so that only :class:`AisciError` leaves them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import requests.exceptions
import urllib3.exceptions
from docker.errors import APIError, DockerException, NotFound
from docker.models.images import Image

from orchestrator.core.errors import EngineFailed, EngineUnavailable

__all__ = ["APIError", "Engine", "Image", "NotFound", "connect", "translated"]

Engine = docker.DockerClient

DEFAULT_SOCKET = "unix:///var/run/docker.sock"

INSTALL_HELP = """one of these, then ask again
Debian or Ubuntu, as root: apt-get install docker.io (in a checkout, scripts/setup-engine.sh)
Docker:         https://docs.docker.com/engine/install/
rootless:       export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock
Podman:         systemctl --user start podman.socket
                export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock"""


ROOTLESS_HELP = """or use an engine of your own, without root's power:
rootless:       export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock
Podman:         export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock"""


def connect(*, timeout: float = 60.0) -> Engine:
    """The engine that ``DOCKER_HOST`` names, else the one at the default socket.

    ``timeout`` is in seconds, for one answer of the engine. Waiting for a container is not one
    answer: callers that wait poll, or set their own.

    Raises :class:`EngineUnavailable` if nothing answers; it lists the ways to get an engine.
    """
    where = os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET
    engine: Engine | None = None
    try:
        if where.startswith("unix://"):  # if nothing listens the library leaves its socket open
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(where.removeprefix("unix://"))
        engine = docker.from_env(timeout=int(timeout))
        engine.ping()
    except PermissionError as error:
        raise EngineUnavailable(
            "An engine is there, and this account may not use its socket.",
            where=where,
            why="the socket belongs to root and, as a rule, to the group docker",
            todo="ask whoever runs this machine to put you into the group docker (`usermod -aG docker NAME`; "
            f"it has root's power), then log in again\n{ROOTLESS_HELP}",
        ) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        if engine is not None:
            engine.close()
        raise EngineUnavailable(
            "No Docker engine answers.",
            where=where,
            why=one_line(error),
            todo=f"{INSTALL_HELP}\n`aisci doctor` says what this machine has.",
        ) from error
    return engine


# What an engine says where it cannot lend a GPU, and what cures that.
_TOOLKIT = "docs/installing.md, what a machine can lack, says how an engine lends GPUs"
_CURES = {
    "could not select device driver": _TOOLKIT,
    "unresolvable CDI devices": f"make its list of GPUs again; {_TOOLKIT}",
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the library raises inside into :class:`EngineFailed` "while ``doing``".

    A missing object is often an answer and not a failure: catch :class:`NotFound` inside.
    """
    try:
        yield
    except (
        DockerException,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        ConnectionError,
        TimeoutError,
    ) as error:
        what, why = "the connection to the engine broke", one_line(error)
        todo = "check that it still runs (`aisci doctor`)"
        if isinstance(error, APIError):
            what, why = "the engine failed", one_line(error.explanation or error)
            cures = (cure for words, cure in _CURES.items() if words in why)
            todo = next(cures, "`aisci doctor` checks the engine")
        raise EngineFailed(
            f"{what} while {doing}",
            where="the Docker engine",
            why=why,
            todo=f"{todo}; `aisci resume` continues from here",
        ) from error


def one_line(error: object, limit: int = 400) -> str:
    """The engine's text on one line, printable: it may quote an image's or a container's own text."""
    text = " ".join(str(error).split())
    printable = "".join(c for c in text if c.isprintable())
    return printable if len(printable) <= limit else printable[:limit] + "…"
