"""An allowed host relays to nobody: what goes through its tunnel begins with TLS for that host.

tries: a second CONNECT inside the tunnel, SOCKS, the first words of a reverse tunnel by SSH, a
    WebSocket, a TLS hello whose name comes in a later piece, each to a server that would relay it
parts: network.allow-list
family: 13
kinds: experiment
bare: world
judge: host
needs: allow-list
"""

from functools import partial

from asking import NAME, hello, through
from probing import attempt, done

OTHER = "evil.example.org"
WORDS = {
    "a second CONNECT": f"CONNECT {OTHER}:443 HTTP/1.1\r\nHost: {OTHER}:443\r\n\r\n".encode(),
    "SOCKS": b"\x05\x01\x00",
    "a reverse tunnel by SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "a WebSocket": f"GET / HTTP/1.1\r\nHost: {NAME}\r\nUpgrade: websocket\r\n\r\n".encode(),
    "TLS after other words": b"\r\n" + hello(NAME),
    "TLS for two hosts": hello(OTHER) + hello(NAME),
}

for name, data in WORDS.items():
    attempt(name, partial(through, data))
done()
