"""The commands that keep order among runs: export, rm, du, prune, cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import console
from orchestrator.console.options import HERE, ResultsOption

RunNames = Annotated[
    list[str],
    typer.Argument(metavar="RUN…", help="Runs' folders, ids of `list`, or `latest`."),
]


def _export(
    runs: RunNames,
    *,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; or a folder.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Instead: all metrics of all ideas, as CSV.")
    ] = False,
    results: ResultsOption = HERE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Instead: all metrics, one JSON object a line.")
    ] = False,
) -> None:
    """Pack a run into one file for others, or its metrics into a table."""
    console.export_run.export_runs(runs, results, into=into, as_csv=as_csv, as_json=as_json)


KEEP_COMMANDS: dict[str, Callable[..., None]] = {
    "export": _export,
}
"""Each command and its function."""
