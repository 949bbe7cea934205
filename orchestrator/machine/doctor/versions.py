"""Versions with known container escapes, rated by what a program in aisci's containers could use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from orchestrator.core.host import Host
from orchestrator.machine.doctor.advisories import (
    ADVISORIES,
    Exposure,
    Reach,
    exposures,
    is_fixed,
    read_version,
)
from orchestrator.machine.doctor.check import Basis, Check

# The distributions' packages of each component, and where they list what they fixed.
_SOURCES = {"Engine": "docker.io", "containerd": "containerd", "runc": "runc"}
_TRACKERS = (
    ("Debian", "https://security-tracker.debian.org/tracker/source-package/{}"),
    ("Ubuntu", "https://ubuntu.com/security/cves?package={}"),
)
_COMPONENTS = tuple(dict.fromkeys(row.component for row in ADVISORIES))

_check = partial(Check, "known holes")


def version_checks(host: Host) -> Iterator[Check]:
    """One check per component; one more for each hole that a program in a container could use."""
    known = tuple(exposures(host))
    for component in _COMPONENTS:
        own = [one for one in known if one.advisory.component == component]
        if own:
            yield _component(component, own, host)
            for one in own:
                if _is_open(one, "inside"):
                    todo = f"{component} {' or '.join(one.advisory.fixed)}, or newer"
                    yield _check(component, "fail", _detail(one), "reported", todo)
        elif component in _SOURCES:
            found = "the engine does not report its version; its holes are not known here"
            todo = "see the security tracker of the engine's distribution"
            yield _check(component, "warn", found, "reported", todo)


def _is_open(one: Exposure, reach: Reach) -> bool:
    return one.status == "open" and one.advisory.reach == reach


def _component(name: str, own: Sequence[Exposure], host: Host) -> Check:
    """The holes that are closed, and by whom; and those that are open but out of reach."""
    found = own[0].version
    if any(one.status == "unread" for one in own):
        found += " is no version that can be compared with a fixed one"
        todo = "see whether it is newer than " + ", ".join(one.advisory.fixed[-1] for one in own)
        return _check(name, "warn", found, "reported", todo)
    patched = [one for one in own if one.status == "patched"]
    if patched:
        where = "; ".join(f"{', '.join(one.advisory.ids)} in {one.where}" for one in patched)
        found += f"; fixed by the distribution: {where}"
    left = [one for one in own if _is_open(one, "outside")]
    if left:
        ids = ", ".join(cve for one in left for cve in one.ids)
        found += f"; open, and out of reach of a program in aisci's containers: {ids}"
    elif not any(_is_open(one, "inside") for one in own):
        found += "; no known hole is open"
    todo, details = _remedy(name, left, host) if left else "", tuple(map(_detail, left))
    basis: Basis = "read" if patched else "reported"
    return _check(name, "warn" if left else "ok", found, basis, todo, details)


def _detail(one: Exposure) -> str:
    """What the hole needs, why that is or is not within reach here, and the source."""
    row = one.advisory
    return f"{', '.join(one.ids)}: needs {row.needs}; here {row.here}. {row.source}"


def _remedy(component: str, left: Sequence[Exposure], host: Host) -> str:
    """The versions that close all of them, and where a distribution lists its own fixes."""
    lines = dict.fromkeys(text for one in left for text in one.advisory.fixed)
    known = [(text, number) for text in lines if (number := read_version(text)) is not None]
    fixed = [one.advisory.fixed for one in left]
    enough = [text for text, number in known if all(is_fixed(number, rows) for rows in fixed)]
    todo = f"{component} {' or '.join(enough)}, or newer"
    source = _SOURCES.get(component, "")
    if source in dict(host.packages):
        for name, url in _TRACKERS:
            if host.system.startswith(name):
                todo += f"\nwhat {name} fixed under this number: {url.format(source)}"
    return todo
