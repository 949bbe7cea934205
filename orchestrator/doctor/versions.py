"""Versions with known ways out of a container, gated by what a program in ours could use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.advisories import ADVISORIES, Exposure, exposures
from orchestrator.doctor.check import Check
from orchestrator.host import Host

GROUP = "known holes"
_DISTRIBUTED = {"Engine": ("docker.io",), "containerd": ("containerd",), "runc": ("runc",)}
_TRACKERS = (
    ("Debian", "https://security-tracker.debian.org/tracker/"),
    ("Ubuntu", "https://ubuntu.com/security/"),
)
_JUDGED = tuple(dict.fromkeys(row.component for row in ADVISORIES))


def version_checks(host: Host) -> Iterator[Check]:
    """A line for each open hole, and one for each component of what is closed in it."""
    known = tuple(exposures(host))
    versions = dict(host.components)
    for component in _JUDGED:
        own = [one for one in known if one.advisory.component == component]
        if own:
            yield _component(component, versions[component], own)
            yield from (_open(one, host) for one in own if one.standing == "open")
    for component in ("Engine", "containerd", "runc"):
        if component not in versions:
            yield Check(
                group=GROUP,
                name=component,
                state="warn",
                found="the engine does not say its version; its holes are not known here",
                basis="reported",
                todo="see the distribution's security tracker for what the engine runs on",
            )


def _component(name: str, version: str, own: Iterable[Exposure]) -> Check:
    """What is closed, and by whom."""
    if any(one.standing == "unread" for one in own):
        return Check(
            group=GROUP,
            name=name,
            state="warn",
            found=f"{version} is no version that can be compared with a mended one",
            basis="reported",
            todo="see whether it is newer than " + ", ".join(one.advisory.fixed[-1] for one in own),
        )
    fixed = [cve for one in own if one.standing == "fixed" for cve in one.advisory.ids]
    mended = [f"{one.advisory.ids[0]} by {one.where}" for one in own if one.standing == "mended"]
    left = sum(len(one.ids) for one in own if one.standing == "open")
    closed = f"{len(fixed)} of its known holes closed by its version"
    return Check(
        group=GROUP,
        name=name,
        state="ok",
        found=f"{version}: {closed}"
        + (f"; {', '.join(mended)}" if mended else "")
        + (f"; {left} open, below" if left else ""),
        basis="read" if mended else "reported",
    )


def _open(one: Exposure, host: Host) -> Check:
    row = one.advisory
    newer = " or ".join(row.fixed)
    todo = f"{row.component} {newer}, or newer; {row.source}"
    if tracker := _tracker(host, row.component):
        todo += f"\nthe number alone does not tell: see {tracker}{one.ids[0]}"
    return Check(
        group=GROUP,
        name=row.component,
        state="fail" if row.reach == "inside" else "warn",
        found=f"{', '.join(one.ids)}: needs {row.needs}. {row.here[0].upper()}{row.here[1:]}",
        basis="reported",
        todo=todo,
    )


def _tracker(host: Host, component: str) -> str:
    """Where a distribution says what it mended under an unchanged number; empty for others'."""
    packages = dict(host.packages)
    if not any(name in packages for name in _DISTRIBUTED.get(component, ())):
        return ""
    return next((url for name, url in _TRACKERS if host.system.startswith(name)), "")
