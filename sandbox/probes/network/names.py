"""No name is looked up, so no word leaves inside of one.

tries: a name that holds a secret, by the usual way; a question to resolvers outside
parts: network.none
family: 12
kinds: experiment, latex, editor
bare: world
"""

import socket
from functools import partial

from probing import attempt, done
from sending import udp

QUESTION = b"\x12\x34\x01\0\0\x01" + bytes(6) + b"\x06secret\x07example\x03org\0\0\x10\0\x01"


def look_up() -> str:
    return str(socket.getaddrinfo("secret.example.org", 443)[0][4][0])


attempt("a name with a secret in it", look_up)
for address in ("8.8.8.8", "2001:4860:4860::8888"):
    attempt(f"a question to {address}", partial(udp, address, 53, QUESTION))
done()
