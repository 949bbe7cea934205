"""No packet can be made by hand, or seen that is another's.

tries: raw sockets for ICMP, of both versions of IP, and a packet socket
parts: container.capabilities, network.none
family: 9, 11
kinds: experiment, latex, editor
bare: rights
"""

import socket
from functools import partial

from probing import attempt, done

KINDS = {
    "a raw socket": (socket.AF_INET, socket.IPPROTO_ICMP),
    "a raw socket of version 6": (socket.AF_INET6, socket.IPPROTO_ICMPV6),
    "a packet socket": (socket.AF_PACKET, 0x0300),
}


def made(family: int, protocol: int) -> None:
    socket.socket(family, socket.SOCK_RAW, protocol).close()


for name, (family, protocol) in KINDS.items():
    attempt(name, partial(made, family, protocol))
done()
