"""A program with the set-user-id bit runs as its caller.

tries: to become root by a set-user-id Python that lies in the image
parts: container.no-new-privileges
family: 9
kinds: experiment, latex, editor
bare: nobody
judge: host
"""

import subprocess

from probing import attempt, done


def climb() -> object:
    said = subprocess.run(
        ["/usr/bin/climb", "-I", "-c", "import os; print(os.geteuid())"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if said.returncode:
        raise OSError(said.returncode, said.stderr[-200:] or "it did not start")
    if said.stdout.strip() != "0":
        raise OSError(1, f"it ran as user {said.stdout.strip()}")
    return "it ran as root"


attempt("root", climb)
done()
