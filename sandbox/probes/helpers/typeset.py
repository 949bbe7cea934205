r"""python3 typeset.py PROBE.tex: a paper's source, typeset by whoever typesets papers here.

Guarded that is ``/opt/aisci/latex/compile.py``, as after every run; bare it is latexmk with a shell
and no limits to what may be read and written, as on many a desk. The source says in its text
what came of it, a paragraph each: ``THROUGH: name`` or ``STOPPED: name``. For the rest there are lines
in it that begin with ``%%``::

    %% lay: secret.txt: words         a file that lies there first, beside the folder latex/
    %% leaves: ../x.txt: a name       an attempt that got through if that file is there at the end
    %% stopped by: words              what the first error must say if it is not; another one shows nothing
    %% lasts: a name                  an attempt that got through if it still runs after the wall time
    %% tells the key: a name          an attempt that got through if a key of the host's is in the PDF

Paths are those from the folder that TeX runs in, which both make beside ``latex/``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from probing import BARE, GIVEN, attempt, done, tell

COMPILE = "/opt/aisci/latex/compile.py"
BUILD = Path("build")
LATEXMK = ("latexmk", "-pdf", "-f", "-shell-escape", "-interaction=nonstopmode", "paper.tex")
DESK = {"openin_any": "a", "openout_any": "a", "shell_escape": "t", "HOME": "/tmp"}
PATIENCE = 30


def main(probe: Path) -> None:
    """Typeset it in a folder of its own, and tell what came of it."""
    source = probe.read_text()
    os.chdir(tempfile.mkdtemp(prefix="paper-", dir=Path.cwd()))
    Path("latex").mkdir()
    Path("latex/template.tex").write_text(source)
    for path, words in marked(source, "lay"):
        Path("latex", path).write_text(f"{words}\n")
    lasting = desk() if BARE else guarded()
    for name in re.findall(r"^%% lasts: (.+)$", source, re.MULTILINE):
        attempt(name, lambda: lasting and "it was still running")
    report = read("report.json") or {"errors": []}
    why = "".join(report["errors"][:1]).partition("\n")[0] or "it was not made"
    expected = "".join(re.findall(r"^%% stopped by: (.+)$", source, re.MULTILINE))
    for path, name in marked(source, "leaves"):
        there = (BUILD / path).exists()
        if not (BARE or there or expected in why):
            raise RuntimeError(f"nothing is shown, as something else went wrong: {why}")
        tell(attempt=name, through=there, saw="it is there" if there else why)
    for name in re.findall(r"^%% tells the key: (.+)$", source, re.MULTILINE):
        key = "".join(GIVEN["key"]).encode()
        tell(attempt=name, through=any(key in data for data in contents()), saw="")
    for outcome, name in said(" ".join(read("pages.json") or [])):
        tell(attempt=name, through=outcome == "THROUGH", saw="")
    done()


def contents() -> Iterator[bytes]:
    """The paper's PDF, and each of its streams as it is when unpacked."""
    pdf = Path("out/paper.pdf").read_bytes()
    yield pdf
    for stream in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompress(stream[1])


def marked(source: str, mark: str) -> list[tuple[str, str]]:
    return re.findall(rf"^%% {mark}: (\S+): (.+)$", source, re.MULTILINE)


def said(text: str) -> list[tuple[str, str]]:
    """What the paper says of itself, up to the full stop."""
    return re.findall(r"(THROUGH|STOPPED): ([^.]+)\.", " ".join(text.split()))


def read(name: str) -> Any:
    path = Path("out", name)
    return json.loads(path.read_bytes()) if path.exists() else None


def guarded() -> bool:
    """As the product does it; whether it still ran past the wall time, where the host ends it."""
    try:
        subprocess.run(
            [sys.executable, COMPILE, "latex/template.tex", "out"],
            check=True,
            timeout=GIVEN["wall"] + 4,
        )
    except subprocess.TimeoutExpired:
        return True
    return False


def desk() -> bool:
    """As people do it; whether it still ran past the wall time that a paper has."""
    shutil.copytree("latex", BUILD)
    (BUILD / "template.tex").rename(BUILD / "paper.tex")
    press = subprocess.Popen(
        LATEXMK, cwd=BUILD, env=os.environ | DESK, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        press.wait(min(GIVEN["wall"] + 1, PATIENCE))
    except subprocess.TimeoutExpired:
        os.killpg(press.pid, signal.SIGKILL)
        press.wait()
        return True
    Path("out").mkdir()
    if (BUILD / "paper.pdf").exists():
        shutil.copyfile(BUILD / "paper.pdf", "out/paper.pdf")
        text = subprocess.run(
            ["pdftotext", "out/paper.pdf", "-"], capture_output=True, text=True, check=True
        )
        Path("out/pages.json").write_text(json.dumps([text.stdout]))
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
