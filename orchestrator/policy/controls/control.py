"""One control of a policy, and the texts that several controls share.

Counterparts are numbered as in the CIS Docker Benchmark 1.6.0, section 5 (container runtime),
and named as in the Kubernetes Pod Security Standards, profile "restricted".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from orchestrator.core.host import Host
from orchestrator.policy.policy import Policy
from orchestrator.policy.runtimes import Departure, departures
from orchestrator.policy.schema import BLOCKS, SETTINGS, Container

CIS = "CIS Docker Benchmark 1.6.0 §5"
PSS = 'Pod Security "restricted"'
CALLED = {"experiment": "experiments", "latex": "LaTeX", "editor": "the editor"}


@dataclass(frozen=True, slots=True)
class How:
    """How one machine provides a control. ``unknown``: not tested here, or there is no engine."""

    state: Literal["given", "missing", "unknown"]
    text: str


NO_ENGINE = How("unknown", "no engine answers here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control.

    ``keys`` are patterns of the settings that it covers; ``*.user`` is that key of each kind of
    container. ``cis`` are numbers and ``pss`` fields of the two standards, empty where they have
    no counterpart. ``by`` is who enforces it; ``not_stopped`` is what gets past it. Without
    ``in_containers``, no program in a container meets it, so that no probe can try it.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    by: str
    meaning: Callable[[Policy], str]
    how: Callable[[Host, Policy], How]
    cis: tuple[str, ...] = ()
    pss: tuple[str, ...] = ()
    not_stopped: str
    in_containers: bool = True

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that match ``keys``."""
        return tuple(key for key in SETTINGS if any(fnmatchcase(key, one) for one in self.keys))


def container_blocks(policy: Policy) -> dict[str, Container]:
    """The containers of ``policy`` by kind, without the editor's if it runs on the host."""
    kinds = [kind for kind in BLOCKS if not (kind == "editor" and policy.editor_on_host)]
    return {kind: getattr(policy.whole, kind) for kind in kinds}


def each(policy: Policy, say: Callable[[Container], str]) -> str:
    """``1GiB in every container``, or ``experiments 3GiB; LaTeX 1GiB; the editor 1GiB``."""
    texts = {CALLED[kind]: say(block) for kind, block in container_blocks(policy).items()}
    if len(set(texts.values())) == 1:
        return f"{next(iter(texts.values()))} in every container"
    return "; ".join(f"{kind} {text}" for kind, text in texts.items())


def stated(text: str, *say: Callable[[Container], str]) -> Callable[[Policy], str]:
    """A control's meaning: ``text``, with what each of ``say`` gives by :func:`each` in its ``{}``."""
    return lambda policy: text.format(*(each(policy, one) for one in say))


def departing(policy: Policy) -> tuple[Departure, ...]:
    """The controls that the policy's runtimes enforce differently from runc."""
    return tuple(one for runtime in runtimes_of(policy) for one in departures(runtime))


def runtimes_of(policy: Policy) -> list[str]:
    return sorted({block.runtime for block in container_blocks(policy).values()})


def by_engine(text: str, host: Host, policy: Policy, *, lacks: str = "") -> How:
    """Given if a hardened job ran as requested just now, under each runtime of the policy.

    ``lacks`` names what the engine does not have.
    """
    if host.engine is None:
        return NO_ENGINE
    if lacks:
        return How("missing", f"{host.engine.name} {host.engine.version} {lacks}")
    for name in runtimes_of(policy):
        if host.runtime(name).state != "tested":
            return How("unknown", f"{text}; not seen here under {name}")
    return How("given", text)


def by_host(text: str, *_: object) -> How:
    """A control that ``aisci`` provides itself, on any machine."""
    return How("given", text)
