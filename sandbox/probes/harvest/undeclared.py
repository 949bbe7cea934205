"""Only what was declared comes home.

tries: files beside the declared folder, in folders whose names begin with its name
parts: harvest.declared
family: 19
kinds: experiment
judge: home
"""

from planting import begin, put
from probing import done

begin()
for name in ("notes.txt", "out.txt", "outer/x", "OUT/x", "run_1/final_info.json", "experiment.py"):
    put(name)
done()
