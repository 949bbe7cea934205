"""No folder is read that lies deeper than allowed.

tries: a file one level below the last one, and one in a hundred folders
parts: harvest.depth
family: 19
kinds: experiment
judge: home
"""

from planting import begin, put
from probing import GIVEN, done

begin()
for levels in (GIVEN["harvest_depth"] - 1, 98):  # folders below out/
    put("/".join(["out", *["d"] * levels, "deep"]))
done()
