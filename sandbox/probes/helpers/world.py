"""python3 world.py PROGRAM…: runs a program with the outside world on the loopback interface.

For a container without a network, as root. Every address there is becomes the container's own:
what is sent to any of them arrives here, and no packet leaves. Servers stand in for what an
attempt looks for: TCP that takes whoever comes, a resolver that answers each question, and a
proxy that says yes to everything, on its port and on its socket.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from probing import LIBC, call

PORTS = (22, 53, 80, 443, 853, 8080)
PROXY, PROXY_SOCKET = 3128, "/run/aisci/egress.sock"
SOMEWHERE = "93.184.216.34"  # what every name leads to
YES = b"HTTP/1.1 200 Connection established\r\n\r\n"
NEW_ROUTE, FLAGS = 24, 0x0001 | 0x0004 | 0x0400  # a request, to be acknowledged, to make one
MAIN, BOOT, HOST, LOCAL, OUT_BY, LOOPBACK = 254, 3, 254, 2, 4, 1  # rtnetlink(7)
AGAIN, BIND = 32, 4096

Serve = Callable[[socket.socket], None]


def main(program: list[str]) -> int:
    """Open the world, run the program in it, and return how that ended."""
    version_6()
    for family in (socket.AF_INET, socket.AF_INET6):
        everywhere(family)
    for port in PORTS:
        listen(socket.create_server(("", port), backlog=64), welcome)
        listen(server_6(port), welcome)
    listen(socket.create_server(("127.0.0.1", PROXY)), agree)
    Path(PROXY_SOCKET).parent.mkdir(parents=True, exist_ok=True)
    local = socket.socket(socket.AF_UNIX)
    local.bind(PROXY_SOCKET)
    local.listen()
    listen(local, agree)
    for address in {"8.8.8.8", *nameservers()}:
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        names.bind((address, 53))
        threading.Thread(target=resolve, args=(names,), daemon=True).start()
    return subprocess.run(program, check=False).returncode


def version_6() -> None:
    """Engines turn version 6 of IP off where there is no network."""
    call(LIBC.mount(b"none", b"/proc/sys", None, AGAIN | BIND, None))
    for name in ("all", "lo"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("0")


def everywhere(family: int) -> None:
    """A route that makes every address of a family this machine's own."""
    route = struct.pack("=BBBBBBBBI", family, 0, 0, 0, MAIN, BOOT, HOST, LOCAL, 0)
    route += struct.pack("=HHI", 8, OUT_BY, LOOPBACK)
    head = struct.pack("=IHHII", 16 + len(route), NEW_ROUTE, FLAGS, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.send(head + route)
        call(struct.unpack("=i", kernel.recv(4096)[16:20])[0])


def server_6(port: int) -> socket.socket:
    return socket.create_server(("", port), family=socket.AF_INET6, backlog=64)


def listen(server: socket.socket, serve: Serve) -> None:
    def each() -> None:
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=each, daemon=True).start()


def welcome(client: socket.socket) -> None:
    """Take whatever comes, and give it back."""
    with client:
        while data := client.recv(1 << 16):
            client.sendall(data)


def agree(client: socket.socket) -> None:
    """Yes to every request, then what comes is given back, as if it had gone through."""
    data = b""
    while not (b"\r\n\r\n" in data or b"\n\n" in data or len(data) > 1 << 16):
        more = client.recv(1 << 16)
        if not more:
            break
        data += more
    client.sendall(YES)
    welcome(client)


def resolve(names: socket.socket) -> None:
    """Every name leads to one address; a question for anything else is answered with nothing."""
    while True:
        question, asker = names.recvfrom(512)
        end = question.index(0, 12) + 5
        asked = question[12:end]
        is_address = asked[-4:-2] == b"\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(SOMEWHERE)
        head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, int(is_address), 0, 0)
        names.sendto(head + asked + (answer if is_address else b""), asker)


def nameservers() -> set[str]:
    lines = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    found = {words[1] for words in lines if words[:1] == ["nameserver"] and ":" not in words[1]}
    return found or {"127.0.0.1"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
