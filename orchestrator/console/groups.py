"""The arguments of ``aisci images …``, ``template …`` and ``data …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator import console
from orchestrator.console.commands import commands
from orchestrator.console.options import (
    CaBundle,
    DataOption,
    Json,
    PolicyName,
    QuietOption,
    View,
)

TemplateArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A shipped template's name, or ./a/folder.")
]

images_group = commands("The container images: build them, list them.")
template_group = commands("Templates: the small studies that research starts from.")
data_group = commands("Data sets of templates: fetched once, verified, staged.")


@images_group.command("build")
def images_build(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Images, or templates with packages; if none, all but the CUDA image."),
    ] = None,
    *,
    base: Annotated[str | None, typer.Option(help="A Debian 12 image to build on.")] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Pull the base and use no cache: Debian's updates get in."),
    ] = False,
    ca_bundle: CaBundle = None,
    flavour: Annotated[
        Literal["cpu", "cuda"], typer.Option(help="The base image of a template's image.")
    ] = "cpu",
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Build the images whose recipe changed."""
    console.images.build_named(
        names or [],
        base=base,
        ca_bundle=ca_bundle,
        flavour=flavour,
        fresh=fresh,
        quiet=quiet,
        as_json=as_json,
    )


@images_group.command("list")
def images_list(*, as_json: Json = False) -> None:
    """List aisci's images: ready, stale or missing."""
    console.images.images(as_json=as_json)


@template_group.command("list")
def template_list(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder of templates of your own.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the templates that aisci ships, or those in a folder of your own."""
    console.template_list.list_templates(folder, as_json=as_json)


@template_group.command("show")
def template_show(name: TemplateArgument, *, as_json: Json = False) -> None:
    """Show one template on a screen: question, data, knobs, metrics, scales, packages, GPU."""
    console.template_show.show_template(name, as_json=as_json)


@template_group.command("check")
def template_check(
    name: TemplateArgument,
    *,
    run: Annotated[
        bool, typer.Option("--run", help="Also run experiment, plot and LaTeX in containers.")
    ] = False,
    policy: Annotated[str, typer.Option(help="The policy for --run.")] = "ci-cpu",
    scale: Annotated[
        str | None, typer.Option(help="The scale for --run; if none, the manifest's first.")
    ] = None,
    data: DataOption = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="With --run: write metrics and seeds of the first run to template.yaml."
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Check every rule of the contract; exit code 2 if its files break one, 1 if its runs do."""
    view = View(quiet=quiet, as_json=as_json)
    code = console.template.print_check(
        name, run=run, policy=policy, scale=scale, data=data, view=view, write=write
    )
    raise typer.Exit(code)


@template_group.command("new")
def template_new(
    folder: Annotated[
        Path, typer.Argument(help="The folder to create; its name becomes the template's.")
    ],
    *,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A script of your own to take up as it is.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="TEMPLATE", help="What to copy: a name or ./folder."),
    ] = None,
) -> None:
    """Start a template of your own: from your script, as a copy, or as a blank to fill in."""
    console.template_new.new_template(folder, source, script)


@template_group.command("adopt")
def template_adopt(
    folder: Annotated[Path, typer.Argument(help="A folder without a template.yaml.")],
    *,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="A new folder for a copy; if none, the draft goes in place."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draft the manifest of a folder in the AI Scientist's format, from what its files show."""
    console.template_adopt.adopt(folder, into, as_json=as_json)


@template_group.command("baseline")
def template_baseline(
    name: TemplateArgument,
    *,
    scale: Annotated[
        str, typer.Option(help="The template's scale: smoke, short or full.")
    ] = "full",
    policy: PolicyName = None,
    data: DataOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure it again, even if one is kept.")
    ] = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Measure run_0 once on this machine; later runs under the same policy reuse it."""
    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(console.template.baseline(name, scale, policy, data, view, again=again))


@data_group.command("list")
def data_list(*, as_json: Json = False) -> None:
    """List the shipped templates' data sets: size, licence, and whether they are here."""
    console.data.list_data(as_json=as_json)


@data_group.command("prepare")
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
    ca_bundle: CaBundle = None,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Download, verify and stage a template's data, once per machine."""
    view = View(quiet=quiet, as_json=as_json)
    names, brought = tuple(only or ()), tuple(given or ())
    console.data.prepare(template, view, only=names, given=brought, ca_bundle=ca_bundle)
