"""The commands on this machine: doctor, reap, sbom."""

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
    as_json: Json = False,
) -> None:
    """Remove containers and volumes of runs that were killed. Live runs are not touched."""
    console.images.reap_all(dry_run=dry_run, as_json=as_json)


def _sbom(
    image: Annotated[
        str | None,
        typer.Argument(metavar="[IMAGE]", help="An image; without it the program on this host."),
    ] = None,
    *,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; else standard output.")
    ] = None,
) -> None:
    """Print a bill of materials, as CycloneDX: every package with version, hash or origin, licence."""
    console.sbom.show_bill(image, into)


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
}
"""Each command and its function."""
