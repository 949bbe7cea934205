"""The arguments of ``aisci literature …``, ``aisci novelty`` and ``aisci survey``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import api, console
from orchestrator.console.commands import QueryOrCommand, commands
from orchestrator.console.options import (
    HERE,
    BudgetOption,
    EngineOption,
    Json,
    PolicyName,
    PriceOption,
    ResultsOption,
)

literature_group = commands(
    "Papers: search for them, keep a library of your own.", kind=QueryOrCommand
)


@literature_group.command("search")
def literature_search(
    query: Annotated[list[str], typer.Argument(help="A few words that a paper would have.")],
    *,
    engine: EngineOption = "none",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Papers, at most.")] = 10,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask again what was asked in the last seven days.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a search gives, what each engine did, and what it cost."""
    code = console.literature.search(" ".join(query), engine, limit, fresh=fresh, as_json=as_json)
    raise typer.Exit(code)


@literature_group.command("add")
def literature_add(
    files: Annotated[list[Path], typer.Argument(help="BibTeX, JSON lines or PDF files.")],
    *,
    policy: PolicyName = None,
    as_json: Json = False,
) -> None:
    """Add papers to a library of your own; the text of a PDF is read in a container."""
    console.literature.add(files, policy, as_json=as_json)


@literature_group.command("list")
def literature_list(
    *,
    limit: Annotated[int, typer.Option(min=1, help="Papers, at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the papers of your own library."""
    console.literature.list_papers(limit, as_json=as_json)


@literature_group.command("remove")
def literature_remove(key: Annotated[str, typer.Argument(help="The paper's key.")]) -> None:
    """Remove a paper from your own library."""
    raise typer.Exit(console.literature.remove(key))


def novelty_command(
    ideas: Annotated[Path, typer.Argument(help="A list of ideas as JSON, as runs write it.")],
    *,
    model: Annotated[
        str, typer.Option(help="The model that judges; builtin/sweep only searches.")
    ] = "builtin/sweep",
    engine: EngineOption = "none",
    template: Annotated[
        str | None, typer.Option(help="The template of the ideas: their context, and its papers.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the list again, with `novel`.")
    ] = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Judge whether the ideas of a list are published. Also lists of The AI Scientist."""
    request = api.NoveltyRequest(
        file=ideas,
        model=model,
        engine=engine,
        template=template,
        max_usd=max_usd,
        price=price,
        results=results,
    )
    raise typer.Exit(console.novelty.judge(request, into, as_json=as_json))


def survey_command(
    question: Annotated[str, typer.Argument(help="What the survey answers, or its subject.")],
    *,
    model: Annotated[
        str, typer.Option(help="The model that writes; builtin/sweep only quotes.")
    ] = "builtin/sweep",
    engine: EngineOption = "none",
    papers: Annotated[int, typer.Option(min=2, max=60, help="Papers, at most.")] = 30,
    policy: PolicyName = None,
    max_usd: BudgetOption = None,
    price: PriceOption = None,
    results: ResultsOption = HERE,
    as_json: Json = False,
) -> None:
    """Write a survey of the literature as PDF. Each sentence is held to one of an abstract."""
    request = api.SurveyRequest(
        question=question,
        model=model,
        engine=engine,
        papers=papers,
        policy=policy,
        max_usd=max_usd,
        price=price,
        results=results,
    )
    console.surveys.make_survey(request, as_json=as_json)
