"""Versions with known ways out of a container, gated by what a program in ours could use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.core.host import Host
from orchestrator.machine.doctor.advisories import (
    ADVISORIES,
    Exposure,
    Reach,
    exposures,
    is_fixed,
    read_version,
)
from orchestrator.machine.doctor.check import Check

_GROUP = "known holes"
# The distributions' packages of each component, and where they tell what they mended.
_SOURCES = {"Engine": "docker.io", "containerd": "containerd", "runc": "runc"}
_TRACKERS = (
    ("Debian", "https://security-tracker.debian.org/tracker/source-package/{}"),
    ("Ubuntu", "https://ubuntu.com/security/cves?package={}"),
)
_JUDGED = tuple(dict.fromkeys(row.component for row in ADVISORIES))


def version_checks(host: Host) -> Iterator[Check]:
    """A line for each component; one more for each hole that a program in ours could use."""
    known = tuple(exposures(host))
    for component in _JUDGED:
        own = [one for one in known if one.advisory.component == component]
        if own:
            yield _component(component, own, host)
            yield from (_within_reach(one) for one in own if _is_open(one, "inside"))
        elif component in _SOURCES:
            yield Check(
                group=_GROUP,
                name=component,
                state="warn",
                found="the engine does not say its version; its holes are not known here",
                basis="reported",
                todo="see the distribution's security tracker for what the engine runs on",
            )


def _is_open(one: Exposure, reach: Reach) -> bool:
    return one.standing == "open" and one.advisory.reach == reach


def _component(name: str, own: Sequence[Exposure], host: Host) -> Check:
    """What is closed, and by whom; and what is open but out of a program's reach."""
    version = own[0].version
    if any(one.standing == "unread" for one in own):
        return Check(
            group=_GROUP,
            name=name,
            state="warn",
            found=f"{version} is no version that can be compared with a mended one",
            basis="reported",
            todo="see whether it is newer than " + ", ".join(one.advisory.fixed[-1] for one in own),
        )
    mended = [one for one in own if one.standing == "mended"]
    left = [one for one in own if _is_open(one, "outside")]
    found = version
    if mended:
        where = "; ".join(f"{', '.join(one.advisory.ids)} in {one.where}" for one in mended)
        found += f"; mended by the distribution: {where}"
    if left:
        ids = ", ".join(cve for one in left for cve in one.ids)
        found += f"; open, and out of the reach of a program in our containers: {ids}"
    elif not any(_is_open(one, "inside") for one in own):
        found += "; no known hole is open"
    return Check(
        group=_GROUP,
        name=name,
        state="warn" if left else "ok",
        found=found,
        basis="read" if mended else "reported",
        todo=_remedy(name, left, host) if left else "",
        details=tuple(map(_detail, left)),
    )


def _within_reach(one: Exposure) -> Check:
    return Check(
        group=_GROUP,
        name=one.advisory.component,
        state="fail",
        found=_detail(one),
        basis="reported",
        todo=f"{one.advisory.component} {' or '.join(one.advisory.fixed)}, or newer",
    )


def _detail(one: Exposure) -> str:
    """What the hole needs, why that is or is not within reach here, and who says so."""
    row = one.advisory
    return f"{', '.join(one.ids)}: needs {row.needs}; here {row.here}. {row.source}"


def _remedy(component: str, left: Sequence[Exposure], host: Host) -> str:
    """The versions that close all of them, and where a distribution tells what the number hides."""
    lines = dict.fromkeys(text for one in left for text in one.advisory.fixed)
    enough = [text for text in lines if all(_closes(text, one) for one in left)]
    todo = f"{component} {' or '.join(enough)}, or newer"
    source = _SOURCES.get(component, "")
    if source in dict(host.packages):
        for name, url in _TRACKERS:
            if host.system.startswith(name):
                todo += f"\nwhat {name} mended under this number: {url.format(source)}"
    return todo


def _closes(text: str, one: Exposure) -> bool:
    number = read_version(text)
    return number is not None and is_fixed(number, one.advisory.fixed)
