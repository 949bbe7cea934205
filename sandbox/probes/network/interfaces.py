"""There is no interface but loopback, and no way that leads out.

tries: to find another interface; a route; a neighbour
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: host network
"""

import socket
from pathlib import Path

from probing import attempt, done, stop


def interfaces() -> str:
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    return ", ".join(others) or stop("there is only lo")


def routes() -> str:
    lines = Path("/proc/net/route").read_text().splitlines()[1:]
    return f"{len(lines)} routes" if lines else stop("there is none")


attempt("another interface", interfaces)
attempt("a route", routes)
done()
