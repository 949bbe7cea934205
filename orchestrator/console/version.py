"""``aisci version``: the program's version, and what it runs on; no engine is asked."""

from __future__ import annotations

import platform
from pathlib import Path

from orchestrator import __version__
from orchestrator.console import output as out


def show_version(*, as_json: bool) -> None:
    """Print it as ``aisci --version`` does, or as JSON with Python and system."""
    if as_json:
        out.as_json({
            "aisci": __version__,
            "python": platform.python_version(),
            "system": platform.system(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "installed": str(Path(__file__).parents[2]),
        })  # fmt: skip
        return
    out.say(f"aisci {__version__}")
