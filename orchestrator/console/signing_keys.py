"""The key that an option names, opened before anything starts; a person at a terminal is asked for a passphrase.

The passphrase is read by the terminal alone: no argument, variable or file holds it, and no child gets it.
"""

from __future__ import annotations

import sys
from getpass import getpass
from typing import overload

from orchestrator.core.sanitize import plain_line
from orchestrator.record.key_names import open_signer
from orchestrator.record.signing import Signer


@overload
def key_named(name: str, option: str = ..., *, background: bool = ...) -> Signer: ...
@overload
def key_named(name: None, option: str = ..., *, background: bool = ...) -> None: ...


def key_named(
    name: str | None, option: str = "--sign", *, background: bool = False
) -> Signer | None:
    """The key, ready to sign; None without a name. For a run in the ``background`` nobody is asked: its process
    has no terminal. Raises :class:`UserError`.
    """
    if name is None:
        return None
    asks = sys.stdin.isatty() and not background
    return open_signer(name, option, _asked if asks else None)


def _asked(what: str) -> str:
    try:
        return getpass(f"passphrase of {plain_line(what, limit=300)}: ")
    except EOFError:
        return ""
