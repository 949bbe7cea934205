"""A miner that looks like training finds no pool to work for.

tries: the usual ports of mining pools by TCP, their names, and a pool behind the host's own address
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: world
"""

import socket
from functools import partial

from probing import attempt, done
from sending import tcp

POOLS = (
    ("93.184.216.34", 3333),
    ("93.184.216.34", 443),
    ("2606:2800:220:1::1", 4444),
    ("172.17.0.1", 80),
)

for address, port in POOLS:
    attempt(f"{address} port {port}", partial(tcp, address, port))
attempt("a pool's name", lambda: socket.getaddrinfo("pool.example.org", 3333)[0][4][0])
done()
