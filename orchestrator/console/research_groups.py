"""The commands that do research: run, resume, replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import api, console
from orchestrator.console import review_groups as reviewing
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    DataOption,
    DetachOption,
    DryRunOption,
    EditModelOption,
    EffortOption,
    EngineOption,
    EstimateOption,
    ForkOption,
    ForkPolicyOption,
    FreshOption,
    GpusOption,
    GpuTimeOption,
    IdeasFileOption,
    IdeasOption,
    Json,
    ModelOption,
    MoreIdeasOption,
    MoreOfListOption,
    NoPaperOption,
    NoReviewOption,
    NotifyOption,
    NoveltyOption,
    OnlyOption,
    OpenEndedOption,
    OtherModelOption,
    ParallelOption,
    PolicyName,
    PrepareOnlyOption,
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
    named_roles,
)


def _run(
    template: Annotated[str, typer.Argument(help="A shipped template's name, or ./a/folder.")],
    *,
    model: ModelOption = "builtin/sweep",
    ideas: IdeasOption = None,
    ideas_file: IdeasFileOption = None,
    only: OnlyOption = "",
    skip_novelty: NoveltyOption = False,
    open_ended: OpenEndedOption = False,
    parallel: ParallelOption = None,
    gpus: GpusOption = "all",
    scale: ScaleOption = "full",
    policy: PolicyName = None,
    data: DataOption = None,
    max_usd: BudgetOption = None,
    max_gpu_time: GpuTimeOption = None,
    price: PriceOption = None,
    edit_model: EditModelOption = None,
    review_model: ReviewModelOption = None,
    role: RoleOption = None,
    effort: EffortOption = None,
    vision: VisionOption = None,
    engine: EngineOption = "none",
    reviews: reviewing.ReviewsOption = 1,
    reflections: reviewing.ReflectionsOption = 1,
    review_examples: reviewing.ExamplesOption = True,
    accept_from: reviewing.AcceptOption = 6.0,
    improve: reviewing.ImproveOption = 0,
    batch_reviews: reviewing.BatchOption = "",
    no_review: NoReviewOption = False,
    no_paper: NoPaperOption = False,
    fresh: FreshOption = False,
    sign: SignOption = None,
    results: ResultsOption = HERE,
    estimate: EstimateOption = False,
    dry_run: DryRunOption = False,
    prepare_only: PrepareOnlyOption = False,
    yes: YesOption = False,
    notify: NotifyOption = "",
    detach: DetachOption = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Take a template from ideas to reviewed papers."""
    request = api.RunRequest(
        template=template, model=model, ideas=ideas, ideas_file=ideas_file, only=only,
        novelty=not skip_novelty, open_ended=open_ended, parallel=parallel, gpus=gpus, scale=scale, policy=policy,
        leave_out=api.leave_out_of(paper=no_paper, review=no_review), data=data, max_usd=max_usd,
        max_gpu_time=console.spans.seconds_of("--max-gpu-time", max_gpu_time), fresh=fresh, results=results,
        price=price, vision=vision, engine=engine, sign=console.signing_keys.key_named(sign, background=detach),
        roles=named_roles(role, editing=edit_model, reviewing=review_model), effort=effort,
        reviewing=reviewing.review_rules(reviews, reflections, accept_from, improve, examples=review_examples, batch=batch_reviews),
    )  # fmt: skip
    if dry_run:
        raise typer.Exit(console.dry_run.show_dry_run(request, as_json=as_json, notify=notify))
    view = View(quiet=quiet, as_json=as_json, notify=notify)
    if prepare_only:
        raise typer.Exit(console.preparing.make_ready(request, view))
    start = console.estimate.start_or_show
    raise typer.Exit(start(request, view, show=estimate, yes=yes, detach=detach))


def _resume(
    run: RunName,
    *,
    fork: ForkOption = False,
    retry: RetryOption = "",
    parallel: ParallelOption = None,
    gpus: GpusOption = "all",
    policy: ForkPolicyOption = None,
    max_usd: BudgetOption = None,
    max_gpu_time: GpuTimeOption = None,
    ideas: MoreIdeasOption = None,
    from_ideas: MoreOfListOption = None,
    model: OtherModelOption = None,
    price: PriceOption = None,
    sign: SignOption = None,
    results: ResultsOption = HERE,
    notify: NotifyOption = "",
    detach: DetachOption = False,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Continue a run that stopped. No recorded call is made or paid again."""
    request = api.ResumeRequest(
        run=run, results=results, fork=fork, asked=api.stages_again(retry), policy=policy,
        max_usd=max_usd, max_gpu_time=console.spans.seconds_of("--max-gpu-time", max_gpu_time),
        ideas=ideas, ideas_file=from_ideas, model=model, price=price, parallel=parallel, gpus=gpus,
        sign=console.signing_keys.key_named(sign, background=detach),
    )  # fmt: skip
    view = View(quiet=quiet, as_json=as_json, notify=notify)
    if detach:
        raise typer.Exit(console.detaching.resume_detached(run, results, as_json=as_json))
    raise typer.Exit(console.run.start(request, view))


def _replay(
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


RESEARCH_COMMANDS: dict[str, Callable[..., None]] = {
    "run": _run,
    "resume": _resume,
    "replay": _replay,
}
"""Each command and its function."""
