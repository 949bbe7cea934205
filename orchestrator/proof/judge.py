"""Compares bare and guarded: what one probe shows about one kind of container."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from orchestrator.core.job import ContainerKind
from orchestrator.policy.runtimes import BIND, departures
from orchestrator.proof.observation import Attempt, Observation
from orchestrator.proof.probe import Probe

ProbeState = Literal["did not hold", "not provable here", "held otherwise", "held"]
WORST_FIRST: tuple[ProbeState, ...] = get_args(ProbeState)
"""All states, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One probe in one kind of container: its state, what was seen guarded and bare, and why.

    ``lowered`` lists the limits that were below the policy's, so that the probe is quick, as text;
    ``container`` is the guarded container's id, empty if there was none.
    """

    probe: str
    kind: ContainerKind
    promise: str
    tries: str
    parts: tuple[str, ...]
    families: tuple[int, ...]
    state: ProbeState
    saw: str
    why: str = ""
    bare: str = ""
    lowered: str = ""
    verdict: str = ""
    container: str = ""

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.partition(".")[0] for part in self.parts))


def judge_probe(
    probe: Probe, runtime: str, bare: Observation, guarded: Observation, storage: str = ""
) -> tuple[ProbeState, str, str]:
    """The state, what was seen guarded, and why it is not a plain "held".

    ``storage`` is the backend of the guarded container's workspace.
    """
    if not bare.attempts or len(bare.through) < len(bare.attempts) or not bare.done:
        stopped = [one for one in bare.attempts if not one.through]
        why = _texts(stopped[:3]) or bare.why or "it ended early"
        where = f"in the bare container either ({why})"
        return "not provable here", "", f"no probe here: it does not get through {where}"
    if guarded.through:
        return _through(probe, runtime, guarded, storage)
    missing = {one.name for one in bare.attempts} - {one.name for one in guarded.attempts}
    if guarded.done and not missing:
        return "held", seen_text(guarded), ""
    if guarded.verdict in probe.ends:
        return "held", f"the host ended it: {guarded.verdict}", ""
    left = f"; not tried: {', '.join(sorted(missing)[:3])}" if missing else ""
    how = f"it ended early ({guarded.verdict or 'no verdict'}){left}"
    return "did not hold", seen_text(guarded), " ".join(filter(None, (how, guarded.why)))


def _through(
    probe: Probe, runtime: str, guarded: Observation, storage: str
) -> tuple[ProbeState, str, str]:
    got = f"got through: {_texts(guarded.through[:4])}"
    if probe.otherwise and runtime != "runc":
        (known,) = (one for one in departures(runtime) if one.control == probe.otherwise)
        return "held otherwise", got, f"{known.instead}; {known.holds}"
    if storage == "xfs" and set(probe.parts) == {"disk.options"}:
        return "held otherwise", got, BIND
    return "did not hold", got, ""


def seen_text(seen: Observation) -> str:
    """What stopped the attempts, each answer once."""
    stopped = dict.fromkeys(one.saw for one in seen.attempts if not one.through and one.saw)
    return "; ".join(list(stopped)[:4]) or "nothing got through"


def _texts(attempts: Sequence[Attempt]) -> str:
    return "; ".join(f"{one.name}: {one.saw}" if one.saw else one.name for one in attempts)
