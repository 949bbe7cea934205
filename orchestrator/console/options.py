"""The options and arguments that commands of ``aisci`` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.core.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a person, or a program, wants to follow a command."""

    quiet: bool
    as_json: bool
    verbose: bool = False
    notify: str = ""


ModelOption = Annotated[
    str, typer.Option("--model", help="builtin/sweep needs no key; others by their litellm name.")
]
IdeasOption = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="How many ideas to pursue. Default: 1, or all of a file."),
]
IdeasFileOption = Annotated[
    Path | None,
    typer.Option(
        "--from-ideas",
        "--ideas-file",
        metavar="FILE",
        help="Pursue the ideas of this list; none is proposed.",
    ),
]
OnlyOption = Annotated[
    str,
    typer.Option(
        "--only", metavar="3,7", help="Of the list, these ideas: positions from 1, or names."
    ),
]
NoveltyOption = Annotated[
    bool, typer.Option("--skip-novelty", help="Judge no idea's novelty before it is pursued.")
]
NoReviewOption = Annotated[
    bool, typer.Option("--no-review", help="Leave out the review; `aisci review` makes it later.")
]
NoPaperOption = Annotated[
    bool, typer.Option("--no-paper", help="Leave out the paper; `aisci writeup` makes it later.")
]
OpenEndedOption = Annotated[
    bool, typer.Option("--open-ended", help="Pursue each idea before the next; tell its score.")
]
ParallelOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help="Ideas in flight. Default: by what the run's containers leave room for."
    ),
]
GpusOption = Annotated[
    str,
    typer.Option(metavar="GPUS", help="The run may use: all, a number of them, or device=0,2."),
]
ForkOption = Annotated[
    bool, typer.Option(help="Continue as a new branch if the template or program changed.")
]
RetryOption = Annotated[
    str, typer.Option(metavar="STAGE", help="Do this stage and those after it again.")
]
ForkPolicyOption = Annotated[
    str | None, typer.Option(help="With --fork: another policy, such as a larger budget.")
]
MoreIdeasOption = Annotated[
    int | None,
    typer.Option("--ideas", min=1, max=100, help="More ideas: how many the run has in all."),
]
MoreOfListOption = Annotated[
    Path | None,
    typer.Option(
        "--from-ideas", metavar="FILE", help="With --ideas: the list that the run's ideas are of."
    ),
]
OtherModelOption = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="With --fork: another model.")
]
ScaleOption = Annotated[
    str, typer.Option(help="The template's scale: smoke takes seconds, full is the study.")
]
VisionOption = Annotated[
    bool | None, typer.Option(help="Show pictures to the model. Default: what is known of it.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Measure the baseline again, even if one is kept.")
]
EstimateOption = Annotated[
    bool, typer.Option("--estimate", help="Instead: what the run will take; nothing is started.")
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Instead: what would run, and what is missing; nothing starts."),
]
PrepareOnlyOption = Annotated[
    bool,
    typer.Option("--prepare-only", help="Instead: all that comes before the first question."),
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Start it in the background; the terminal may be closed.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Start an expensive run without a question.")
]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's folder, an id of `list`, or `latest`.")
]
IdeaName = Annotated[
    str, typer.Argument(metavar="RUN/IDEA", help="An idea's folder; of one idea, the run's.")
]
ResultsOption = Annotated[Path, typer.Option("--results", help="The folder of results.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the outcome.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
SignOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Sign the finished record: a key's file, or agent:SHA256:… of ssh-agent.",
    ),
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy", help="A shipped policy, or ./a/file.yaml. Default: the largest that fits."
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="A folder: each sub-folder becomes /data/NAME."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAMES",
        help="Search for papers: openalex, semanticscholar, arxiv, several with commas, or all.",
    ),
]
PriceOption = Annotated[
    str | None,
    typer.Option(
        "--price", metavar="IN,OUT", help="US dollars per million input and output tokens."
    ),
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE=NAME",
        help="Another model for one role: ideas, editing, plotting, vision, writing, citing, reviewing; "
        "or behind all of them: fallback.",
    ),
]
CheckedModel = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="Instead: what is known of a model, and whether it answers."
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="With --model: make no call.")]
EditModelOption = Annotated[
    str | None,
    typer.Option("--edit-model", metavar="NAME", help="Another model for the code of experiments."),
]
ReviewModelOption = Annotated[
    str | None,
    typer.Option("--review-model", metavar="NAME", help="Another model for critique and review."),
]
EffortOption = Annotated[
    str | None,
    typer.Option(
        "--effort",
        metavar="LEVEL",
        help="How much models think: low, medium or high, or ROLE=LEVEL with commas.",
    ),
]
BudgetOption = Annotated[
    float | None, typer.Option("--max-usd", min=0, help="Stop at this cost in US dollars.")
]
GpuTimeOption = Annotated[
    str | None,
    typer.Option(
        "--max-gpu-time", metavar="TIME", help="Stop at this much time of GPUs, such as 2h."
    ),
]
NotifyOption = Annotated[
    str,
    typer.Option(
        "--notify",
        metavar="CMD|URL",
        help="Start this command, or post JSON there, when the run ends or wants a person.",
    ),
]
CaBundle = Annotated[
    Path | None, typer.Option(help="PEM file of a private CA.", exists=True, dir_okay=False)
]
HERE = Path("results")


def named_roles(given: list[str] | None, **options: str | None) -> tuple[tuple[str, str], ...]:
    """(role, model) of ``--role ROLE=NAME`` and of the options of single roles. Raises :class:`UserError`."""
    found = {role: name for role, name in options.items() if name}
    for text in given or []:
        role, equals, name = text.partition("=")
        if not (role.strip() and equals and name.strip()):
            raise UserError(
                "this is not a role and a model",
                where=f"--role {text[:80]}",
                todo="write ROLE=MODEL, such as reviewing=openai/gpt-5",
            )
        found[role.strip()] = name.strip()
    return tuple(found.items())
