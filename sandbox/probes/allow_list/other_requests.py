"""The proxy connects, and fetches nothing itself.

tries: plain HTTP to an allowed host, in four ways; the beginning of HTTP/2
parts: network.allow-list
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

from functools import partial

from asking import NAME, ask
from probing import attempt, done

HOST = f"Host: {NAME}\r\n\r\n"
REQUESTS = {
    "GET with a host": f"GET http://{NAME}/ HTTP/1.1\r\n{HOST}",
    "GET without": f"GET / HTTP/1.1\r\n{HOST}",
    "POST": f"POST http://{NAME}/ HTTP/1.1\r\nContent-Length: 0\r\n{HOST}",
    "OPTIONS": f"OPTIONS * HTTP/1.1\r\n{HOST}",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}

for name, request in REQUESTS.items():
    attempt(name, partial(ask, request))
done()
