"""Staged data can be read and not changed, at either of its places.

tries: to make a file there, to rename one, to write into one, to change its rights
parts: data.read-only
family: 9
kinds: experiment
"""

from functools import partial
from pathlib import Path

from probing import GIVEN, attempt, done


def make(at: Path) -> None:
    (at / "made").touch()
    (at / "made").unlink()


def rename(at: Path) -> None:
    (at / "numbers.txt").rename(at / "renamed").rename(at / "numbers.txt")


def write(at: Path) -> None:
    with (at / "numbers.txt").open("r+") as file:
        file.write("42\n")


def grant(at: Path) -> None:
    (at / "numbers.txt").chmod(0o666)


for place in ("/data", "../../../data"):
    folder = Path(place, GIVEN["data"])
    for work in (make, rename, write, grant):
        attempt(f"{work.__name__} in {place}", partial(work, folder))
done()
