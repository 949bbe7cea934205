"""An Internet of two network namespaces on one wire: one to dial from, one with servers in it.

The addresses are public ones by every rule, and exist nowhere but here. Namespaces belong to
threads, and a socket stays in the one that it was made in; so proxy, servers and test are one
process. Nothing has a name outside it: the kernel frees all with the last descriptor.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.sandbox.network import dial as egress_world
from orchestrator.sandbox.network.dial import Dialer

HOST = "api.example.org"
ALLOWED = (f"{HOST}:443", "files.example.org:443")
SERVER, LISTENER, OURS = "93.184.216.34", "93.184.216.35", "93.184.216.1"
SERVER_V6, OURS_V6 = "2606:2800:220:1::34", "2606:2800:220:1::1"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def namespace() -> int:
    """A new network namespace's descriptor. Raises OSError where none can be made."""
    made: list[int | OSError] = []

    def make() -> None:
        try:
            _checked(_LIBC.unshare(_NEW_NETWORK))
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


@contextmanager
def inside(descriptor: int) -> Iterator[None]:
    """This thread's new sockets are in that namespace."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _checked(_LIBC.setns(descriptor, _NEW_NETWORK))
        try:
            yield
        finally:
            _checked(_LIBC.setns(before, _NEW_NETWORK))
    finally:
        os.close(before)


def ip(descriptor: int, *words: str, also: int = -1) -> None:
    """Run ``ip`` in a namespace; ``also`` is one more that it may name."""
    kept = [one for one in (descriptor, also) if one >= 0]
    argv = ["nsenter", f"--net=/proc/self/fd/{descriptor}", "ip", *words]
    subprocess.run(argv, pass_fds=kept, check=True, capture_output=True)


def until(condition: Callable[[], object], within: float = 30.0) -> None:
    """Wait for something that other threads bring about."""
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(0.01)


class Listener:
    """Keeps all that is sent to it, so that a test can say that nothing was."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.heard, self.callers = sock, b"", 0
        self.gone = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                with self.sock.accept()[0] as caller:
                    self.callers += 1
                    while data := caller.recv(1 << 12):
                        self.heard += data
                self.gone.set()


class Internet:
    """A TLS server at :data:`SERVER`, a mere listener at :data:`LISTENER`."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.world = namespace(), namespace()
        peer = f"/proc/self/fd/{self.world}"
        words = ("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", peer)
        ip(self.ours, *words, also=self.world)
        for side, own, own_v6 in ((self.ours, OURS, OURS_V6), (self.world, SERVER, SERVER_V6)):
            ip(side, "link", "set", "lo", "up")
            ip(side, "addr", "add", f"{own}/24", "dev", "wire")
            if Path("/proc/sys/net/ipv6").exists():
                ip(side, "addr", "add", f"{own_v6}/64", "dev", "wire", "nodad")
            ip(side, "link", "set", "wire", "up")
        ip(self.world, "addr", "add", f"{LISTENER}/24", "dev", "wire")
        self.certificate, self._context = certificate(folder)
        self.answered = 0
        with inside(self.world):
            self.listener = Listener(socket.create_server((LISTENER, 443)))
            self._servers = [socket.create_server((SERVER, 443))]
            if Path("/proc/sys/net/ipv6").exists():
                v6 = socket.create_server((SERVER_V6, 443), family=socket.AF_INET6)
                self._servers.append(v6)
        for server in self._servers:
            threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller = server.accept()[0]
                threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def _answer(self, caller: socket.socket) -> None:
        """One HTTP answer; what was posted is counted, ``/big`` is two million bytes."""
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(caller, server_side=True) as tls,
        ):
            data = b""
            while b"\r\n\r\n" not in data:
                data += tls.recv(1 << 14)
            head, _, rest = data.partition(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                           if line.startswith(b"content-length:")), 0)  # fmt: skip
            taken = len(rest)
            while taken < length:
                taken += len(tls.recv(1 << 14))
            body = b"x" * 2_000_000 if head.startswith(b"GET /big") else f"took {taken}".encode()
            answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            tls.sendall(answer.encode() + body)
            self.answered += 1

    def ask_for_another_curve(self) -> None:
        """From now on the servers want a key that a client's first hello does not bring."""
        self._context.set_ecdh_curve("secp521r1")

    def dial(self, address: str) -> socket.socket:
        """The proxy's own way of dialling, from this side of the wire."""
        with inside(self.ours):
            return egress_world.dial(address)

    def reached_by(self, look_up: Callable[[str], tuple[str, ...]]) -> Dialer:
        """A world of these servers, with names as ``look_up`` says."""
        return Dialer(look_up=look_up, dial=self.dial)

    def close(self) -> None:
        self.listener.sock.close()
        for server in self._servers:
            server.close()
        os.close(self.ours)
        os.close(self.world)


def certificate(folder: Path) -> tuple[str, ssl.SSLContext]:
    """A certificate for the two hosts, signed by itself, as PEM; and a server's context with it."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    names = "subjectAltName=DNS:api.example.org,DNS:files.example.org"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", names,
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert.read_text(), context


def client_context(pem: str) -> ssl.SSLContext:
    """A client that trusts that certificate alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    return context


def hello(name: str | None, *, context: ssl.SSLContext | None = None) -> bytes:
    """The first bytes that OpenSSL sends to a server of that name."""
    if context is None:
        context = ssl.create_default_context()
        context.check_hostname = False
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()
