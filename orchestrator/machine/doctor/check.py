"""One line of the doctor's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "note", "warn", "fail", "refused"]
Basis = Literal["tested", "reported", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found of one thing, and what to do, empty where nothing is to be done.

    ``fail``: nothing runs here, or what runs is not held. ``warn``: less is held, or fewer
    policies run, than could. ``note``: to be known. ``refused``: a policy that cannot run here. ``basis`` is ``tested`` for what was tried
    just now and seen, ``reported`` for the engine's word, ``read`` for the system's own files.
    ``details`` are for whoever wants to know more.
    """

    group: str
    name: str
    state: CheckState
    found: str
    basis: Basis
    todo: str = ""
    details: tuple[str, ...] = ()
