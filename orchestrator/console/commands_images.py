"""The arguments of ``aisci images …``."""

# ruff: noqa: PLC0415 - heavy imports are inside the commands: --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator.console.options import Json, QuietOption, commands

app = commands("The container images: build them, list them.")


@app.command("build")
def images_build(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Images, or templates with packages; if none, all but the CUDA image."),
    ] = None,
    *,
    base: Annotated[str | None, typer.Option(help="A Debian 12 image to build on.")] = None,
    ca_bundle: Annotated[
        Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
    ] = None,
    flavour: Annotated[
        Literal["cpu", "cuda"], typer.Option(help="The base image of a template's image.")
    ] = "cpu",
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Build the images whose recipe changed."""
    from orchestrator.console import images as machine

    machine.build_named(
        names or [], base=base, ca_bundle=ca_bundle, flavour=flavour, quiet=quiet, as_json=as_json
    )


@app.command("list")
def images_list(*, as_json: Json = False) -> None:
    """List aisci's images: ready, stale or missing."""
    from orchestrator.console import images as machine

    machine.images(as_json=as_json)
