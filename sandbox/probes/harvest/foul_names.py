"""A name that acts on who reads it does not come home.

tries: names with a newline, escapes, undecodable bytes, marks that turn the reading direction,
    letters that nobody sees, a leading dash, a backslash, spaces at the end, 255 bytes in all levels
parts: harvest.names
family: 20
kinds: experiment
judge: home
"""

import os

from planting import begin, put
from probing import done

NAMES = (
    b"new\nline", b"escape\x1b[2J", b"bell\x07", b"tab\t", b"undecodable\xff\xfe",
    "turned\u202egnp.txt".encode(), "unseen\u200b".encode(), "unseen\u2800".encode(),
    b"-rf", b"folder/--output=x", b"back\\slash", b"..\\up", b"end ", b" begin",
)  # fmt: skip

begin()
for name in NAMES:
    put(f"out/{os.fsdecode(name)}")
done()
