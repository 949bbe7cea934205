"""The kernel's settings, and the job's own limits in its control group, cannot be written.

tries: to make /proc/sys and a control group writable by mounting them again, and to write into
    each what it says already
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
bare: rights
"""

from functools import partial
from pathlib import Path

from probing import LIBC, attempt, call, done

AGAIN, BIND = 32, 4096
GROUPS = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")  # the older form, the newer one


def again(place: str, name: str) -> None:
    setting = Path(place, name)
    call(LIBC.mount(b"none", place.encode(), None, AGAIN | BIND, None))
    setting.write_text(setting.read_text())


def of_group() -> None:
    (place,) = [group for group in GROUPS if Path(group, "pids.max").exists()][:1] or GROUPS[1:]
    again(place, "pids.max")


attempt("a setting of the kernel's", partial(again, "/proc/sys", "kernel/hostname"))
attempt("a limit of its own", of_group)
done()
