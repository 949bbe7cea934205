"""No limit of a process can be raised, and that of core files is not changed at all.

tries: more open files, larger files, larger core files than allowed; a core limit of 0, at which
    some machines start a program of their own
parts: processes.open-files, disk.file, processes.core, seccomp.profile
family: 3, 9
kinds: experiment, latex, editor
"""

import resource
from functools import partial

from probing import GIVEN, attempt, done

WANTED = {
    "more open files": (resource.RLIMIT_NOFILE, 2 * GIVEN["open_files"]),
    "larger files": (resource.RLIMIT_FSIZE, 2 * GIVEN["file"]),
    "larger core files": (resource.RLIMIT_CORE, 1 << 20),
    "no core files": (resource.RLIMIT_CORE, 0),
}

for name, (which, amount) in WANTED.items():
    attempt(name, partial(resource.setrlimit, which, (amount, amount)))
done()
