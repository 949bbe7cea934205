"""The arguments of ``aisci policy …`` and ``aisci check …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import console
from orchestrator.console.commands import commands
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    Json,
    PriceOption,
    QuietOption,
    ResultsOption,
    View,
)

PolicyArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A shipped policy, or ./a/file.yaml.")
]

policy_group = commands("Policies: what containers, ideas and runs may use.")
check_group = commands("Papers held to their results.")


@policy_group.command("list")
def policy_list(*, as_json: Json = False) -> None:
    """List the policies that aisci ships."""
    console.policy.list_policies(as_json=as_json)


@policy_group.command("show")
def policy_show(
    name: PolicyArgument,
    *,
    effective: Annotated[
        bool, typer.Option("--effective", help="After inheritance, with every key.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a policy."""
    console.policy.show_policy(name, effective=effective, as_json=as_json)


@policy_group.command("check")
def policy_check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES...", help="Files, or names of shipped policies.")
    ],
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
    expires_within: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="An exception that ends within TIME (30d) is an error."),
    ] = None,
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="The findings as SARIF 2.1.0, for a code host.")
    ] = False,
    as_github: Annotated[
        bool, typer.Option("--github", help="The findings as annotations of a GitHub workflow.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check policies; exit code 2 if one has an error."""
    form = console.policy_check.form_of(as_json=as_json, as_sarif=as_sarif, as_github=as_github)
    code = console.policy_check.check_named(
        tuple(files),
        form,
        no_weaker_than=no_weaker_than,
        exceptions=not no_exceptions,
        here=here,
        expires_within=console.spans.seconds_of("--expires-within", expires_within),
    )
    raise typer.Exit(code)


@policy_group.command("explain")
def policy_explain(name: PolicyArgument, *, as_json: Json = False) -> None:
    """Explain each control, and how this machine provides it."""
    console.policy_explain.explain(name, as_json=as_json)


@policy_group.command("diff")
def policy_diff(first: PolicyArgument, second: PolicyArgument, *, as_json: Json = False) -> None:
    """Compare the second policy with the first, by setting."""
    console.policy.diff(first, second, as_json=as_json)


@policy_group.command("prove")
def policy_prove(
    name: PolicyArgument,
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
    view = View(quiet=quiet, as_json=as_json, verbose=verbose)
    raise typer.Exit(console.policy_prove.prove(name, tuple(only or ()), results, view))


@policy_group.command("sign")
def policy_sign(
    name: Annotated[str, typer.Argument(metavar="FILE", help="A policy of your own.")],
    *,
    key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="A private key's file, a public one's, or agent:SHA256:…."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Sign a policy of your own, with the exceptions in it; FILE.signed.json lies beside it."""
    console.policy_sign.sign(name, console.signing_keys.key_named(key, "--key"), as_json=as_json)


@policy_group.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    console.policy.print_schema()


@check_group.command("paper")
def paper(
    folder: Annotated[
        Path,
        typer.Argument(
            help="RUN/IDEA, a RUN of one idea, or a folder with run_0/final_info.json and a paper."
        ),
    ],
    *,
    scale: Annotated[
        str, typer.Option(help="The scale that was run, for a folder without a record.")
    ] = "",
    model: Annotated[
        str | None, typer.Option(help="Also have this model read it beside the results and code.")
    ] = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """List the sentences that no result carries, and how each was read; exit code 1 if there are any."""
    if model is not None:
        code = console.paper_reading.print_paper_reading(
            folder, model, results, scale=scale, max_usd=max_usd, price=price, as_json=as_json
        )
        raise typer.Exit(code)
    raise typer.Exit(
        console.check.print_paper_check(folder, scale, as_json=as_json, results=results)
    )
