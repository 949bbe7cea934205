"""Of an allowed host only the port for HTTPS is reached.

tries: other ports, none, and 443 in other spellings
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import NAME, connect
from probing import attempt, done

for port in (":22", ":80", ":8443", "", ":", ":0443", ":443:22", ":+443"):
    attempt(f"port {port!r}", partial(connect, NAME + port))
done()
