"""What a probe is, read from the header of its own file.

A program's docstring, or the first comment of a LaTeX source or of a model's reply::

    Nothing can be made a mount point.

    tries: to mount a tmpfs, to bind a folder over another
    parts: container.capabilities, seccomp.profile
    family: 9
    kinds: experiment, latex, editor
    bare: rights

The first paragraph is the promise that must hold. The other keys are in :class:`Probe`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from orchestrator.core.decode import decode
from orchestrator.core.errors import BadFile, UnknownName
from orchestrator.core.job import ContainerKind, Verdict
from orchestrator.core.problems import nearest
from orchestrator.core.units import parse_size, parse_time
from orchestrator.policy.runtimes import departures
from orchestrator.proof.mechanisms import PARTS

PROBES_FOLDER = "sandbox/probes"
HELPERS = "helpers"  # of FOLDER: what probes share; no probe

Bare = Literal[
    "plain", "rights", "world", "host network", "host processes", "host ipc", "nobody", "all gpus"
]  # fmt: skip
JudgedBy = Literal["itself", "home", "home whole", "numbers", "opaque", "words", "fenced", "host"]
Requirement = Literal["", "allow-list", "gvisor", "gpu", "no gpu", "whole policy"]

SIZE_LIMITS = frozenset({"memory", "shm", "workspace", "tmp", "file", "logs"})
TIME_LIMITS = frozenset({"wall", "cpu_time", "grace"})
_COUNTS = frozenset({"pids", "open_files", "inodes", "cpus"})


def _words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(","))


def _lowered(value: str) -> tuple[tuple[str, float], ...]:
    """Parse ``memory 64MiB, wall 3s`` to pairs of a limit's name and its number."""
    return tuple(map(_limit, _words(value)))


def _limit(entry: str) -> tuple[str, float]:
    name, _, text = entry.partition(" ")
    if name in SIZE_LIMITS:
        return name, parse_size(text)
    if name in TIME_LIMITS:
        return name, parse_time(text)
    if name in _COUNTS:
        return name, float(text) if name == "cpus" else int(text)
    raise ValueError(f"no limit is called {name!r}")


_Words = BeforeValidator(_words)
_Family = Annotated[int, Field(ge=1, le=28)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe. ``id`` is its path in the folder of probes, without the suffix.

    ``bare`` says how bare the container is in which it must get through. ``ends`` are verdicts by
    which the host ends the job that tries it, ``lower`` limits that should be small, so that it is
    quick and fills no disk; either gives it its own container. ``judge`` says what decides whether
    it got through. ``otherwise`` names the exception of gVisor by which it gets through there.
    ``needs`` is what a policy or machine must have for the probe to apply.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # of headers

    id: str
    file: str
    promise: Annotated[str, Field(min_length=10, max_length=200)]
    tries: Annotated[str, Field(min_length=5, max_length=300)]
    parts: Annotated[tuple[str, ...], _Words]
    families: Annotated[tuple[_Family, ...], _Words, Field(alias="family")]
    kinds: Annotated[tuple[ContainerKind, ...], _Words]
    bare: Bare = "plain"
    ends: Annotated[tuple[Verdict, ...], _Words] = ()
    lower: Annotated[tuple[tuple[str, float], ...], BeforeValidator(_lowered)] = ()
    judge: JudgedBy = "itself"
    alone: bool = False
    otherwise: str = ""
    needs: Requirement = ""


def shipped_probes(root: Path) -> tuple[Probe, ...]:
    """Every shipped probe, sorted by id; ``root`` holds ``sandbox/``. Raises :class:`BadFile`."""
    folder = root / PROBES_FOLDER
    paths = (path for suffix in ("py", "tex", "md") for path in folder.glob(f"*/*.{suffix}"))
    return tuple(load_probe(path, folder) for path in sorted(paths) if path.parent.name != HELPERS)


def load_probe(path: Path, folder: Path) -> Probe:
    """The probe in one file. Raises :class:`BadFile`."""
    name = path.relative_to(folder)
    own = {"id": str(name.with_suffix("")), "file": str(name)}
    try:
        probe = decode(Probe, _parse(_head_of(path), own))
    except (ValueError, SyntaxError) as error:
        raise BadFile(
            "a probe's header is invalid",
            where=str(path),
            why=_why(error),
            todo="see docs/proof.md, a probe of your own",
        ) from error
    _check_names(path, probe)
    alone = probe.alone or bool(probe.ends or probe.lower) or probe.judge != "itself"
    return replace(probe, alone=alone)


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


def _check_names(path: Path, probe: Probe) -> None:
    """Check names that are defined elsewhere: parts, and gVisor's exceptions."""
    exceptions = {one.control for one in departures("runsc")} | {""}
    names = [(part, PARTS.keys()) for part in probe.parts]
    for name, known in (*names, (probe.otherwise, exceptions)):
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


def _parse(head: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """A first paragraph, then ``key: value`` lines; an indented line continues the last value."""
    promise, _, rest = head.partition("\n\n")
    fields = {**own, "promise": " ".join(promise.split())}
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
