"""No name server and no search domain of the machine's is named.

tries: to read in /etc/resolv.conf what the machine's own says: servers, domains, options
parts: network.resolver
family: 12
kinds: experiment, latex, editor
"""

from pathlib import Path

from probing import attempt, done, stop

# What an empty file means: the container itself, no domain, and names with one dot.
EMPTY = ("nameserver 127.0.0.1", "options ndots:1")


def named() -> str:
    """The kinds of lines; the names themselves are nobody's who reads a proof."""
    lines = (" ".join(line.split()) for line in Path("/etc/resolv.conf").read_text().splitlines())
    found = {
        line.split()[0] for line in lines if line and line[0] not in "#;" and line not in EMPTY
    }
    return ", ".join(sorted(found)) or stop("nothing of the machine's is named")


attempt("the machine's name servers and domains", named)
done()
