"""The ``aisci`` command: it parses and delegates. A command imports what it needs when it runs.

Every error ends in :class:`Commands`: one screen that says what, where, why and what to do;
exit code 2 for a request that is wrong, 1 for a failure, 130 for an interrupt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import api, console
from orchestrator.console import review_groups as reviewing
from orchestrator.console.bench_groups import bench_group
from orchestrator.console.groups import data_group, images_group, template_group
from orchestrator.console.literature_groups import literature_group
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    CheckedModel,
    DataOption,
    EditModelOption,
    EngineOption,
    EstimateOption,
    ForkOption,
    ForkPolicyOption,
    FreshOption,
    IdeasFileOption,
    IdeasOption,
    Json,
    ModelOption,
    NoveltyOption,
    OfflineOption,
    OpenEndedOption,
    ParallelOption,
    PolicyName,
    PriceOption,
    QuietOption,
    ResultsOption,
    RetryOption,
    ReviewModelOption,
    RoleOption,
    RunName,
    ScaleOption,
    SignOption,
    View,
    VisionOption,
    YesOption,
    commands,
    named_roles,
    root,
)
from orchestrator.console.policy_groups import check_group, policy_group
from orchestrator.console.run_groups import RUN_COMMANDS
from orchestrator.console.stage_groups import IDEA_COMMANDS

app = commands(
    "Let a language model run small ML studies; the code it writes runs only in containers."
)
app.add_typer(check_group, name="check")
app.add_typer(images_group, name="images")
app.add_typer(policy_group, name="policy")
app.add_typer(template_group, name="template")
app.add_typer(data_group, name="data")
app.add_typer(literature_group, name="literature")
app.add_typer(bench_group, name="bench")
app.callback()(root)

# --- research -----------------------------------------------------------------------------


@app.command()
def run(
    template: Annotated[str, typer.Argument(help="A shipped template's name, or ./a/folder.")],
    *,
    model: ModelOption = "builtin/sweep",
    ideas: IdeasOption = None,
    ideas_file: IdeasFileOption = None,
    skip_novelty: NoveltyOption = False,
    open_ended: OpenEndedOption = False,
    parallel: ParallelOption = None,
    scale: ScaleOption = "full",
    policy: PolicyName = None,
    data: DataOption = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    edit_model: EditModelOption = None,
    review_model: ReviewModelOption = None,
    role: RoleOption = None,
    vision: VisionOption = None,
    engine: EngineOption = "none",
    reviews: reviewing.ReviewsOption = 1,
    reflections: reviewing.ReflectionsOption = 1,
    review_examples: reviewing.ExamplesOption = True,
    accept_from: reviewing.AcceptOption = 6.0,
    improve: reviewing.ImproveOption = 0,
    fresh: FreshOption = False,
    sign: SignOption = None,
    results: ResultsOption = HERE,
    estimate: EstimateOption = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Take a template from ideas to reviewed papers."""
    request = api.RunRequest(
        template=template,
        model=model,
        ideas=ideas,
        ideas_file=ideas_file,
        novelty=not skip_novelty,
        open_ended=open_ended,
        parallel=parallel,
        scale=scale,
        policy=policy,
        data=data,
        max_usd=max_usd,
        results=results,
        price=price,
        roles=named_roles(role, editing=edit_model, reviewing=review_model),
        vision=vision,
        engine=engine,
        reviewing=reviewing.review_rules(
            reviews, reflections, accept_from, improve, examples=review_examples
        ),
        fresh=fresh,
        sign=sign,
    )
    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(console.estimate.start_or_show(request, view, show=estimate, yes=yes))


@app.command()
def resume(
    run: RunName,
    *,
    fork: ForkOption = False,
    retry: RetryOption = "",
    parallel: ParallelOption = None,
    policy: ForkPolicyOption = None,
    max_usd: BudgetOption = None,
    sign: SignOption = None,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Continue a run that stopped. No recorded call is made or paid again."""
    request = api.ResumeRequest(
        run=run, results=results, fork=fork, asked=api.stages_again(retry), policy=policy,
        max_usd=max_usd, sign=sign, parallel=parallel,
    )  # fmt: skip
    raise typer.Exit(console.run.start(request, View(quiet=quiet, as_json=as_json)))


@app.command()
def replay(
    run: RunName,
    *,
    into: Annotated[Path | None, typer.Option(help="Where to write the reproduced files.")] = None,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Reproduce a run from its record. Needs no engine, network or key."""
    view = View(quiet=quiet, as_json=as_json)
    raise typer.Exit(console.run.replay(run, results, view, into=into))


@app.command()
def report(run: RunName, *, results: ResultsOption = HERE, as_json: Json = False) -> None:
    """Write a run's report pages again, from its journals."""
    console.run.write_pages(run, results, as_json=as_json)


@app.command()
def audit(
    run: RunName,
    *,
    head: Annotated[
        str | None, typer.Option(help="The head that `aisci run` printed and you kept elsewhere.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="PUBKEY", help="The signer's public key.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the page; else RUN/audit.html."),
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Check a run's whole record; exit code 1 if it is broken. Needs no engine or network."""
    code = console.audit.audit(run, results, head=head, key=key, html=html, as_json=as_json)
    raise typer.Exit(code)


for _name, _function in (RUN_COMMANDS | IDEA_COMMANDS).items():
    app.command(_name)(_function)

# --- the machine --------------------------------------------------------------------------


@app.command()
def reap(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove containers and volumes of runs that were killed. Live runs are not touched."""
    console.images.reap_all(dry_run=dry_run, as_json=as_json)


@app.command()
def doctor(
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


def main() -> None:
    """The console command; what it sets for the whole process, a host program keeps as it is."""
    console.options.own_process()
    app()


if __name__ == "__main__":
    main()
