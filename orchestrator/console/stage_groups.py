"""The commands on ideas: a list of them, one stage again, slides, a judgement of novelty; and surveys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator import api, console
from orchestrator.console import review_groups as reviewing
from orchestrator.console.literature_groups import novelty_command, survey_command
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    DataOption,
    IdeaName,
    Json,
    ModelOption,
    PolicyName,
    PriceOption,
    QuietOption,
    ResultsOption,
    ScaleOption,
    SignOption,
    View,
    VisionOption,
)


def _command(stage: Literal["experiment", "plot", "writeup"], about: str) -> Callable[..., None]:
    def command(
        idea: IdeaName,
        *,
        max_usd: BudgetOption = None,
        sign: SignOption = None,
        results: ResultsOption = HERE,
        quiet: QuietOption = False,
        as_json: Json = False,
    ) -> None:
        request = api.StageRequest(
            stage=stage,
            idea=idea,
            max_usd=max_usd,
            results=results,
            sign=console.signing_keys.key_named(sign),
        )
        raise typer.Exit(console.run.start_stage(request, View(quiet=quiet, as_json=as_json)))

    command.__doc__ = about
    return command


def _improve(
    idea: IdeaName,
    *,
    passes: Annotated[int, typer.Option(min=1, max=5, help="How often it is improved.")] = 1,
    reviews: reviewing.OwnReviews = None,
    max_usd: BudgetOption = None,
    sign: SignOption = None,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Improve an idea's paper by its reviews. Both versions are kept."""
    request = api.StageRequest(
        stage="improve",
        idea=idea,
        reviews=reviews,
        improve=passes,
        max_usd=max_usd,
        sign=console.signing_keys.key_named(sign),
        results=results,
    )
    raise typer.Exit(console.run.start_stage(request, View(quiet=quiet, as_json=as_json)))


def _import(
    folder: Annotated[
        Path, typer.Argument(help="./results/TEMPLATE/DATE_TIME_IDEA of the AI Scientist.")
    ],
    *,
    model: ModelOption = "builtin/sweep",
    policy: PolicyName = None,
    price: PriceOption = None,
    vision: VisionOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Make a run of a results folder of the AI Scientist (v1). It can be reviewed and improved."""
    request = api.ImportRequest(
        folder=folder, model=model, policy=policy, price=price, vision=vision, results=results
    )
    raise typer.Exit(console.importing.import_folder(request, as_json=as_json))


def _ideas(
    template: Annotated[str, typer.Argument(help="A shipped template's name, or ./a/folder.")],
    *,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=100, help="How many to ask for.")
    ] = 20,
    model: ModelOption = "builtin/sweep",
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The list. Default: beside the record.")
    ] = None,
    scale: ScaleOption = "full",
    policy: PolicyName = None,
    data: DataOption = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Propose ideas and pursue none: a list for `run --from-ideas`."""
    request = api.IdeasRequest(
        template=template, model=model, count=number, scale=scale, policy=policy, data=data,
        max_usd=max_usd, price=price, into=into, results=results,
    )  # fmt: skip
    raise typer.Exit(console.ideas.list_ideas(request, View(quiet=quiet, as_json=as_json)))


IDEA_COMMANDS: dict[str, Callable[..., None]] = {
    "ideas": _ideas,
    "import": _import,
    "experiment": _command("experiment", "Plan and make an idea's experiments again, no more."),
    "plot": _command("plot", "Draw an idea's figures again, no more."),
    "writeup": _command("writeup", "Write an idea's paper again and check it; no review."),
    "review": reviewing.review_command,
    "improve": _improve,
    "slides": reviewing.slides_command,
    "novelty": novelty_command,
    "survey": survey_command,
}
"""Each command and its function."""
