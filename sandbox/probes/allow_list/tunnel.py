"""Through a tunnel to an allowed host goes TLS for that host, and nothing else.

tries: TLS that asks for another host, TLS that asks for none, plain HTTP, and words, to a server
    that stands in for the allowed host and gives back what comes
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

WORDS = {
    "TLS for another host": hello("evil.example.org"),
    "TLS for no host": hello(None),
    "plain HTTP": f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode(),
    "words": b"a secret\r\n\r\n",
}

for name, data in WORDS.items():
    attempt(name, partial(through, data))
done()
