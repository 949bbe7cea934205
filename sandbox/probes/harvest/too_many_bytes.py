"""No more bytes come home than allowed.

tries: files that are small enough, and have one byte too many together
parts: harvest.bytes
family: 19
kinds: experiment
judge: home whole
"""

from planting import begin, put
from probing import GIVEN, done

begin()
left = GIVEN["harvest_bytes"] + 1 - len("a result\n")  # which the fair file has
for number in range(GIVEN["harvest_files"] - 1):
    size = min(left, GIVEN["harvest_file"])
    if size:
        put(f"out/more/{number}", bytes(size))
    left -= size
done()
