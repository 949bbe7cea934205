"""python3 together.py PROBE…: several probes one after the other, each a process of its own.

Each line that a probe writes is handed on with the probe's id; what it wrote to stderr ends it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROBES = Path(__file__).resolve().parent.parent
PATIENCE = 40  # seconds for one probe
RUNNERS = {".tex": "typeset.py", ".md": "editing.py"}


def command(file: str) -> list[str]:
    """How a probe is run: by Python, or by what plays a paper's or a model's part."""
    helpers = PROBES / "helpers"
    runner = RUNNERS.get(Path(file).suffix)
    own = [str(PROBES / file)]
    return [sys.executable, *([str(helpers / runner)] if runner else []), *own]


def main(files: list[str]) -> None:
    for file in files:
        name = str(Path(file).with_suffix(""))
        try:
            ran = subprocess.run(
                command(file),
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            print(json.dumps({"probe": name, "why": f"no end within {PATIENCE} s"}), flush=True)
            continue
        for line in ran.stdout.splitlines():
            if line.startswith("{"):
                print(json.dumps({"probe": name, **json.loads(line)}), flush=True)
        if ran.returncode:
            print(json.dumps({"probe": name, "why": ran.stderr[-400:]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
