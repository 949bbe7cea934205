"""Whether a run's folder can be made, tried before anything else is asked or judged."""

from __future__ import annotations

import tempfile
from pathlib import Path

from orchestrator.core.errors import UserError


def require_writable(results: Path, option: str = "--results") -> None:
    """Raise :class:`UserError` where nothing can be written below the folder that ``option`` names."""
    there = next(path for path in (results, *results.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=there):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to {results}",
            where=f"{option} {results}",
            why=f"{there}: {error.strerror or error}",
            todo="name a folder that you may write to, on a disk with free space",
        ) from error
