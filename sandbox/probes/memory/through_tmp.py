"""Memory cannot be had by way of files in /tmp.

tries: files there of one and a half times the memory
parts: memory.limit
family: 8
kinds: experiment, latex, editor
lower: memory 48MiB, tmp 512MiB
ends: out of memory
"""

from filling import fill
from probing import GIVEN, attempt, done

attempt("one and a half times the memory", lambda: fill("/tmp", GIVEN["memory"] * 3 // 2))
done()
