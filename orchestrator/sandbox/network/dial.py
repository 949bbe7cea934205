"""How the allow-list's proxy connects: a name resolved once, a public address dialled."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.core.sanitize import plain_line
from orchestrator.sandbox.network.allowlist import PORT, why_not_public

_DIAL_TIME = 10.0  # seconds for one address


def look_up(host: str) -> tuple[str, ...]:
    """Addresses of ``host``; the dot avoids search domains. Raises OSError if it has none."""
    found = socket.getaddrinfo(f"{host}.".encode("ascii"), PORT, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def dial(address: str) -> socket.socket:
    """A connection to exactly that address. Raises OSError if none is made in ten seconds."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(_DIAL_TIME)
        sock.connect((address, PORT))
    except OSError:
        sock.close()
        raise
    return sock


@dataclass(frozen=True, slots=True)
class Dialer:
    """How the proxy resolves and connects; whether an address is allowed is decided elsewhere."""

    look_up: Callable[[str], tuple[str, ...]] = look_up
    dial: Callable[[str], socket.socket] = dial


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """The result of one look-up, for the rest of the job; refused where ``why`` says so."""

    addresses: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Resolver:
    """Each name's addresses, looked up once: a later, different answer is never used."""

    look_up: Callable[[str], tuple[str, ...]]
    known: dict[str, ResolvedHost] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, host: str) -> ResolvedHost:
        with self.lock:
            if host not in self.known:
                try:
                    self.known[host] = _checked(self.look_up(host))
                except OSError as error:  # no answer: the next connection asks again
                    why = f"no address found: {plain_line(error.strerror or error)}"
                    return ResolvedHost(why=why)
            return self.known[host]


def _checked(addresses: tuple[str, ...]) -> ResolvedHost:
    for address in addresses:
        why = why_not_public(address)
        if why:  # one is enough: a name that resolves to both is an attack
            return ResolvedHost(why=f"{plain_line(address)} is not public: {why}")
    return ResolvedHost(addresses) if addresses else ResolvedHost(why="no address found")
