"""The commands on runs that exist: list, status, logs, events, open, compare, report, audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import console
from orchestrator.console.options import HERE, Json, ResultsOption, RunName

LatestName = Annotated[
    str, typer.Argument(metavar="[RUN]", help="A run's folder, an id of `list`, or `latest`.")
]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on until no process works on the run.")
]


def _list(*, results: ResultsOption = HERE, as_json: Json = False) -> None:
    """List the runs: when, model, state, ideas, cost."""
    console.run_list.show_runs(results, as_json=as_json)


def _status(
    run: LatestName = "latest",
    *,
    follow: FollowOption = False,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Show where a run stands, also while it works."""
    raise typer.Exit(console.run_status.show_status(run, results, follow=follow, as_json=as_json))


def _logs(
    run: LatestName = "latest",
    idea: Annotated[
        str, typer.Argument(metavar="[IDEA]", help="Of this idea alone: its name or id.")
    ] = "",
    *,
    follow: FollowOption = False,
    output: Annotated[
        bool, typer.Option("--output", help="With the end of what each container printed.")
    ] = False,
    results: ResultsOption = HERE,
) -> None:
    """Print what happened in a run, one line for each event."""
    code = console.run_logs.show_logs(run, idea, results, follow=follow, output=output)
    raise typer.Exit(code)


def _events(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run; the newest one without it.")
    ] = None,
    *,
    ocsf: Annotated[bool, typer.Option("--ocsf", help="As OCSF 1.8 events, one a line.")] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Go on: until the run ends, or without RUN of all runs."
        ),
    ] = False,
    audited: Annotated[
        bool, typer.Option("--audit", help="With a finding for each check of an audit.")
    ] = False,
    results: ResultsOption = HERE,
) -> None:
    """Print the security events of runs, for a SIEM: containers, connections, limits, findings."""
    raise typer.Exit(
        console.security_events.show_events(run, results, ocsf=ocsf, follow=follow, audited=audited)
    )


def _open(
    run: RunName,
    *,
    only_print: Annotated[bool, typer.Option("--print", help="Open no browser.")] = False,
    results: ResultsOption = HERE,
) -> None:
    """Print where a run's page is, and open it in a browser."""
    console.run_logs.open_page(run, results, only_print=only_print)


def _compare(
    first: RunName, second: RunName, *, results: ResultsOption = HERE, as_json: Json = False
) -> None:
    """Compare two runs: set-up, ideas, results, costs, reviews."""
    console.run_compare.show_comparison(first, second, results, as_json=as_json)


def _report(
    run: RunName,
    *,
    into: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the pages there; else into RUN.")
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Write a run's report pages again, from its journals."""
    console.run.write_pages(run, results, into=into, as_json=as_json)


def _audit(
    run: RunName,
    *,
    head: Annotated[
        str | None, typer.Option(help="The head that `aisci run` printed and you kept elsewhere.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="PUBKEY", help="The signer's public key.")
    ] = None,
    stamped_by: Annotated[
        Path | None,
        typer.Option(
            metavar="CERT", help="Of the authority that stamped the signature's time, in PEM."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the page; else RUN/audit.html."),
    ] = None,
    no_weaker_than: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Also: the run's policy allows no more than POLICY."),
    ] = None,
    max_proof_age: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Also: its policy was proved at most TIME (30d) before."),
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Check a run's whole record; exit code 1 if it is broken, 4 if unfinished, 5 if it lacks what was asked.

    Needs no engine or network.
    """
    asked = console.audit.demanded(
        no_weaker_than, console.spans.seconds_of("--max-proof-age", max_proof_age)
    )
    given = console.audit.AuditWay(
        head=head, key=key, stamped_by=stamped_by, html=html, as_json=as_json
    )
    code = console.audit.audit(run, results, given, asked)
    raise typer.Exit(code)


RUN_COMMANDS: dict[str, Callable[..., None]] = {
    "list": _list,
    "status": _status,
    "logs": _logs,
    "events": _events,
    "open": _open,
    "compare": _compare,
    "report": _report,
    "audit": _audit,
}
"""Each command and its function."""
