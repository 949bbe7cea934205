"""The options of reviews, and the arguments of ``aisci review`` and ``aisci slides``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from orchestrator import api, console
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    IdeaName,
    Json,
    PolicyName,
    PriceOption,
    QuietOption,
    ResultsOption,
    View,
    VisionOption,
)
from orchestrator.core.errors import UserError
from orchestrator.core.model import Batches

ReviewsOption = Annotated[
    int,
    typer.Option(
        "--reviews",
        min=1,
        max=9,
        help="Reviewers of each paper; of several, an area chair sums up.",
    ),
]
ReflectionsOption = Annotated[
    int,
    typer.Option(
        "--reflections", min=0, max=5, help="How often a reviewer looks at its review again."
    ),
]
ExamplesOption = Annotated[
    bool,
    typer.Option(
        "--review-examples/--no-review-examples", help="Show reviewers two example reviews."
    ),
]
AcceptOption = Annotated[
    float,
    typer.Option(
        "--accept-from",
        min=1,
        max=10,
        help="Of several: the mean overall score of an accepted paper.",
    ),
]
BatchOption = Annotated[
    str,
    typer.Option(
        "--batch-reviews",
        metavar="keep|cancel",
        help="Ask for reviews as a batch, at half price. When the run is stopped: keep or cancel it.",
    ),
]
ImproveOption = Annotated[
    int,
    typer.Option("--improve", min=0, max=5, help="How often a paper is improved by its reviews."),
]


OwnReviews = Annotated[
    int | None,
    typer.Option("--reviews", min=1, max=9, help="Reviewers. Default: as the run has it, or 1."),
]
OwnReflections = Annotated[
    int | None,
    typer.Option("--reflections", min=0, max=5, help="Default: as the run has it, or 1."),
]
OwnExamples = Annotated[
    bool | None,
    typer.Option("--review-examples/--no-review-examples", help="Default: as the run has it."),
]
OwnAccept = Annotated[
    float | None,
    typer.Option("--accept-from", min=1, max=10, help="Default: as the run has it, or 6."),
]


def review_rules(
    reviews: int,
    reflections: int,
    accept_from: float,
    improve: int,
    *,
    examples: bool,
    batch: str = "",
) -> api.ReviewPin:
    """How the options say that papers are reviewed. Raises :class:`UserError`."""
    stopped = {one: one for one in get_args(Batches)}.get(batch)
    if stopped is None:
        raise UserError(
            "this is not what becomes of a batch when the run is stopped",
            where=f"--batch-reviews {batch[:40]}",
            todo="write keep (resume collects it) or cancel",
        )
    return api.ReviewPin(
        reviews=reviews,
        reflections=reflections,
        examples=examples,
        accept_from=accept_from,
        improve=improve,
        batch=stopped,
    )


def review_command(
    paper: Annotated[
        str, typer.Argument(metavar="PAPER", help="A PDF of anybody's, or RUN/IDEA: its paper.")
    ],
    *,
    model: Annotated[
        str | None, typer.Option(help="Of a PDF: the model that reviews, by its litellm name.")
    ] = None,
    reviews: OwnReviews = None,
    reflections: OwnReflections = None,
    review_examples: OwnExamples = None,
    accept_from: OwnAccept = None,
    vision: VisionOption = None,
    policy: PolicyName = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    quiet: QuietOption = False,
    as_json: Json = False,
) -> None:
    """Review a PDF, or an idea's paper again. By one reviewer, or a panel."""
    request = api.StageRequest(
        stage="review",
        idea=paper,
        reviews=reviews,
        reflections=reflections,
        examples=review_examples,
        accept_from=accept_from,
        max_usd=max_usd,
        results=results,
    )
    if not (Path(paper).is_file() or paper.lower().endswith(".pdf")):
        _of_a_run(model=model, price=price, policy=policy, vision=vision)
        raise typer.Exit(console.run.start_stage(request, View(quiet=quiet, as_json=as_json)))
    if model is None:
        raise UserError(
            "no model is named to review this PDF",
            where=paper,
            todo="name one: --model NAME (`aisci doctor --model NAME` says what it needs); "
            "for the paper of an idea, name its folder, RUN/IDEA",
        )
    asked = api.ReviewRequest(
        file=Path(paper),
        model=model,
        reviewing=request.rules(api.ReviewPin()),
        vision=vision,
        policy=policy,
        max_usd=max_usd,
        price=price,
        results=results,
    )
    console.pdf_review.review(asked, as_json=as_json)


def _of_a_run(**given: object) -> None:
    """An idea is reviewed by its run's model under its run's policy: these options are for PDFs."""
    named = [f"--{name}" for name, value in given.items() if value is not None]
    if named:
        raise UserError(
            "an idea's paper is reviewed by its run's own model, under its policy",
            where=", ".join(named),
            todo="leave it out; or name the PDF itself, as anybody's",
        )


def slides_command(
    idea: IdeaName,
    *,
    model: Annotated[
        str | None, typer.Option(help="Another model than the one that wrote the paper.")
    ] = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Make a deck of slides about a finished idea, as PDF."""
    request = api.SlidesRequest(
        idea=idea, model=model, max_usd=max_usd, price=price, results=results
    )
    console.slides.make(request, as_json=as_json)
