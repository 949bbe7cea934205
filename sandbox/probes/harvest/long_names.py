"""A path that is longer than other programs take does not come home.

tries: five levels of names of 255 bytes
parts: harvest.names
family: 20
kinds: experiment
judge: home
"""

from planting import begin, put
from probing import done

begin()
put("/".join(["out", *("n" * 255 for _ in range(4)), "long"]))
done()
