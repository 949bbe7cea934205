"""A request that two readers could read in two ways is none.

tries: a second host in the headers, a body that is announced, a second request hidden in it
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import ALLOWED, ask
from probing import attempt, done

HOST, EVIL = f"Host: {ALLOWED}\r\n", "Host: evil.example.org:443\r\n"
HIDDEN = f"CONNECT evil.example.org:443 HTTP/1.1\r\n{EVIL}\r\n"
HEADERS = {
    "another host": f"{EVIL}\r\n",
    "two hosts": f"{HOST}{EVIL}\r\n",
    "no host": "\r\n",
    "a body": f"{HOST}Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a body in pieces": f"{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "another protocol": f"{HOST}Upgrade: websocket\r\n\r\n",
    "a line that goes on": f"{HOST} {EVIL}\r\n",
    "no header": f"{HOST}{HIDDEN}",
}

for name, lines in HEADERS.items():
    attempt(name, partial(ask, f"CONNECT {ALLOWED} HTTP/1.1\r\n{lines}"))
done()
