"""There is no swap beyond the memory.

tries: to be told of some by the kernel's books of the job's own control group
parts: memory.swap
family: 8
kinds: experiment, latex, editor
"""

from pathlib import Path

from filling import MIB
from probing import attempt, done, stop

GROUP = Path("/sys/fs/cgroup")


def newer() -> int:
    said = (GROUP / "memory.swap.max").read_text().strip()
    return 1 << 62 if said == "max" else int(said)


def older() -> int:
    books = GROUP / "memory"
    both = int((books / "memory.memsw.limit_in_bytes").read_text())
    return both - int((books / "memory.limit_in_bytes").read_text())


def beyond() -> str:
    swap = newer() if (GROUP / "memory.swap.max").exists() else older()
    return f"{swap // MIB} MiB" if swap > 0 else stop("there is none")


attempt("swap beyond the memory", beyond)
done()
