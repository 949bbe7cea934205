"""No process but the job's own can be seen.

tries: to find the program on the host that started the job, and to read how it was called
parts: container.processes
family: 9
kinds: experiment, latex, editor
bare: host processes
"""

from pathlib import Path

from probing import GIVEN, attempt, done, stop

number, began = GIVEN["process"]


def found() -> str:
    process = Path("/proc", str(number))
    stat = (process / "stat").read_text()
    if int(stat.rpartition(")")[2].split()[19]) != began:
        stop("a process of that number is another")
    return f"process {number}: {(process / 'cmdline').read_text()[:80]!r}"


attempt("the host's program", found)
done()
