"""A multitude of empty files ends where the policy says.

tries: three times as many as are allowed in the workspace
parts: disk.inodes
family: 2
kinds: experiment, latex, editor
"""

from filling import folder_in
from probing import GIVEN, attempt, done


def make() -> str:
    with folder_in(".") as folder:
        for number in range(3 * GIVEN["inodes"]):
            (folder / str(number)).touch()
        return f"{number + 1} files"


attempt("three times as many", make)
done()
