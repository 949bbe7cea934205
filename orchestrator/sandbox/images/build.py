"""One build of one image: wheels, context, the engine's builder, and its output."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from orchestrator.core.errors import ImageBuildFailed
from orchestrator.sandbox.engine.client import Engine, Image, one_line, translated
from orchestrator.sandbox.images.recipes import Recipe, recipe_hash, write_context
from orchestrator.sandbox.images.wheels import fetch_wheels, wheels_home
from orchestrator.sandbox.machine_locks import MachineLocks

RECIPE_LABEL = "aisci.recipe"
NAME_LABEL = "aisci.image"
BASE_LABEL = "aisci.base"

BUILD_TIMEOUT_S = 3600  # without output within one step; TeX Live unpacks for minutes
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")

OnLine = Callable[[str], None]


def build_image(
    engine: Engine,
    recipe: Recipe,
    *,
    root: Path,
    base: Callable[[], str],
    ca_bundle: Path | None,
    say: OnLine,
    fresh: bool = False,
) -> Image:
    """Build ``recipe`` on the image whose id ``base`` gives; otherwise as ``build_images``."""
    base_id, wheels = base(), None
    if recipe.lock:
        lock, home = root / recipe.lock_file, wheels_home(root)
        wheels = fetch_wheels(lock, home, ca_bundle=ca_bundle, say=say)
    say(f"building {recipe.name} ({recipe.about})")
    labels = {NAME_LABEL: recipe.name, RECIPE_LABEL: recipe_hash(recipe, root), BASE_LABEL: base_id}
    args = {"BASE": base_id, **dict(recipe.args)}
    write = partial(write_context, recipe=recipe, root=root, wheels=wheels)
    return run_build(
        engine,
        recipe.name,
        recipe.dockerfile,
        write,
        labels=labels,
        args=args,
        say=say,
        fresh=fresh,
    )


def run_build(
    engine: Engine,
    name: str,
    dockerfile: str,
    write: Callable[[IO[bytes]], None],
    *,
    labels: Mapping[str, str],
    args: Mapping[str, str],
    say: OnLine,
    online: bool = True,
    fresh: bool = False,
) -> Image:
    """Build the image ``name`` from the context, a tar, that ``write`` writes into a file.

    A ``fresh`` build uses no layer of an earlier one. Only steps that are ``online`` have a network and the shell's proxies, whose addresses may hold
    a password. Raises :class:`ImageBuildFailed` with a step's last lines of output,
    :class:`EngineFailed`.
    """
    proxies = {key: os.environ[key] for key in PROXY_VARIABLES if online and os.environ.get(key)}
    with tempfile.TemporaryFile(prefix="aisci-context-") as context, translated(f"building {name}"):
        write(context)
        context.seek(0)
        answers = engine.api.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=name,
            labels=dict(labels),
            buildargs=proxies | dict(args),
            network_mode=None if online else "none",
            nocache=fresh,
            timeout=BUILD_TIMEOUT_S,
            rm=True,
            forcerm=True,
            decode=True,
        )
        _follow(name, dockerfile, answers, say)
        return engine.images.get(name)


def _follow(
    name: str, dockerfile: str, answers: Iterator[Mapping[str, object]], say: OnLine
) -> None:
    """Report a build's output; only the output shows that a build has failed."""
    tail: deque[str] = deque(maxlen=12)
    step = failure = ""
    for answer in answers:  # to its end, or the connection would stay open
        failure = failure or one_line(answer.get("error", ""))
        for raw in str(answer.get("stream", "")).splitlines():
            line = one_line(raw)
            if line:
                tail.append(line)
                say(f"  {line}")
            if line.startswith("Step "):
                step = line
    if failure:
        raise ImageBuildFailed(
            f"Building {name} failed.",
            where=f"{dockerfile}, {step}",
            why=failure + "".join(f"\n         | {line}" for line in tail),
            todo="If packages could not be fetched: does a container reach Debian's mirror? "
            "Behind a proxy set http_proxy; see docs/installing.md.",
        )


@contextmanager
def one_at_a_time(say: OnLine) -> Iterator[None]:
    """Run one build at a time: two would download the same wheels into one folder."""
    waiting = partial(say, "another build is running; waiting for it")
    with MachineLocks().held("images", waiting):
        yield
