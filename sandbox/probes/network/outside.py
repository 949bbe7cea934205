"""Nothing outside is reached, by no version of IP.

tries: TCP and UDP to public addresses; to an address of a local network
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: world
"""

from functools import partial

from probing import attempt, done
from sending import tcp, udp

ADDRESSES = ("93.184.216.34", "192.168.1.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8")

for address in ADDRESSES:
    attempt(f"TCP to {address}", partial(tcp, address, 443))
    attempt(f"UDP to {address}", partial(udp, address, 443))
done()
