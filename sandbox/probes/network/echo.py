"""No echo is asked for, which could carry words out too.

tries: ICMP to a public address
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: world
"""

import socket

from probing import attempt, done

REQUEST = b"\x08\0\xf7\xff\0\0\0\0"


def ask() -> str:
    try:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except PermissionError:
        one = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with one:
        return f"{one.sendto(REQUEST, ('8.8.8.8', 0))} bytes left"


attempt("ICMP to 8.8.8.8", ask)
done()
