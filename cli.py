"""The ``aisci`` command: parses, and hands on. What a command needs is imported when it runs.

Every error ends in :class:`Commands`: one screen that says what, where, why and what to do;
exit code 2 for a request that is wrong, 1 for a failure, 130 for an interrupt.
"""

# ruff: noqa: PLC0415 - heavy imports stand where they are used: --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from orchestrator import AisciError, Interrupted, UserError, __version__

if TYPE_CHECKING:
    from click import Context


class Commands(TyperGroup):
    """The one place where an error becomes words and an exit code."""

    def invoke(self, ctx: Context) -> Any:
        as_json = "--json" in (*ctx._protected_args, *ctx.args)  # noqa: SLF001 - click has no public name for it
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error: AisciError = Interrupted("stopped by a signal; nothing was half-written")
        except AisciError as raised:
            error = raised
        except BrokenPipeError:  # the reader of our output has gone: click's business
            raise
        except OSError as refused:
            error = AisciError(
                f"the system refused: {refused.strerror}", where=str(refused.filename or "")
            )
        from orchestrator.console import errors

        errors.show(error, as_json=as_json)
        raise typer.Exit(error.exit_code)


def _commands(about: str) -> typer.Typer:
    return typer.Typer(
        cls=Commands,
        help=about,
        rich_markup_mode=None,  # drawing help with rich would double the time it takes
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


app = _commands("A language model does small research; nothing that it wrote runs on this host.")
images_app = _commands("The container images: build them, list them.")
policy_app = _commands("Policies: what containers, ideas and runs may use.")
template_app = _commands("Templates: the small studies that research starts from.")
data_app = _commands("Data sets that templates declare: fetched once, verified, staged.")
app.add_typer(data_app, name="data")
app.add_typer(images_app, name="images")
app.add_typer(policy_app, name="policy")
app.add_typer(template_app, name="template")

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's results folder, or `latest`.")]
Results = Annotated[Path, typer.Option("--results", help="Where results lie.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only how it ended.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, one object a line.")]
Sign = Annotated[
    Path | None,
    typer.Option(metavar="KEY", help="Sign the record at its end: a file with an Ed25519 key."),
]
HERE = Path("results")


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
    policy: Annotated[str, typer.Option(help="A shipped policy, or ./a/file.yaml.")] = "default",
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
    from orchestrator.console import research
    from orchestrator.console.wiring import Wanted

    wanted = Wanted(
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
    )
    view = research.View(quiet=quiet, as_json=as_json)
    raise typer.Exit(research.start(wanted, view, sign))


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
    """Go on with a run that stopped. No recorded call is made or paid again."""
    from orchestrator.console import research

    if policy is not None and not fork:
        raise UserError(
            "another policy changes what the recorded run was allowed",
            where="--policy",
            todo="say --fork as well: the run goes on as a new branch of its record",
        )
    view = research.View(quiet=quiet, as_json=as_json)
    raise typer.Exit(research.resume(run, results, view, fork=fork, policy=policy, sign=sign))


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
    from orchestrator.console import research

    view = research.View(quiet=quiet, as_json=as_json)
    raise typer.Exit(research.replay(run, results, view, into=into))


@app.command()
def report(run: RunName, *, results: Results = HERE, as_json: Json = False) -> None:
    """Write a run's pages again. They are made from the journals alone."""
    from orchestrator.console import reports

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

    wanted = audits.Wanted(head=head, key=key, html=html)
    raise typer.Exit(audits.audit(run, results, wanted, as_json=as_json))


# --- the machine --------------------------------------------------------------------------


@app.command()
def reap(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what dead runs left on the engine. What a live run owns is left alone."""
    from orchestrator.console import machine

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
    names: Annotated[list[str] | None, typer.Argument(help="All but CUDA's, if none.")] = None,
    *,
    base: Annotated[str | None, typer.Option(help="A Debian 12 image to build on.")] = None,
    ca_bundle: Annotated[
        Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Build the images whose recipe has changed."""
    from orchestrator.console import machine

    machine.build(names or [], base=base, ca_bundle=ca_bundle, quiet=quiet, as_json=as_json)


@images_app.command("list")
def images_list(*, as_json: Json = False) -> None:
    """Every image of aisci: ready, stale or missing."""
    from orchestrator.console import machine

    machine.images(as_json=as_json)


@data_app.command("list")
def data_list(*, as_json: Json = False) -> None:
    """Every data set of the shipped templates: size, licence, and whether it is here."""
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
        typer.Option("--from", metavar="FILE", help="A file, or folder of files, brought by hand."),
    ] = None,
    ca_bundle: Annotated[
        Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fetch, verify and stage a template's data, once for this machine."""
    from orchestrator.console import data
    from orchestrator.console.research import View

    view = View(quiet=quiet, as_json=as_json)
    brought = tuple(given or ())
    data.prepare(template, view, only=tuple(only or ()), given=brought, ca_bundle=ca_bundle)


# --- what people write --------------------------------------------------------------------


@policy_app.command("list")
def policy_list(*, as_json: Json = False) -> None:
    """The policies that aisci ships."""
    from orchestrator.console import policies

    policies.list_policies(as_json=as_json)


@policy_app.command("show")
def policy_show(
    name: str,
    *,
    effective: Annotated[
        bool, typer.Option("--effective", help="After inheritance, every key written out.")
    ] = False,
) -> None:
    """Print a policy."""
    from orchestrator.console import policies

    policies.show_policy(name, effective=effective)


@policy_app.command("check")
def policy_check(
    files: list[str],
    *,
    no_weaker_than: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Prove for each setting that it allows no more."),
    ] = None,
    no_exceptions: Annotated[
        bool, typer.Option("--no-exceptions", help="Reasons under `exceeds` do not count.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check policies; exit code 2 if one is to be mended."""
    from orchestrator.console import policies

    code = policies.check_policies(
        files, no_weaker_than=no_weaker_than, exceptions=not no_exceptions, as_json=as_json
    )
    raise typer.Exit(code)


@policy_app.command("explain")
def policy_explain(name: str, *, as_json: Json = False) -> None:
    """Explain each control, and how this machine gives it."""
    from orchestrator.console import explain

    explain.explain(name, as_json=as_json)


@policy_app.command("diff")
def policy_diff(first: str, second: str, *, as_json: Json = False) -> None:
    """How the second policy stands to the first, by setting."""
    from orchestrator.console import policies

    policies.diff(first, second, as_json=as_json)


@policy_app.command("prove")
def policy_prove(
    name: str,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A probe, a folder of them, a control or a part of one."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also list every probe that held.")
    ] = False,
    results: Results = HERE,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Try to escape, in real containers; exit code 1 if a control did not hold, 3 if not provable here."""
    from orchestrator.console import prove

    view = prove.View(quiet=quiet, as_json=as_json, verbose=verbose)
    raise typer.Exit(prove.prove(name, tuple(only or ()), results, view))


@policy_app.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from orchestrator.console import policies

    policies.print_schema()


@template_app.command("list")
def template_list(*, as_json: Json = False) -> None:
    """The templates that aisci ships."""
    from orchestrator.console import written

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
        str | None, typer.Option(help="The scale for --run; the manifest's first, if none.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Try every rule of the contract; exit code 2 if its files break one, 1 if its runs do."""
    from orchestrator.console import written
    from orchestrator.console.research import View

    view = View(quiet=quiet, as_json=as_json)
    code = written.check_template(name, run=run, policy=policy, scale=scale, view=view)
    raise typer.Exit(code)


@template_app.command("new")
def template_new(
    folder: Annotated[Path, typer.Argument(help="The folder to make; its name is the template's.")],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="TEMPLATE", help="What to copy: a name or ./folder.")
    ] = "seir",
) -> None:
    """Begin a template of your own: a copy of one that works."""
    from orchestrator.console import written

    written.new_template(folder, source)


@template_app.command("baseline")
def template_baseline(
    name: str,
    *,
    scale: Annotated[
        str, typer.Option(help="The template's scale: smoke, short or full.")
    ] = "full",
    policy: Annotated[str, typer.Option(help="A shipped policy, or ./a/file.yaml.")] = "default",
    again: Annotated[
        bool, typer.Option("--again", help="Measure it anew where one is kept.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure run_0 once on this machine; runs under the same policy then start from it."""
    from orchestrator.console import baseline
    from orchestrator.console.research import View

    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(baseline.baseline(name, scale, policy, view, again=again))


def main() -> None:
    """The console command."""
    app()


if __name__ == "__main__":
    main()
