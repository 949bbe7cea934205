"""Past the proxy there is no way out, and it cannot be replaced.

tries: an allowed host, a public address and the metadata of a cloud without it; its socket
    straight; to move the socket away and to open one beside it
parts: network.allow-list, network.none
family: 11, 13
kinds: experiment
bare: world
needs: allow-list
"""

import socket
from functools import partial
from pathlib import Path

from asking import NAME, SOCKET, ask
from probing import attempt, done
from sending import tcp

EVIL = "CONNECT evil.example.org:443 HTTP/1.1\r\nHost: evil.example.org:443\r\n\r\n"


def moved() -> None:
    Path(SOCKET).rename(SOCKET + "-away").rename(SOCKET)


def beside() -> None:
    path = Path(SOCKET).with_name("own.sock")
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(path))
    path.unlink()


attempt("the allowed host", lambda: tcp(str(socket.gethostbyname(NAME)), 443))
for address in ("93.184.216.34", "169.254.169.254"):
    attempt(address, partial(tcp, address, 443))
attempt("its socket", partial(ask, EVIL, by_socket=True))
attempt("its socket elsewhere", moved)
attempt("a socket beside it", beside)
done()
