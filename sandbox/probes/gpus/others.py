"""A job has the GPUs that it was granted, and no other.

tries: to count them, as devices and as the driver tells them; the devices that are not there
parts: gpus.granted
family: 15
kinds: experiment
bare: all gpus
needs: gpu
"""

import os
import re
import stat
import subprocess
from pathlib import Path

from probing import GIVEN, attempt, done, stop

ALLOWED = GIVEN["gpus"]
devices = [path for path in Path("/dev").iterdir() if re.fullmatch(r"nvidia\d+", path.name)]


def by_device() -> str:
    names = ", ".join(sorted(path.name for path in devices))
    return names if len(devices) > ALLOWED else stop(f"there are {len(devices)}: {names}")


def by_driver() -> str:
    told = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    count = told.stdout.count("UUID: GPU-")
    return f"{count} GPUs" if count > ALLOWED else stop(f"the driver tells {count}")


def by_number() -> None:
    """The first that is not among the devices, made by hand and opened."""
    known = {path.name for path in devices}
    number = next(n for n in range(64) if f"nvidia{n}" not in known or len(known) > ALLOWED)
    os.mknod("/tmp/another", stat.S_IFCHR | 0o666, os.makedev(195, number))
    try:
        os.close(os.open("/tmp/another", os.O_RDWR))
    finally:
        Path("/tmp/another").unlink()


attempt("more of them, as devices", by_device)
attempt("more of them, as the driver tells", by_driver)
attempt("the device of another", by_number)
done()
