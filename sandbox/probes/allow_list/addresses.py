"""Nothing is reached by its address, however that is written.

tries: a public one in seven spellings, the host's own loopback, the metadata of a cloud
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import connect
from probing import attempt, done

ADDRESSES = (
    "93.184.216.34", "1572395042", "0x5db8d822", "0135.0270.0330.042", "93.184.55330",
    "[::ffff:93.184.216.34]", "[2606:2800:220:1:248:1893:25c8:1946]", "127.0.0.1", "localhost",
    "169.254.169.254",
)  # fmt: skip

for address in ADDRESSES:
    attempt(address, partial(connect, f"{address}:443"))
done()
