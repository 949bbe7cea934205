"""The base of every image: given by the user, pulled, or built from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.errors import ImageBuildFailed
from orchestrator.core.secrets import without_secrets
from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, one_line, translated

DEFAULT_BASE = "debian:bookworm-slim"
_BASE_HELP = f"""one of these
         let the engine reach a registry that has {DEFAULT_BASE}
         name a Debian 12 image that you have: aisci images build --base IMAGE
         on Debian or Ubuntu, as root: apt-get install mmdebstrap, then aisci images build"""


def find_base(
    engine: Engine, base: str | None, say: Callable[[str], None], *, fresh: bool = False
) -> str:
    """The id of the base image; ``say`` gets a line about each slow step.

    ``base`` is an image's name, used as it is; None for Debian 12, from the engine's own store
    (unless it is to be ``fresh``), else a registry, else mmdebstrap. Raises
    :class:`ImageBuildFailed`, with the ways to get one.
    """
    name = base or DEFAULT_BASE
    with translated(f"looking for the base image {name}"):
        try:
            if not fresh:
                return _id(engine, name)
        except NotFound:
            pass
        say(f"base image {name}: asking its registry")
        try:
            engine.images.pull(*_split(name))
            return _id(engine, name)
        except APIError as error:
            refusal = one_line(error.explanation or error)
    if base is not None:
        raise ImageBuildFailed(
            f"The base image {base!r} is not here and cannot be pulled.",
            where="--base",
            why=refusal,
            todo="Check its name with `docker images`, or load it with `docker load`.",
        )
    if shutil.which("mmdebstrap") is None:
        raise ImageBuildFailed(
            "there is no base image to build on", where=name, why=refusal, todo=_BASE_HELP
        )
    say(f"no registry answers; making {name} from Debian's packages with mmdebstrap")
    return _bootstrap(engine)


def _bootstrap(engine: Engine) -> str:
    with tempfile.TemporaryDirectory(prefix="aisci-base-") as folder:
        archive = Path(folder) / "base.tar"
        done = subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(archive)],
            env=without_secrets(os.environ),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise ImageBuildFailed(
                "mmdebstrap could not make the base image",
                where=DEFAULT_BASE,
                why=one_line(" / ".join(done.stderr.strip().splitlines()[-3:])),
                todo=_BASE_HELP,
            )
        with translated("importing the base image"):
            repository, tag = _split(DEFAULT_BASE)
            engine.api.import_image_from_file(
                str(archive),
                repository=repository,
                tag=tag,
                changes=["LABEL aisci.image=base aisci.made-by=mmdebstrap", 'CMD ["bash"]'],
            )
            return _id(engine, DEFAULT_BASE)


def _id(engine: Engine, name: str) -> str:
    return str(engine.images.get(name).id)


def _split(name: str) -> tuple[str, str | None]:
    """``registry:5000/debian:12`` → (``registry:5000/debian``, ``12``); a digest stays whole."""
    if "@" in name:
        return name, None
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")
