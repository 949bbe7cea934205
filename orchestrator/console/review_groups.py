"""The options of reviews."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.record.pins import ReviewPin

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
) -> ReviewPin:
    """How the options say that papers are reviewed."""
    return ReviewPin(
        reviews=reviews,
        reflections=reflections,
        examples=examples,
        accept_from=accept_from,
        improve=improve,
    )
