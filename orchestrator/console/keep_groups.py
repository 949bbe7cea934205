"""The commands that keep order among runs: export, stamp, rm, du, prune, cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator import console
from orchestrator.console.options import HERE, Json, ResultsOption, RunName

RunNames = Annotated[
    list[str],
    typer.Argument(metavar="RUN", help="Runs' folders, ids of `list`, or `latest`."),
]


def _export(
    runs: RunNames,
    *,
    into: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it; a folder; or, of a table, `-`."),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Instead: all metrics of all ideas, as CSV.")
    ] = False,
    bundle: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Instead: signed evidence, one DSSE envelope a line."),
    ] = None,
    results: ResultsOption = HERE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Instead: all metrics, one JSON object a line.")
    ] = False,
) -> None:
    """Pack a run into one file for others, its metrics into a table, or its evidence into a bundle."""
    console.export_run.export_runs(
        runs, results, into=into, as_csv=as_csv, as_json=as_json, bundle=bundle
    )


def _stamp(
    run: RunName,
    *,
    authority: Annotated[
        str | None, typer.Option(metavar="URL", help="The authority that is asked (RFC 3161).")
    ] = None,
    request: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ask nobody: write the request here.")
    ] = None,
    answer: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take an authority's answer from here.")
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Have a time-stamp authority say that a run's signature exists; nothing but its hash is sent."""
    way = console.stamping.StampWay(request=request, answer=answer, authority=authority)
    console.stamping.stamp_run(run, results, way, as_json=as_json)


SureOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _rm(
    runs: RunNames,
    *,
    yes: SureOption = False,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Remove runs, with their records; or lists of ideas, reviews, surveys, slides (`reviews/NAME`)."""
    raise typer.Exit(console.removing.remove_runs(runs, results, yes=yes, as_json=as_json))


def _du(*, results: ResultsOption = HERE, as_json: Json = False) -> None:
    """Show what runs, other records, caches and images take on the disk, and all together."""
    console.disk_use.show_use(results, as_json=as_json)


def _prune(
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="Runs that ended so long ago, such as 90d.")
    ] = None,
    keep: Annotated[
        Literal["record"] | None,
        typer.Option(help="Keep what an audit needs; remove what a replay makes again."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    yes: SureOption = False,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Remove old runs, or all but their records, and images of ours that nothing names."""
    way = console.removing.PruneWay(
        keep_record=keep == "record", dry_run=dry_run, yes=yes, as_json=as_json
    )
    raise typer.Exit(console.removing.prune(results, older_than, way))


def _cancel(
    run: RunName,
    *,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Stop a run that another process works on; `aisci resume` goes on from there."""
    console.detaching.cancel(run, results, as_json=as_json)


KEEP_COMMANDS: dict[str, Callable[..., None]] = {
    "cancel": _cancel,
    "export": _export,
    "stamp": _stamp,
    "rm": _rm,
    "du": _du,
    "prune": _prune,
}
"""Each command and its function."""
