"""What comes home stays closed: nothing is unpickled, imported or run.

tries: pickles by the names of weights, arrays and results, and programs that a tool may start
parts: harvest.opaque
family: 23
kinds: experiment
judge: opaque
"""

import os
import pickle
import struct

from planting import begin, put
from probing import GIVEN, done

MARK = f"mkdir -p {os.path.dirname(GIVEN['marker'])}; touch {GIVEN['marker']}"  # noqa: PTH120
HEAD = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (MARK,)


bomb = pickle.dumps(Bomb(), protocol=4)
begin()
for name in ("model.pkl", "model.pt", "model.joblib", "final_info.json"):
    put(f"out/{name}", bomb)
put("out/array.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEAD)) + HEAD + bomb)
for name in ("plot.py", "conftest.py", "sitecustomize.py"):
    put(f"out/{name}", f"import os\nos.system({MARK!r})\n".encode())
done()
