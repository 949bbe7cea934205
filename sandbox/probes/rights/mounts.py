"""Nothing can be mounted, unmounted, or made writable by mounting it again.

tries: a tmpfs, a folder over another, a proc of its own; to unmount what keeps
    /proc/irq from being written; to mount the root again, for writing
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
bare: rights
"""

from functools import partial
from pathlib import Path

from probing import LIBC, attempt, call, done

READ_ONLY, AGAIN, BIND = 1, 32, 4096
at = Path("at")
at.mkdir()


def mount(source: bytes, target: str, kind: bytes, flags: int = 0) -> None:
    call(LIBC.mount(source, target.encode(), kind, flags, None))


def bind_again() -> None:
    mount(b"/etc", "at", b"", BIND)
    mount(b"", "at", b"", BIND | AGAIN | READ_ONLY)


attempt("a tmpfs", partial(mount, b"none", "at", b"tmpfs"))
attempt("/etc over it", partial(mount, b"/etc", "at", b"", BIND))
attempt("/etc over it, and again otherwise", bind_again)
attempt("a proc", partial(mount, b"none", "at", b"proc"))
attempt("the root again", partial(mount, b"none", "/", b"", AGAIN | BIND))
attempt("what is before /proc/irq away", lambda: call(LIBC.umount2(b"/proc/irq", 2)))
for _ in range(4):
    LIBC.umount2(b"at", 2)
at.rmdir()
done()
