"""A program that ignores the proxy's variables has no network, instead of an open one.

tries: the usual client without the variables, with another proxy in them, and with a list of hosts
    that need none
parts: network.allow-list, network.none
family: 13
kinds: experiment
bare: world
needs: allow-list
"""

import os
import socket
import subprocess
import sys
from functools import partial

from asking import NAME
from probing import attempt, done, stop

FETCH = """
import sys, urllib.request
urllib.request.urlopen("http://" + sys.argv[1] + "/", timeout=5)
"""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
PLAIN = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}


def fetched(variables: dict[str, str]) -> str:
    """Whether the client's connection left: the servers of a bare container answer in no HTTP."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", FETCH, NAME],
        env=PLAIN | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    last = ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else ""
    if ran.returncode == 0 or "BadStatusLine" in last or "timed out" in last:
        return f"it left: {last[:100]}"
    return stop(last[:200])


attempt("no variables", partial(fetched, {}))
attempt("every host without a proxy", partial(fetched, {"no_proxy": "*"}))
attempt("another proxy", partial(fetched, {"http_proxy": "http://93.184.216.34:8080"}))
attempt("a name of its own", lambda: socket.getaddrinfo("evil.example.org", 443))
done()
