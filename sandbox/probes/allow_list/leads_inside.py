"""An allowed name that leads to an address inside is not followed.

tries: the name as it should be used, while its look-up answers with the address at which clouds
    hand out their keys, beside a public one
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

attempt("a name that leads inside", partial(through, hello(NAME)))
done()
