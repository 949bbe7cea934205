"""Of sockets there are unix, internet and routing ones, and no other kind.

tries: AF_NETLINK of another kind, alone and as a pair, AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

RAW, FIFTH = 3, 5
call("socket", 16, RAW, 12, told="AF_NETLINK, netfilter")
call("socketpair", 16, RAW, 0, NOWHERE, told="a pair of AF_NETLINK")
call("socket", 17, RAW, 3, told="AF_PACKET")
call("socket", 38, FIFTH, 0, told="AF_ALG")
call("socket", 40, 1, 0, told="AF_VSOCK")
call("socket", 31, RAW, 0, told="AF_BLUETOOTH")
done()
