"""Nothing is called out to everyone near.

tries: a datagram to all on the network, and to those who listen to a group
parts: network.none
family: 11
kinds: experiment, latex, editor
bare: world
"""

from functools import partial

from probing import attempt, done
from sending import udp

attempt("to all", partial(udp, "255.255.255.255", 9))
attempt("to a group", partial(udp, "224.0.0.1", 9))
done()
