"""The address at which clouds hand out their keys is not reached.

tries: HTTP to 169.254.169.254, and to what others have in its place
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: world
"""

from functools import partial

from probing import attempt, done
from sending import tcp

for address in ("169.254.169.254", "100.100.100.200", "fd00:ec2::254"):
    attempt(f"HTTP to {address}", partial(tcp, address, 80))
done()
