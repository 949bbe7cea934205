"""The arguments of ``aisci template …`` and ``aisci data …``."""

# ruff: noqa: PLC0415 - heavy imports are inside the commands: --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.console.options import Json, PolicyName, QuietOption, commands

template_app = commands("Templates: the small studies that research starts from.")
data_app = commands("Data sets that templates declare: fetched once, verified, staged.")


@template_app.command("list")
def template_list(*, as_json: Json = False) -> None:
    """List the templates that aisci ships."""
    from orchestrator.console import template as written

    written.list_templates(as_json=as_json)


@template_app.command("check")
def template_check(
    name: str,
    *,
    run: Annotated[
        bool, typer.Option("--run", help="Also run experiment, plot and LaTeX in containers.")
    ] = False,
    policy: Annotated[str, typer.Option(help="The policy for --run.")] = "ci-cpu",
    scale: Annotated[
        str | None, typer.Option(help="The scale for --run; if none, the manifest's first.")
    ] = None,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Check every rule of the contract; exit code 2 if its files break one, 1 if its runs do."""
    from orchestrator.console import template as written
    from orchestrator.console.view import View

    view = View(quiet=quiet, as_json=as_json)
    code = written.print_check(name, run=run, policy=policy, scale=scale, view=view)
    raise typer.Exit(code)


@template_app.command("new")
def template_new(
    folder: Annotated[
        Path, typer.Argument(help="The folder to create; its name becomes the template's.")
    ],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="TEMPLATE", help="What to copy: a name or ./folder.")
    ] = "seir",
) -> None:
    """Start a template of your own as a copy of another."""
    from orchestrator.console import template as written

    written.new_template(folder, source)


@template_app.command("baseline")
def template_baseline(
    name: str,
    *,
    scale: Annotated[
        str, typer.Option(help="The template's scale: smoke, short or full.")
    ] = "full",
    policy: PolicyName = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure it again, even if one is kept.")
    ] = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Measure run_0 once on this machine; later runs under the same policy reuse it."""
    from orchestrator.console import baseline
    from orchestrator.console.view import View

    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(baseline.baseline(name, scale, policy, view, again=again))


@data_app.command("list")
def data_list(*, as_json: Json = False) -> None:
    """List the shipped templates' data sets: size, licence, and whether they are here."""
    from orchestrator.console import data

    data.list_data(as_json=as_json)


@data_app.command("prepare")
def data_prepare(
    template: Annotated[str, typer.Argument(help="A shipped template's name, or ./a/folder.")],
    *,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One of its data sets; may repeat.")
    ] = None,
    given: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A local file, or a folder of files."),
    ] = None,
    ca_bundle: Annotated[
        Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
    ] = None,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Download, verify and stage a template's data, once per machine."""
    from orchestrator.console import data
    from orchestrator.console.view import View

    view = View(quiet=quiet, as_json=as_json)
    brought = tuple(given or ())
    data.prepare(template, view, only=tuple(only or ()), given=brought, ca_bundle=ca_bundle)
