"""The commands on this machine: doctor, reap, sbom, stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import console
from orchestrator.console.options import (
    HERE,
    CheckedModel,
    Json,
    OfflineOption,
    ResultsOption,
)


def _reap(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep-evidence", help="First keep settings and files of each container."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove containers and volumes of runs that were killed. Live runs are not touched."""
    console.images.reap_all(dry_run=dry_run, keep=keep, as_json=as_json)


def _stop(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Stop every run of yours, wherever its results are.")
    ] = False,
    hold: Annotated[
        bool,
        typer.Option("--hold", help="Keep evidence; nothing starts or is removed until --release."),
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Release a hold.")] = False,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="As root: all accounts of this machine.")
    ] = False,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason of the hold.")] = "",
    as_json: Json = False,
) -> None:
    """Stop all runs in order, and hold them: for the day on which a job did something odd."""
    way = console.stopping.StopWay(hold=hold, everybody=everybody, why=why, as_json=as_json)
    if release:
        raise typer.Exit(console.stopping.release(way, also_stop=everything))
    raise typer.Exit(console.stopping.stop_all(way, asked=everything))


def _sbom(
    image: Annotated[
        str | None,
        typer.Argument(metavar="[IMAGE]", help="An image; without it the program on this host."),
    ] = None,
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="What the images of this run held, by its record."),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; else standard output.")
    ] = None,
    results: ResultsOption = HERE,
) -> None:
    """Print a bill of materials, as CycloneDX: every package with version, hash or origin, licence."""
    console.sbom.show_bill(image, run, results, into)


def _doctor(
    *,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Also list what each known vulnerability requires."),
    ] = False,
    literature: Annotated[
        bool,
        typer.Option(
            "--literature", help="Instead: each literature service, its key, what is left."
        ),
    ] = False,
    model: CheckedModel = None,
    offline: OfflineOption = False,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Report which controls this machine supports. Says how to get the others."""
    if literature:
        raise typer.Exit(console.literature.services(as_json=as_json))
    if model is not None:
        raise typer.Exit(console.model_check.show_model(model, offline=offline, as_json=as_json))
    raise typer.Exit(console.doctor.doctor(results, verbose=verbose, as_json=as_json))


MACHINE_COMMANDS: dict[str, Callable[..., None]] = {
    "doctor": _doctor,
    "reap": _reap,
    "sbom": _sbom,
    "stop": _stop,
}
"""Each command and its function."""
