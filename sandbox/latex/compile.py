"""python3 compile.py latex/template.tex latex/out: a paper's source → PDF, pages, and a report.

Runs inside the LaTeX container, in the folder that holds ``latex/`` and the figures. TeX gets a
flat folder of its own (so that no file above it is needed and ``openin_any=p`` can hold), no
shell, a time limit for each program, and no standard input.

Writes into the output folder
  report.json   {"ok", "errors", "warnings", "undefined", "overfull", "tall", "chktex", "pages",
                 "seen", "log_tail"}
  paper.pdf     unless there are none
  pages.json    [text of each page, as its layer says it]
  seen.json     what a reader sees of the first pages, by ``seen.py``, if nothing else is wrong
  page-1.png …  the pages as pictures, at most 120 dots an inch

Exit code 0 if the report was written, whatever it says.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tex_log import LINE, clipped, errors, judged

BUILD = Path("build")
FIGURES = {".png", ".jpg", ".jpeg", ".pdf"}
STEP_SECONDS = 40  # of wall time for one program
FILE_BYTES = 40 * 1024 * 1024  # of any one file that a program writes
PASSES = 4  # of pdflatex, at most
MOST_PAGES = 40
SEEN_PAGES = "20"  # that are held against their pictures: what a reviewer reads
SEEN_SECONDS = 120
# Numbers: dash length, "~" before references, spacing beside brackets, and the like are taste.
CHKTEX_QUIET = ("1", "2", "8", "12", "13", "24", "26", "36", "44", "46")
TEX_ENV = {
    "openin_any": "p",
    "openout_any": "p",
    "shell_escape": "f",
    "SOURCE_DATE_EPOCH": "0",  # equal sources make equal PDFs
    "max_print_line": "1000",
    "error_line": "254",
    "half_error_line": "238",
}


def main(source: Path, out: Path) -> None:
    prepare(source)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]  # a policy may allow less than this
    most = FILE_BYTES if hard == resource.RLIM_INFINITY else min(FILE_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    report: dict[str, Any] = {"chktex": chktex()}
    ended, trouble = build()
    log = read(BUILD / "paper.log")
    report |= judged(log, read(BUILD / "paper.blg"), ended=ended)
    report["errors"] = clipped(report["errors"] + trouble)
    report["pages"], trouble = pages(out) if (BUILD / "paper.pdf").is_file() else (0, [])
    report["errors"] += trouble
    # A program's own text hides nothing, and a program that reads it is moved by nothing.
    program = os.environ.get("AISCI_AUTHOR") == "program"
    report["seen"] = bool(report["pages"]) and not report["errors"] and not program
    report["errors"] += seen(out) if report["seen"] else []
    if not report["pages"] and not report["errors"]:
        report["errors"].append("no page was made")
    report["ok"] = not report["errors"]
    report["log_tail"] = log[-3000:]
    (out / "report.json").write_text(json.dumps(report), encoding="utf-8")


def prepare(source: Path) -> None:
    """A flat build folder: what lies beside the source, the figures, and the source itself."""
    BUILD.mkdir()
    figures = [path for path in Path().iterdir() if path.suffix.lower() in FIGURES]
    for path in [*figures, *source.parent.iterdir()]:
        if path.is_file() and not path.is_symlink() and path != source:
            shutil.copyfile(path, BUILD / path.name)
    shutil.copyfile(source, BUILD / "paper.tex")


def build() -> tuple[bool, list[str]]:
    """pdflatex, bibtex, and pdflatex until the references stand: whether all ended, and why not."""
    quietly = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
    latex = ("pdflatex", *quietly, "paper.tex")
    ended, trouble = run(*latex)
    if ended and "\\bibdata" in read(BUILD / "paper.aux"):
        made, trouble = run("bibtex", "paper")
        if not made and not (BUILD / "paper.bbl").is_file():
            return False, trouble
    for _ in range(PASSES - 1):
        if ended:
            ended, trouble = run(*latex)
        if not ended or not re.search(r"Rerun to get|may have changed", read(BUILD / "paper.log")):
            break
    return ended, trouble


def run(*argv: str) -> tuple[bool, list[str]]:
    """Whether a program ended well, and why not: a time-out, or an exit code that its log does not
    explain.
    """
    with (BUILD / "console.txt").open("wb") as console:
        process = subprocess.Popen(
            argv,
            cwd=BUILD,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=os.environ | TEX_ENV,
            start_new_session=True,
        )
        try:
            code = process.wait(STEP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False, [f"{argv[0]} did not end within {STEP_SECONDS} seconds"]
    if code == 0 or (argv[0] == "pdflatex" and errors(read(BUILD / "paper.log"))):
        return code == 0, []
    last = read(BUILD / "console.txt").strip().splitlines()[-3:]
    return False, [f"{argv[0]} ended with exit code {code}: " + " / ".join(last)]


def chktex() -> list[str]:
    """``line: kind number: message`` of each finding; none where chktex itself fails."""
    quiet = [part for number in CHKTEX_QUIET for part in ("-n", number)]
    try:
        done = subprocess.run(
            ["chktex", "-q", "-I0", *quiet, "-f", "%l: %k %n: %m\n", "paper.tex"],
            cwd=BUILD,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STEP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    return clipped(done.stdout.decode("utf-8", errors="replace").splitlines())


def pages(out: Path) -> tuple[int, list[str]]:
    """The number of pages, and why the PDF is no paper; each step is a process of its own.

    Only a PDF in which nothing acts is left in ``out``, with its pages as text and pictures.
    """
    paper = str(out / "paper.pdf")
    try:
        said = json.loads(own("inert.py", str(BUILD / "paper.pdf"), paper).splitlines()[-1])
        if said["refused"]:
            return 0, [f"the PDF is refused: {said['refused']}"]
        if said["pages"] > MOST_PAGES:
            return said["pages"], [f"the paper has {said['pages']} pages, over {MOST_PAGES}"]
        own("pages.py", paper, str(out))
    except (subprocess.SubprocessError, LookupError, ValueError) as error:
        (out / "paper.pdf").unlink(missing_ok=True)
        return 0, [f"the PDF could not be read, so it is refused: {why(error)}"]
    return said["pages"], []


def seen(out: Path) -> list[str]:
    """Write what a reader sees of the pages; why that is not known, if so."""
    try:
        own("seen.py", str(out / "paper.pdf"), str(out), "1", SEEN_PAGES, seconds=SEEN_SECONDS)
        refused = json.loads(read(out / "seen.json"))["refused"]
    except (subprocess.SubprocessError, LookupError, ValueError) as error:
        refused = why(error)
    return [f"its pages cannot be held against their pictures: {refused}"] if refused else []


def own(script: str, *argv: str, seconds: int = 2 * STEP_SECONDS) -> str:
    """What a script beside this one prints; nothing of the build folder is imported."""
    path = str(Path(__file__).with_name(script))
    return subprocess.run(
        [sys.executable, "-E", "-s", path, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=True,
    ).stdout


def why(error: Exception) -> str:
    """The last line of what a reader wrote before it ended, or how it ended."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"reading it took over {error.timeout:.0f} seconds"
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.strip().splitlines()
        return lines[-1][:LINE] if lines else f"its reader ended with {error.returncode}"
    return "its reader gave no answer"


def read(path: Path) -> str:
    """The first 4 MB of a file as text; empty where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(4_000_000).decode("utf-8", errors="replace")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
