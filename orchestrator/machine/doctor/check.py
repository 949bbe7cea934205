"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "note", "warn", "fail", "refused"]
Basis = Literal["tested", "reported", "read"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one thing, and what to do (``todo``, empty where nothing is needed).

    ``fail``: nothing runs here, or limits are not enforced. ``warn``: fewer limits are enforced, or
    fewer policies run, than could. ``note``: for information. ``refused``: a policy that cannot run
    here. ``basis`` is ``tested`` for what was tried just now, ``reported`` for what the engine
    says, ``read`` for what the system's own files say. ``details`` are further explanations.
    """

    group: str
    name: str
    state: CheckState
    found: str
    basis: Basis
    todo: str = ""
    details: tuple[str, ...] = ()
