"""What a probe is, read from the header of its own file.

A program's docstring, or the first comment of a LaTeX source or of a model's reply::

    Nothing can be made a mount point.

    tries: to mount a tmpfs, to bind a folder over another
    parts: container.capabilities, seccomp.profile
    family: 9
    kinds: experiment, latex, editor
    bare: rights

The first paragraph is the promise that must hold. The other keys are in :class:`_Head`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from orchestrator.core.errors import BadFile, UnknownName
from orchestrator.core.job import ContainerKind, Verdict
from orchestrator.core.problems import nearest
from orchestrator.core.units import parse_size, parse_time
from orchestrator.policy.runtimes import departures
from orchestrator.proof.mechanisms import PART_IDS

PROBES_FOLDER = "sandbox/probes"
HELPERS = "helpers"  # of FOLDER: what probes share; no probe

Bare = Literal[
    "plain", "rights", "world", "host network", "host processes", "host ipc", "nobody", "all gpus"
]  # fmt: skip
JudgedBy = Literal["itself", "home", "home whole", "numbers", "opaque", "words", "fenced", "host"]
Requirement = Literal["", "allow-list", "gvisor", "gpu", "no gpu", "whole policy"]

_SIZES = frozenset({"memory", "shm", "workspace", "tmp", "file", "logs"})
_TIMES = frozenset({"wall", "cpu_time", "grace"})
_COUNTS = frozenset({"pids", "open_files", "inodes", "cpus"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe. ``id`` is its path in the folder of probes, without the suffix.

    ``bare`` says how bare the container is in which it must get through. ``ends`` are verdicts by
    which the host ends the job that tries it, ``lower`` limits that should be small, so that it is
    quick and fills no disk; either gives it its own container. ``judge`` says what decides whether
    it got through. ``otherwise`` names the exception of gVisor by which it gets through there.
    ``needs`` is what a policy or machine must have for the probe to apply.
    """

    id: str
    file: str
    promise: str
    tries: str
    parts: tuple[str, ...]
    families: tuple[int, ...]
    kinds: tuple[ContainerKind, ...]
    bare: Bare = "plain"
    ends: tuple[Verdict, ...] = ()
    lower: tuple[tuple[str, float], ...] = ()
    judge: JudgedBy = "itself"
    alone: bool = False
    otherwise: str = ""
    needs: Requirement = ""


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _lowered(value: Any) -> Any:
    """Parse ``memory 64MiB, wall 3s`` to pairs of a limit's name and its number."""
    if not isinstance(value, str):
        return value
    return tuple(_limit(part.strip()) for part in value.split(","))


def _limit(entry: str) -> tuple[str, float]:
    name, _, text = entry.partition(" ")
    if name in _SIZES:
        return name, parse_size(text)
    if name in _TIMES:
        return name, parse_time(text)
    if name in _COUNTS:
        return name, float(text) if name == "cpus" else int(text)
    raise ValueError(f"no limit is called {name!r}")


class _Head(BaseModel):
    """The keys of a probe's header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promise: str = Field(min_length=10, max_length=200)
    tries: str = Field(min_length=5, max_length=300)
    parts: Annotated[tuple[str, ...], BeforeValidator(_words)]
    family: Annotated[tuple[Annotated[int, Field(ge=1, le=28)], ...], BeforeValidator(_words)]
    kinds: Annotated[tuple[ContainerKind, ...], BeforeValidator(_words)]
    bare: Bare = "plain"
    ends: Annotated[tuple[Verdict, ...], BeforeValidator(_words)] = ()
    lower: Annotated[tuple[tuple[str, float], ...], BeforeValidator(_lowered)] = ()
    judge: JudgedBy = "itself"
    alone: bool = False
    otherwise: str = ""
    needs: Requirement = ""


def shipped_probes(root: Path) -> tuple[Probe, ...]:
    """Every shipped probe, sorted by id; ``root`` holds ``sandbox/``.

    Raises :class:`BadFile` for an invalid header.
    """
    folder = root / PROBES_FOLDER
    paths = (path for suffix in ("py", "tex", "md") for path in folder.glob(f"*/*.{suffix}"))
    return tuple(load_probe(path, folder) for path in sorted(paths) if path.parent.name != HELPERS)


def load_probe(path: Path, folder: Path) -> Probe:
    """The probe in one file. Raises :class:`BadFile`."""
    name = path.relative_to(folder)
    try:
        head = _Head.model_validate(_parse(_head_of(path)))
    except (ValueError, SyntaxError) as error:
        raise BadFile(
            "a probe's header is invalid",
            where=str(path),
            why=_why(error),
            todo="see docs/proof.md, a probe of your own",
        ) from error
    _check_names(path, head)
    fields = dict(head)
    fields["families"] = fields.pop("family")
    fields["alone"] |= bool(head.ends or head.lower) or head.judge != "itself"
    return Probe(id=str(name.with_suffix("")), file=str(name), **fields)


def select_probes(probes: tuple[Probe, ...], names: tuple[str, ...]) -> tuple[Probe, ...]:
    """The probes whose id, folder or part is among ``names``; all if there are none.

    Raises :class:`UnknownName` for a name that is none of the three.
    """
    if not names:
        return probes
    known = {word for probe in probes for word in _names_of(probe)}
    for name in names:
        if name not in known:
            raise UnknownName(
                f"no probe, folder of probes or part of a control is called {name!r}",
                where="--only",
                todo=nearest(name, tuple(sorted(known))),
            )
    return tuple(probe for probe in probes if set(names) & set(_names_of(probe)))


def _names_of(probe: Probe) -> tuple[str, ...]:
    controls = (part.partition(".")[0] for part in probe.parts)
    return (probe.id, probe.id.partition("/")[0], *probe.parts, *controls)


def _check_names(path: Path, head: _Head) -> None:
    """Check names that are defined elsewhere: parts, and gVisor's exceptions."""
    exceptions = {one.control for one in departures("runsc")}
    names = [(part, PART_IDS) for part in head.parts]
    for name, known in (*names, (head.otherwise, exceptions | {""})):
        if name not in known:
            raise BadFile(
                f"a probe names {name!r}, which does not exist",
                where=str(path),
                todo=nearest(name, tuple(sorted(known))),
            )


def _head_of(path: Path) -> str:
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text)) or ""
    if path.suffix == ".md":
        comment = re.match(r"<!--\n(.*?)\n-->", text, re.DOTALL)
        return comment[1] if comment else ""
    comments = takewhile(lambda line: line.startswith("%"), text.splitlines())
    return "\n".join(line[1:].removeprefix(" ") for line in comments)


def _parse(head: str) -> Mapping[str, str]:
    """A first paragraph, then ``key: value`` lines; an indented line continues the last value."""
    promise, _, rest = head.partition("\n\n")
    fields = {"promise": " ".join(promise.split())}
    last = ""
    for line in rest.splitlines():
        if line.startswith(" ") and last:
            fields[last] += " " + line.strip()
            continue
        last, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"{line!r} is not `key: value`")
        if last in fields:
            raise ValueError(f"{last!r} occurs twice")
        fields[last] = value.strip()
    return fields


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error)
