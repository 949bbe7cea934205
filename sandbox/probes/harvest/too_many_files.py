"""No more files come home than allowed.

tries: one file more than may come home
parts: harvest.files
family: 19
kinds: experiment
judge: home whole
"""

from planting import begin, put
from probing import GIVEN, done

begin()
for number in range(GIVEN["harvest_files"]):  # and the fair one
    put(f"out/more/{number:04}", b"")
done()
