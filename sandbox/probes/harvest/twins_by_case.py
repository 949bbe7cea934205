"""Of names that some file systems take for one, one comes home.

tries: names that differ by case alone, and by how an accent is written
parts: harvest.names
family: 20
kinds: experiment
judge: home whole
"""

from planting import begin, put
from probing import done

begin()
for name in ("out/model", "out/MODEL", "out/caf\u00e9", "out/cafe\u0301", "out/a/x", "out/A/x"):
    put(name)
done()
