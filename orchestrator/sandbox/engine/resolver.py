"""What a container's ``/etc/resolv.conf`` says: nothing of the host.

An engine copies the host's name servers, search domains and options into every container, also into
one without a network: they name a company's inner network. The settings here replace all three. What
an engine copies besides, as newer ones do with lines that they do not know, is found in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.core.job import UNREAD
from orchestrator.record.attestation import SettingPairs

NO_NAMES: dict[str, Any] = {"Dns": ["127.0.0.1"], "DnsSearch": ["."], "DnsOptions": ["ndots:1"]}
"""Of a HostConfig: what an empty file means to libc (resolv.conf(5)). An engine takes an empty list
for "as on the host", and ``.`` for no search domain."""

RESOLVER = "resolv.conf"
_OWN = ("nameserver 127.0.0.1", "options ndots:1")
_MOST = 1 << 16  # bytes


def resolver_of(path: str) -> SettingPairs:
    """The lines of the file that the engine mounts as ``/etc/resolv.conf``, without comments."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST).decode(errors="replace")
    except OSError:
        return ((RESOLVER, UNREAD),)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return ((RESOLVER, "; ".join(line for line in lines if line and line[0] not in "#;")),)


def foreign_lines(seen: SettingPairs) -> list[str]:
    """The lines that are not of :data:`NO_NAMES`, by their first word: no text repeats a host's name."""
    lines = dict(seen).get(RESOLVER, UNREAD)
    if lines == UNREAD:
        return []
    found = {line.split()[0] for line in lines.split("; ") if line and line not in _OWN}
    return [f"{RESOLVER} has a line of the host's: {word}" for word in sorted(found)]
