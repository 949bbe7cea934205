"""One complete proof, as it is stored: what was proved, where, when, with what outcome."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.decode import decode
from orchestrator.core.errors import BadFile
from orchestrator.core.job import Attestation, ContainerKind
from orchestrator.core.tree import digest
from orchestrator.policy.controls import CONTROLS
from orchestrator.policy.controls.control import Control
from orchestrator.proof.judge import WORST_FIRST, ProbeResult, ProbeState


@dataclass(frozen=True, slots=True, kw_only=True)
class FullRun:
    """One kind of container at the policy's own limits, with a program that does nothing.

    ``attestation`` has what was asked for, what the engine created and what the kernel enforces; it
    is None where no such container can run here, and ``why`` is the reason.
    """

    kind: ContainerKind
    attestation: Attestation | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof of one policy. ``at`` is UTC; ``seconds`` is how long it took.

    ``images`` are (kind of container, image id); ``unproved`` are (control, reason) of what this
    machine cannot show; ``left_out`` are (probe, reason) of what the policy does not promise.
    ``asked`` are the words that selected some of the probes; such a proof never counts as newest.
    """

    schema: int = 1
    policy: str
    origin: str
    hash: str
    at: str
    seconds: float
    program: str
    engine: str
    kernel: str
    machine: str
    cgroup: int
    runtimes: tuple[str, ...]
    storage: str
    images: tuple[tuple[str, str], ...]
    results: tuple[ProbeResult, ...]
    whole: tuple[FullRun, ...]
    unproved: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def outcome(self) -> ProbeState:
        """The worst of all states."""
        states = {one.state for one in self.results}
        states |= {"not provable here"} if self.unproved else set()
        return next((state for state in WORST_FIRST if state in states), "not provable here")

    @property
    def exit_code(self) -> int:
        return {"did not hold": 1, "not provable here": 3}.get(self.outcome, 0)

    @property
    def sha256(self) -> str:
        """The hash of the stored proof, by which a run's record pins it."""
        return digest(proof_bytes(self))

    def counts(self) -> dict[ProbeState, int]:
        """The number of results of each state, including zeros, the worst first."""
        return {state: sum(one.state == state for one in self.results) for state in WORST_FIRST}


@dataclass(frozen=True, slots=True)
class Row:
    """One control of the policy: its state, from which probes, and why."""

    control: Control
    state: Literal[ProbeState, "nothing is promised", "not tried"]
    results: tuple[ProbeResult, ...]
    why: str = ""


def by_control(proof: Proof) -> tuple[Row, ...]:
    """Every control in its usual order, with its results, the worst first.

    A control without a result has a reason: this machine cannot show it, the policy promises
    nothing, or only some probes were asked for.
    """
    reasons = dict(proof.unproved)
    rows = []
    for control in (one for one in CONTROLS if one.in_containers):
        results = tuple(one for one in proof.results if control.id in one.controls)
        states = {one.state for one in results}
        worst = next((state for state in WORST_FIRST if state in states), None)
        if control.id in reasons and worst in {"held", "held otherwise", None}:
            rows.append(Row(control, "not provable here", results, reasons[control.id]))
        elif worst is None:
            rows.append(Row(control, "not tried" if proof.asked else "nothing is promised", ()))
        else:
            why = next((one.why for one in results if one.state == worst), "")
            rows.append(Row(control, worst, results, why))
    return tuple(rows)


def proof_bytes(proof: Proof) -> bytes:
    """The proof as a JSON file's bytes."""
    fields: dict[str, Any] = {**asdict(proof), "outcome": proof.outcome}
    return (json.dumps(fields, indent=1, ensure_ascii=True) + "\n").encode()


def read_proof(path: Path) -> Proof:
    """The proof in a file. Raises :class:`BadFile` if it is not one of this version."""
    try:
        known = json.loads(path.read_bytes())
        known.pop("outcome")
        return decode(Proof, known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(
            "a proof cannot be read",
            where=str(path),
            why=type(error).__name__,
            todo="prove the policy again: aisci policy prove NAME",
        ) from error
