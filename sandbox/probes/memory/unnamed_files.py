"""Memory cannot be had by way of files without a name.

tries: memfd_create, and as much in it as one and a half times the memory
parts: memory.limit
family: 8
kinds: experiment, latex, editor
lower: memory 48MiB
ends: out of memory
"""

import os

from filling import MIB, PIECE
from probing import GIVEN, attempt, done


def fill() -> str:
    wanted, held = GIVEN["memory"] * 3 // 2, 0
    while held < wanted:
        piece = os.memfd_create("piece")
        held += sum(os.write(piece, PIECE) for _ in range(8))
    return f"{held // MIB} MiB"


attempt("one and a half times the memory", fill)
done()
