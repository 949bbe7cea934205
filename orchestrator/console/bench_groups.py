"""The arguments of ``aisci bench …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import api, console
from orchestrator.console.commands import commands
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    Json,
    PolicyName,
    PriceOption,
    ResultsOption,
    VisionOption,
)
from orchestrator.console.review_groups import (
    AcceptOption,
    ExamplesOption,
    ReflectionsOption,
    ReviewsOption,
    review_rules,
)

bench_group = commands("Benchmarks: parts of aisci against people.")


@bench_group.callback()
def bench() -> None:
    """Keep the group a group while it has one command."""


@bench_group.command("review")
def bench_review(
    ratings: Annotated[
        Path, typer.Argument(metavar="RATINGS.tsv", help="People's ratings and decisions.")
    ],
    papers: Annotated[
        Path | None, typer.Argument(metavar="PAPERS/", help="A folder of PDFs, named by their ids.")
    ] = None,
    *,
    reviews_from: Annotated[
        Path | None,
        typer.Option(metavar="REVIEWS.csv", help="A reviewer's reviews of the same papers."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that reviews PAPERS/.")] = "",
    reviews: ReviewsOption = 1,
    reflections: ReflectionsOption = 1,
    review_examples: ExamplesOption = True,
    accept_from: AcceptOption = 6.0,
    vision: VisionOption = None,
    policy: PolicyName = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the reviews that are there.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write the page; else RESULTS/bench/NAME."),
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Hold a reviewer's scores and decisions against people's on the same papers."""
    if papers is None:
        console.review_bench.compare_with_people(
            ratings, reviews_from, into, results, as_json=as_json
        )
        return
    request = api.ReviewRequest(
        file=papers,
        model=model,
        reviewing=review_rules(reviews, reflections, accept_from, 0, examples=review_examples),
        vision=vision,
        policy=policy,
        max_usd=max_usd,
        price=price,
        results=results,
    )
    console.review_bench.review_and_compare(
        ratings, request, into, reviews_from, resume=resume, as_json=as_json
    )
