"""Asking the allow-list's proxy for something, as no client of the usual kind would."""

from __future__ import annotations

import socket
import ssl

from probing import GIVEN, stop

ALLOWED: str = next(
    iter(GIVEN["network"]), "none.example.org:443"
)  # one of the list, with its port
NAME = ALLOWED.partition(":")[0]
PROXY = ("127.0.0.1", 3128)
SOCKET = "/run/aisci/egress.sock"
WAIT = 15.0  # seconds


def connect(host: str) -> str:
    """The first line of the answer, if that is a yes."""
    return ask(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n")


def ask(request: str, *, by_socket: bool = False) -> str:
    """The first line of the answer to a whole request, if that is a yes."""
    with opened(by_socket=by_socket) as proxy:
        return answered(proxy, request)


def opened(*, by_socket: bool = False) -> socket.socket:
    if not by_socket:
        return socket.create_connection(PROXY, timeout=WAIT)
    local = socket.socket(socket.AF_UNIX)
    local.settimeout(WAIT)
    local.connect(SOCKET)
    return local


def answered(proxy: socket.socket, request: str) -> str:
    proxy.sendall(request.encode("latin-1"))
    line = proxy.recv(4096).partition(b"\r\n")[0].decode(errors="replace")
    return line if line.startswith("HTTP/1.1 2") else stop(line or "the proxy hung up")


def through(data: bytes) -> str:
    """What comes back of ``data``, sent through a tunnel to the allowed host."""
    with opened() as proxy:
        answered(proxy, f"CONNECT {ALLOWED} HTTP/1.1\r\nHost: {ALLOWED}\r\n\r\n")
        proxy.sendall(data)
        came = proxy.recv(4096)
        return f"{len(came)} bytes came back" if came else stop("the proxy hung up")


def hello(name: str | None) -> bytes:
    """The first bytes of TLS for that name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    return b""
