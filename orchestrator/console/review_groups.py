"""The options of reviews, and the arguments of ``aisci review`` and ``aisci slides``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import api, console
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    Json,
    PolicyName,
    PriceOption,
    ResultsOption,
    VisionOption,
)

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
ImproveOption = Annotated[
    int,
    typer.Option("--improve", min=0, max=5, help="How often a paper is improved by its reviews."),
]


def review_rules(
    reviews: int, reflections: int, accept_from: float, improve: int, *, examples: bool
) -> api.ReviewPin:
    """How the options say that papers are reviewed."""
    return api.ReviewPin(
        reviews=reviews,
        reflections=reflections,
        examples=examples,
        accept_from=accept_from,
        improve=improve,
    )


def review_command(
    paper: Annotated[Path, typer.Argument(metavar="PAPER.pdf", help="A PDF of anybody's.")],
    *,
    model: Annotated[str, typer.Option(help="The model that reviews, by its litellm name.")],
    reviews: ReviewsOption = 1,
    reflections: ReflectionsOption = 1,
    review_examples: ExamplesOption = True,
    accept_from: AcceptOption = 6.0,
    vision: VisionOption = None,
    policy: PolicyName = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Review a PDF: what a reader sees of its pages, by one reviewer or a panel."""
    request = api.ReviewRequest(
        file=paper,
        model=model,
        reviewing=review_rules(reviews, reflections, accept_from, 0, examples=review_examples),
        vision=vision,
        policy=policy,
        max_usd=max_usd,
        price=price,
        results=results,
    )
    console.pdf_review.review(request, as_json=as_json)


def slides_command(
    idea: Annotated[
        Path, typer.Argument(metavar="RUN/IDEA", help="The folder of a finished idea.")
    ],
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
