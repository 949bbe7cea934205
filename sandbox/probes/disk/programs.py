"""Nothing in the workspace is started as a program.

tries: a script that is made executable, a copy of a program
parts: disk.options
family: 9
kinds: experiment, latex, editor
otherwise: noexec on the workspace
"""

import shutil
import subprocess
from pathlib import Path

from probing import attempt, done


def started(name: str) -> str:
    return subprocess.run([f"./{name}"], capture_output=True, text=True, check=True).stdout.strip()


def script() -> str:
    Path("script").write_text("#!/bin/sh\necho it ran\n")
    Path("script").chmod(0o755)
    return started("script")


def copy() -> str:
    shutil.copy("/bin/true", "copy")
    return started("copy") or "it ran"


attempt("a script", script)
attempt("a copy of a program", copy)
for name in ("script", "copy"):
    Path(name).unlink()
done()
