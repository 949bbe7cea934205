"""No file comes home that is larger than allowed.

tries: a file of one byte more than a file may have
parts: harvest.file
family: 19
kinds: experiment
judge: home
"""

from planting import begin, put
from probing import GIVEN, done

begin()
put("out/large", bytes(GIVEN["harvest_file"] + 1))
done()
