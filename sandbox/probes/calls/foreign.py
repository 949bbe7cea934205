"""Calls of another kind of machine, which mean other things, are not taken.

tries: another execution domain; on x86-64 a 32-bit call, and one of x32
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

import ctypes
import errno
import mmap
import os

from kernel import call, tried
from probing import LIBC, done

GETPID_32 = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])  # mov eax, 20; int 0x80; ret
GETPID_X32 = 39 | 0x40000000


def by_32_bits() -> int:
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(GETPID_32)
    at = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return 0 if ctypes.CFUNCTYPE(ctypes.c_int)(at)() == os.getpid() else errno.ENOSYS


def by_x32() -> int:
    return 0 if LIBC.syscall(GETPID_X32) == os.getpid() else errno.ENOSYS


call("personality", 0x0040000)
if os.uname().machine == "x86_64":
    tried("a 32-bit call", by_32_bits)
    tried("a call of x32", by_x32)
done()
