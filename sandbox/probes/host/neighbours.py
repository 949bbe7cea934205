"""Two jobs that run at the same time do not meet.

tries: a port on loopback, an abstract unix socket, a file in /tmp, /dev/shm and /dev/mqueue
    that the other job holds open
parts: network.none, container.ipc, container.fresh
family: 11
kinds: experiment, latex, editor
judge: host
"""

import os
import socket
import sys
from functools import partial
from pathlib import Path

from probing import attempt, done

PLACES = ("/tmp", "/dev/shm", "/dev/mqueue")
ABSTRACT = "\0aisci-proof-neighbour"


def open_doors() -> list[object]:
    server = socket.create_server(("127.0.0.1", 4567))
    local = socket.socket(socket.AF_UNIX)
    local.bind(ABSTRACT)
    local.listen()
    there = [place for place in PLACES if Path(place).is_dir()]  # gVisor has no /dev/mqueue
    return [server, local, *(os.open(f"{at}/met", os.O_CREAT | os.O_RDWR) for at in there)]


def by_port() -> None:
    socket.create_connection(("127.0.0.1", 4567), timeout=2).close()


def by_name() -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(ABSTRACT)


def look() -> None:
    attempt("a port", by_port)
    attempt("an abstract socket", by_name)
    for place in PLACES:
        attempt(f"a file in {place}", partial(os.open, f"{place}/met", os.O_RDWR))


part = sys.argv[1]
kept = open_doors() if part in {"open", "both"} else []
if part == "open":
    print("open", flush=True)
    sys.stdin.readline()
if part in {"look", "both"}:
    look()
done()
