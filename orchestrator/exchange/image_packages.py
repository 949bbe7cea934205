"""The packages in an image, read by a hardened container of that image; the host parses bounded text alone."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchestrator.core.errors import AisciError
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.sanitize import plain_line
from orchestrator.core.tree import Tree
from orchestrator.exchange.components import SoftwarePackage, licence_of, python_name
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox

_PARTS = ("dpkg.txt", "licences.txt", "python.txt")
_MARK = "\x1e"  # before each file's text
_SCRIPT = """
cat /var/lib/dpkg/status >dpkg.txt 2>/dev/null
for f in /usr/share/doc/*/copyright; do
  [ -f "$f" ] || continue
  printf '\\036%s\\n' "$f"; grep -h '^License:' "$f" | sort -u | head -n 20
done >licences.txt
find / -xdev -path '*.dist-info/METADATA' 2>/dev/null | sort | while read -r f; do
  printf '\\036%s\\n' "$f"; sed '/^$/q' "$f" | cut -c 1-400 | head -n 200
done >python.txt
exit 0
"""
_MOST = 16 << 20  # bytes of one answer
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*", re.ASCII)


def image_packages(engine: Engine, image: str) -> tuple[SoftwarePackage, ...]:
    """What is in ``image``: Debian's packages and Python's. Nothing of the image is read or run on the host.

    Raises :class:`ImageMissing`, :class:`ImageStale`, :class:`AisciError` for one that does not tell.
    """
    dpkg, licences, python = _told(engine, image)
    return (*debian_packages(dpkg, licences), *python_packages(python))


def _told(engine: Engine, image: str) -> tuple[str, str, str]:
    """What a container of the image tells, under the limits of the policy ``ci-cpu`` and without a network."""
    limits = load_policy("ci-cpu", shipped_root() / "policies").limits("experiment")
    job = Job(
        scope="sbom",
        kind="experiment",
        argv=("/bin/sh", "-c", _SCRIPT),
        files=Tree(),
        limits=replace(limits, image=image),
        harvest=_PARTS,
    )
    name = f"sbom-{secrets.token_hex(4)}"
    resolve = partial(resolve_image, engine)
    with (
        SandboxPool(engine, name, resolve, policy="sbom") as pool,
        tempfile.TemporaryDirectory(prefix="aisci-sbom-") as folder,
    ):
        blobs = BlobStore(Path(folder))
        result = DockerSandbox(pool, blobs).run(job)
        files = result.files.as_dict()
        if not result.ok or not set(_PARTS) <= files.keys():
            raise AisciError(
                "the image's container did not tell what is in it",
                where=image,
                why=plain_line(f"{result.verdict}: {result.stderr[-400:]}"),
                todo="an image needs a shell, grep, sed and find for this; `aisci doctor` tests the engine",
            )
        texts = [blobs.get(files[part], _MOST).decode(errors="replace") for part in _PARTS]
    return texts[0], texts[1], texts[2]


def debian_packages(status: str, licences: str) -> Iterator[SoftwarePackage]:
    """The installed packages of dpkg's list, each with the names of the licences in its copyright file."""
    named = {
        path.split("/")[-2]: _licences(text)
        for path, text in _marked(licences)
        if path.count("/") > 1
    }
    for paragraph in status.split("\n\n"):
        fields = {
            line.partition(": ")[0]: line.partition(": ")[2]
            for line in paragraph.splitlines()
            if not line.startswith(" ")
        }
        name, version = fields.get("Package", ""), fields.get("Version", "")
        if not _PACKAGE.fullmatch(name) or " installed" not in fields.get("Status", ""):
            continue
        yield SoftwarePackage(
            kind="deb",
            namespace="debian",
            name=name,
            version=plain_line(version),
            licence=named.get(name, ""),
            qualifiers=(("arch", plain_line(fields.get("Architecture", "all"))),),
        )


def python_packages(told: str) -> Iterator[SoftwarePackage]:
    """The packages whose ``METADATA`` the image has."""
    for _, text in _marked(told):
        fields = {
            line.partition(": ")[0].lower(): line.partition(": ")[2]
            for line in reversed(text.splitlines())
        }
        name, version = python_name(fields.get("name", "")), fields.get("version", "")
        if not _PACKAGE.fullmatch(name) or not version:
            continue
        licence, expression = licence_of(text)
        yield SoftwarePackage(
            kind="pypi",
            name=name,
            version=plain_line(version),
            licence=licence,
            expression=expression,
        )


def _marked(text: str) -> Iterator[tuple[str, str]]:
    for one in text.split(_MARK)[1:]:
        path, _, content = one.partition("\n")
        yield path, content


def _licences(text: str) -> str:
    """The names in a copyright file, without repetition."""
    names = (line.removeprefix("License:").strip() for line in text.splitlines())
    return plain_line("; ".join(dict.fromkeys(name for name in names if name)), limit=300)
