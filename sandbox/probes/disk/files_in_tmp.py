"""A multitude of empty files in the folder for temporary ones ends there too.

tries: three times as many as are allowed
parts: disk.inodes
family: 2
kinds: experiment, latex, editor
otherwise: inodes in /tmp
"""

from filling import folder_in
from probing import GIVEN, attempt, done


def make() -> str:
    with folder_in("/tmp") as folder:
        for number in range(3 * GIVEN["inodes"]):
            (folder / str(number)).touch()
        return f"{number + 1} files"


attempt("three times as many", make)
done()
