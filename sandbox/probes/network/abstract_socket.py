"""No socket of the host's is reached that has a name and no file.

tries: to connect to an abstract unix socket that is open on the host
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: host network
"""

import socket

from probing import GIVEN, attempt, done


def connect() -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\0" + GIVEN["abstract"])


attempt("the host's socket", connect)
done()
