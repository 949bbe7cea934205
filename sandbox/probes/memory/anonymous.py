"""Memory ends where the policy says.

tries: to fill one and a half times the memory that is allowed, page by page
parts: memory.limit
family: 8
kinds: experiment, latex, editor
lower: memory 128MiB
ends: out of memory
"""

from probing import GIVEN, attempt, done

held: list[bytes] = []


def fill() -> str:
    while len(held) < 1.5 * GIVEN["memory"] // (1 << 20):
        held.append(b"x" * (1 << 20))
    return f"{len(held)} MiB"


attempt("one and a half times the memory", fill)
done()
