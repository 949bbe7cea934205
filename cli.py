"""The ``aisci`` command: parses, and hands on. What a command needs is imported when it runs.

Every error ends in :class:`Commands`: one screen that says what, where, why and what to do;
exit code 2 for a request that is wrong, 1 for a failure, 130 for an interrupt.
"""

# ruff: noqa: PLC0415 - heavy imports stand where they are used: --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator import __version__
from orchestrator.console import commands_policy as parsing_policies
from orchestrator.console import commands_template as parsing_templates
from orchestrator.console.options import (
    HERE,
    Json,
    PolicyName,
    Quiet,
    Results,
    RunName,
    Sign,
    commands,
)

app = commands("A language model does small research; nothing that it wrote runs on this host.")
images_app = commands("The container images: build them, list them.")
app.add_typer(images_app, name="images")
app.add_typer(parsing_policies.app, name="policy")
app.add_typer(parsing_templates.template_app, name="template")
app.add_typer(parsing_templates.data_app, name="data")


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"aisci {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    _asked: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _version(asked=asked),
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Options of ``aisci`` itself."""


# --- research -----------------------------------------------------------------------------


@app.command()
def run(
    template: Annotated[str, typer.Argument(help="A shipped template's name, or ./a/folder.")],
    *,
    model: Annotated[
        str, typer.Option(help="builtin/sweep needs no key; else as litellm names it.")
    ] = "builtin/sweep",
    ideas: Annotated[int, typer.Option(min=1, max=100, help="How many ideas to pursue.")] = 1,
    scale: Annotated[str, typer.Option(help="The template's scale: smoke or full.")] = "full",
    policy: PolicyName = None,
    data: Annotated[Path | None, typer.Option(help="A folder of staged data sets.")] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Lower the run's budget.")] = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN,OUT", help="US dollars for a million tokens, if unknown."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure the baseline anew, if one is kept here.")
    ] = False,
    sign: Sign = None,
    results: Results = HERE,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Take a template from ideas to reviewed papers."""
    from orchestrator.api.prepare import RunRequest
    from orchestrator.console import run as research
    from orchestrator.console.view import View

    request = RunRequest(
        template=template,
        model=model,
        ideas=ideas,
        scale=scale,
        policy=policy,
        data=data,
        max_usd=max_usd,
        results=results,
        price=price,
        fresh=fresh,
        sign=sign,
    )
    raise typer.Exit(research.start(request, View(quiet=quiet, as_json=as_json)))


@app.command()
def resume(
    run: RunName,
    *,
    fork: Annotated[
        bool, typer.Option(help="Go on as a new branch where template or program changed.")
    ] = False,
    policy: Annotated[
        str | None, typer.Option(help="With --fork: another policy, such as a larger budget.")
    ] = None,
    sign: Sign = None,
    results: Results = HERE,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Continue a run that stopped. No recorded call is made or paid again."""
    from orchestrator.api.runs import ResumeRequest
    from orchestrator.console import run as research
    from orchestrator.console.view import View

    request = ResumeRequest(run=run, results=results, fork=fork, policy=policy, sign=sign)
    raise typer.Exit(research.resume(request, View(quiet=quiet, as_json=as_json)))


@app.command()
def replay(
    run: RunName,
    *,
    into: Annotated[Path | None, typer.Option(help="Where to write what comes out.")] = None,
    results: Results = HERE,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a run again from its record alone. It needs no engine, no network, no key."""
    from orchestrator.console import run as research
    from orchestrator.console.view import View

    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(research.replay(run, results, view, into=into))


@app.command()
def report(run: RunName, *, results: Results = HERE, as_json: Json = False) -> None:
    """Write a run's pages again. They are made from the journals alone."""
    from orchestrator.console import report as reports

    reports.write_all(run, results, as_json=as_json)


@app.command()
def audit(
    run: RunName,
    *,
    head: Annotated[
        str | None, typer.Option(help="The head that `aisci run` said and you kept elsewhere.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="PUBKEY", help="The public key of who signed the run."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the page goes; else RUN/audit.html.")
    ] = None,
    results: Results = HERE,
    as_json: Json = False,
) -> None:
    """Check a run's whole record; exit code 1 if it is broken. It needs no engine, no network."""
    from orchestrator.console import audit as audits

    code = audits.audit(run, results, head=head, key=key, html=html, as_json=as_json)
    raise typer.Exit(code)


# --- the machine --------------------------------------------------------------------------


@app.command()
def reap(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what dead runs left on the engine. What a live run owns is left alone."""
    from orchestrator.console import images as machine

    machine.reap_all(dry_run=dry_run, as_json=as_json)


@app.command()
def doctor(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also say what each known hole needs.")
    ] = False,
    results: Results = HERE,
    as_json: Json = False,
) -> None:
    """Say which controls this machine has, and how to get the others."""
    from orchestrator.console.doctor import doctor as examine

    raise typer.Exit(examine(results, verbose=verbose, as_json=as_json))


@images_app.command("build")
def images_build(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Images, or templates with packages; all but CUDA's, if none."),
    ] = None,
    *,
    base: Annotated[str | None, typer.Option(help="A Debian 12 image to build on.")] = None,
    ca_bundle: Annotated[
        Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
    ] = None,
    flavour: Annotated[
        Literal["cpu", "cuda"], typer.Option(help="On which base image a template's is built.")
    ] = "cpu",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Build the images whose recipe has changed."""
    from orchestrator.console import images as machine

    machine.build(
        names or [], base=base, ca_bundle=ca_bundle, flavour=flavour, quiet=quiet, as_json=as_json
    )


@images_app.command("list")
def images_list(*, as_json: Json = False) -> None:
    """Every image of aisci: ready, stale or missing."""
    from orchestrator.console import images as machine

    machine.images(as_json=as_json)


def main() -> None:
    """The console command."""
    app()


if __name__ == "__main__":
    main()
