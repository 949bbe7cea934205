"""The arguments of ``aisci bench …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import console
from orchestrator.console.options import HERE, Json, ResultsOption, commands

bench_group = commands("Benchmarks: parts of aisci against people.")


@bench_group.callback()
def bench() -> None:
    """Keep the group a group while it has one command."""


@bench_group.command("review")
def bench_review(
    ratings: Annotated[
        Path, typer.Argument(metavar="RATINGS.tsv", help="People's ratings and decisions.")
    ],
    *,
    reviews_from: Annotated[
        Path, typer.Option(metavar="REVIEWS.csv", help="A reviewer's reviews of the same papers.")
    ],
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write the page; else RESULTS/bench/NAME."),
    ] = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Hold a reviewer's scores and decisions against people's on the same papers."""
    console.review_bench.compare_with_people(ratings, reviews_from, into, results, as_json=as_json)
