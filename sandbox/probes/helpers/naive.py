"""python3 naive.py JUDGE PROGRAM…: runs a probe, then reads what it left as people do.

In the bare container it stands in the host's place: it says the attempts that the host's own
look says in the guarded one (``orchestrator/proof/running/inspection.py``), each of which must get
through to a reader that takes no care.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from probing import GIVEN, attempt, done, shown

PATIENCE = 60  # seconds for the probe


def main(judge: str, program: list[str]) -> None:
    """Run the probe, then read."""
    ran = subprocess.run(
        [sys.executable, *program], stdout=subprocess.PIPE, timeout=PATIENCE, check=True
    )
    text = ran.stdout.decode(errors="replace")
    said = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    planted = [one["planted"] for one in said if "planted" in one]
    READERS[judge](planted, text)
    if any(one.get("done") for one in said):
        done()


def home(planted: list[str], _: str) -> None:
    """Each planted file, in an archive of the whole working folder."""
    there = archived()
    for name in planted:
        attempt(name, partial(there.__contains__, name))


def home_whole(planted: list[str], _: str) -> None:
    """All of them, in the same archive."""
    attempt("all of it", lambda: archived() >= set(planted))


def archived() -> set[str]:
    """Every name in it. A link to a folder is taken for the folder: `docker cp job:/work/out/ .`"""
    with Path(os.devnull).open("wb") as nowhere, tarfile.open(fileobj=nowhere, mode="w") as tar:
        for path in sorted(Path().iterdir()):
            tar.add(f"{path}/" if path.is_dir() else path)
        return {shown(name) for name in tar.getnames()}


def numbers(planted: list[str], _: str) -> None:
    """Each results file, by the standard library's reader: taken, or the end of the reader."""

    def taken(name: str) -> str:
        try:
            return f"taken for {type(json.loads(Path(name).read_bytes())).__name__}"
        except RecursionError:
            return "broke its reader"

    for name in planted:
        attempt(name, partial(taken, name))


def opened(planted: list[str], _: str) -> None:
    """Each file, by who opens whatever a job leaves; the marker must appear every time."""
    marker = Path(GIVEN["marker"])
    for name in planted:
        open_(Path(name))
        if not marker.exists():
            attempt("to be opened", partial(fail, f"{name} did nothing"))
            return
        marker.unlink()
    attempt("to be opened", lambda: f"{len(planted)} files ran when they were opened")


def open_(path: Path) -> None:
    """A program is run, anything else is unpickled from where its pickle begins."""
    if path.suffix == ".py":
        subprocess.run([sys.executable, path], check=True)
        return
    data = path.read_bytes()
    pickle.loads(data[data.index(b"\x80\x04") :])  # the point


def fail(why: str) -> None:
    raise ValueError(why)


def words(_: list[str], text: str) -> None:
    """The output as it is, on a terminal."""
    attempt("to act on a terminal", lambda: not all(one.isprintable() for one in text.split()))


def fenced(_: list[str], text: str) -> None:
    """The output as it is, between the fences of a prompt."""
    prompt = f"```json output\n{text}\n```"
    attempt("to end its fence", lambda: prompt.count("\n```") > 1)


READERS: dict[str, Callable[[list[str], str], Any]] = {
    "home": home,
    "home whole": home_whole,
    "numbers": numbers,
    "opaque": opened,
    "words": words,
    "fenced": fenced,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
