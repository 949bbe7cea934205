"""Nothing on this machine is reached, by any of its addresses.

tries: TCP and UDP to a port that is open on each address of the host's, the gateways among them
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: host network
"""

import socket
import time
from functools import partial

from probing import GIVEN, attempt, done


def tcp(address: str) -> None:
    socket.create_connection((address, GIVEN["tcp"]), timeout=2).close()


def udp(address: str) -> None:
    """Twice: where nobody listens the second one is told so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((address, GIVEN["udp"]))
        one.send(b"aisci")
        time.sleep(0.1)
        one.send(b"aisci")


for address in GIVEN["addresses"]:
    attempt(f"TCP to {address}", partial(tcp, address))
    attempt(f"UDP to {address}", partial(udp, address))
done()
