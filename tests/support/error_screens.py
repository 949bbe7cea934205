"""Wrong requests and the screens that answer them: ``tests/golden/screens/NAME.txt``, made in a folder of their own.

``python -m tests.support.error_screens`` writes them again; reviewers read that difference.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.places import ROOT

SCREENS = ROOT / "tests" / "golden" / "screens"


@dataclass(frozen=True, slots=True)
class WrongRequest:
    """A command line, and the variables that make it wrong."""

    words: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)


REQUESTS = {
    "template-unknown": WrongRequest(("run", "groking")),
    "template-bare-name-of-a-folder": WrongRequest(("template", "check", "mine")),
    "template-without-files": WrongRequest(("template", "check", "./bare")),
    "template-key-and-variable": WrongRequest(("template", "check", "./typo")),
    "policy-bare-name": WrongRequest(("policy", "show", "mine.yaml")),
    "results-not-writable": WrongRequest(
        ("run", "grokking", "--scale", "smoke", "--policy", "ci-cpu", "--results", "/proc/x")
    ),
    "results-one-level-off": WrongRequest(("status", "--results", "results/seir")),
    "results-a-run": WrongRequest(("status", "--results", "results/seir/20260101_000000")),
    "run-unknown": WrongRequest(("report", "20250101")),
    "run-none": WrongRequest(("report", "latest", "--results", "elsewhere")),
    "model-unknown": WrongRequest(("models", "openia/gpt-5")),
    "model-without-key": WrongRequest(
        ("run", "grokking", "--scale", "smoke", "--policy", "ci-cpu", "--model", "openai/gpt-5"),
        {"OPENAI_API_KEY": ""},
    ),
    "engine-absent": WrongRequest(("images", "list"), {"DOCKER_HOST": "unix:///nowhere.sock"}),
    "document-unknown": WrongRequest(("docs", "polcy")),
    "setting-unknown": WrongRequest(("list",), {"XDG_CONFIG_HOME": "config"}),
    "setting-variable": WrongRequest(("list",), {"AISCI_PARALLEL": "many"}),
    "notify-nobody": WrongRequest(("resume", "latest", "--notify", "a 'b")),
}


def prepared(folder: Path) -> Path:
    """The folder in which all of them are made."""
    shutil.copytree(ROOT / "templates/seir", folder / "mine")
    (folder / "bare").mkdir()
    (folder / "bare/experiment.py").write_text("import torch, torchvision\n")
    shutil.copytree(folder / "mine", folder / "typo")
    manifest = folder / "typo/template.yaml"
    manifest.write_text(
        manifest.read_text().replace("AISCI_SCALE: smoke}\n    minutes", "EPOCHS: 3}\n    minuts")
    )
    shutil.copy(ROOT / "policies/ci-cpu.yaml", folder / "mine.yaml")
    run = folder / "results/seir/20260101_000000"
    run.mkdir(parents=True)
    (run / "journal.jsonl").touch()
    (folder / "config/aisci").mkdir(parents=True)
    (folder / "config/aisci/config.toml").write_text(
        'modle = "openai/gpt-5"\nparallel = "3"\nOPENAI_API_KEY = "not-shown"\n[run]\n'
    )
    return folder


def screen(request: WrongRequest, folder: Path) -> str:
    """What the command says, with its exit code; the checkout and the folder are named so."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AISCI_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *request.words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**plain, "XDG_CONFIG_HOME": str(folder / "none"), **request.environ},
        timeout=120,
    )
    said = f"{done.stdout}{done.stderr}exit code {done.returncode}\n"
    said = re.sub(re.escape(str(folder)), "FOLDER", said.replace(str(ROOT), "CHECKOUT"))
    return f"$ aisci {' '.join(request.words)}\n{said}"


def main() -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = prepared(Path(scratch))
        for name, request in REQUESTS.items():
            (SCREENS / f"{name}.txt").write_text(screen(request, folder))


if __name__ == "__main__":
    main()
