"""A host that is not in the list is not taken for one that is.

tries: a dot at the end, a NUL, a user's name, a line's end, a percent sign, a letter of another
    script
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import ALLOWED, NAME, connect
from probing import attempt, done

HOSTS = {
    "a dot at the end": f"{NAME}.:443",
    "a NUL before it": f"evil.example.org\0.{NAME}:443",
    "a NUL after it": f"{NAME}\0.evil.example.org:443",
    "a user's name": f"{ALLOWED}@evil.example.org:443",
    "another user's name": f"evil.example.org@{ALLOWED}",
    "a line's end": f"{NAME}\n.evil.example.org:443",
    "a percent sign": f"%{ord(NAME[0]):02x}{NAME[1:]}:443",
    "a letter of another script": f"{NAME[:-1]}\xad{NAME[-1]}:443",
    "a path": f"evil.example.org/{ALLOWED}",
}

for name, host in HOSTS.items():
    attempt(name, partial(connect, host))
done()
