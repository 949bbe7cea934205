"""A host that the list does not name is not reached.

tries: a stranger, a host below an allowed one, the one above it, and one that begins like it
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import NAME, connect
from probing import attempt, done

HOSTS = {
    "a stranger": "evil.example.org",
    "one below": f"evil.{NAME}",
    "the one above": NAME.partition(".")[2],
    "one that begins like it": f"{NAME}.example.org",
    "one that ends like it": f"evil{NAME}",
}

for name, host in HOSTS.items():
    attempt(name, partial(connect, f"{host}:443"))
done()
