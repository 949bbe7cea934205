"""The arguments of ``aisci policy …``."""

# ruff: noqa: PLC0415 - heavy imports are inside the commands, so that --help is fast

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.console.options import HERE, Json, QuietOption, ResultsOption, commands

app = commands("Policies: what containers, ideas and runs may use.")


@app.command("list")
def policy_list(*, as_json: Json = False) -> None:
    """List the policies that aisci ships."""
    from orchestrator.console import policy as policies

    policies.list_policies(as_json=as_json)


@app.command("show")
def policy_show(
    name: str,
    *,
    effective: Annotated[
        bool, typer.Option("--effective", help="After inheritance, with every key.")
    ] = False,
) -> None:
    """Print a policy."""
    from orchestrator.console import policy as policies

    policies.show_policy(name, effective=effective)


@app.command("check")
def policy_check(
    files: list[str],
    *,
    no_weaker_than: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Prove that no setting allows more than NAME."),
    ] = None,
    no_exceptions: Annotated[
        bool, typer.Option("--no-exceptions", help="Accept no reasons under `exceeds`.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--here", help="What this machine lacks is an error, not a note.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check policies; exit code 2 if one has an error."""
    from orchestrator.console import policy as policies

    code = policies.check_policies(
        files,
        no_weaker_than=no_weaker_than,
        exceptions=not no_exceptions,
        here=here,
        as_json=as_json,
    )
    raise typer.Exit(code)


@app.command("explain")
def policy_explain(name: str, *, as_json: Json = False) -> None:
    """Explain each control, and how this machine provides it."""
    from orchestrator.console import policy_explain as explain

    explain.explain(name, as_json=as_json)


@app.command("diff")
def policy_diff(first: str, second: str, *, as_json: Json = False) -> None:
    """Compare the second policy with the first, by setting."""
    from orchestrator.console import policy as policies

    policies.diff(first, second, as_json=as_json)


@app.command("prove")
def policy_prove(
    name: str,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A probe, a folder of probes, a control or a part of one."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also list every probe that held.")
    ] = False,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Try to escape from real containers; exit code 1 if a control did not hold, 3 if not provable."""
    from orchestrator.console import policy_prove as prove
    from orchestrator.console.view import View

    view = View(quiet=quiet, as_json=as_json, verbose=verbose)
    raise typer.Exit(prove.prove(name, tuple(only or ()), results, view))


@app.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from orchestrator.console import policy as policies

    policies.print_schema()
