"""Sending something somewhere, so that it is known whether the kernel let a packet go.

Whether anybody answers is another matter: a packet that left has left. So an attempt gets
through, too, when the other side refuses, or says nothing for as long as one waits.
"""

from __future__ import annotations

import errno
import socket

NO_WAY = frozenset({
    errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM,
    errno.EACCES, errno.EINVAL, errno.ENETDOWN, errno.ENODEV,
})  # fmt: skip
WAIT = 2.0  # seconds


def family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(address: str, port: int) -> str:
    """Whether a connection to ``address`` was at least begun."""
    with socket.socket(family(address), socket.SOCK_STREAM) as one:
        one.settimeout(WAIT)
        try:
            one.connect((address, port))
        except OSError as error:
            if error.errno in NO_WAY:
                raise
            return f"it left: {error}"
    return "connected"


def udp(address: str, port: int, data: bytes = b"aisci") -> str:
    """Whether the kernel took a datagram for ``address``."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return f"{one.sendto(data, (address, port))} bytes left"
