"""What all commands of ``aisci`` share: error handling, groups, common options."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from orchestrator import __version__, console
from orchestrator.core.errors import AisciError, Interrupted, UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a person, or a program, wants to follow a command."""

    quiet: bool
    as_json: bool
    verbose: bool = False


class Commands(TyperGroup):
    """The one place that turns an error into text and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # typer has no public name for its type
        as_json = "--json" in (*ctx._protected_args, *ctx.args)  # noqa: SLF001 - nor for these
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error: AisciError = Interrupted(
                "stopped by a signal; nothing was half-written",
                where="this command",
                todo="run it again",
            )
        except AisciError as raised:
            error = raised
        except BrokenPipeError:  # the reader of our output has gone: typer's business
            raise
        except OSError as refused:
            error = AisciError(
                f"the system refused: {refused.strerror}",
                where=str(refused.filename or "this command"),
                todo="check the permissions and the free space there, then run it again",
            )
        console.errors.show_error(error, as_json=as_json)
        raise typer.Exit(error.exit_code)


def own_process() -> None:
    """What only the program does, never a library: limits and streams are the whole process's."""
    leave_no_core()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started the program: nobody reads it
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for the life of the process
        if isinstance(stream, TextIOWrapper):  # a terminal without Unicode shows marks as escapes
            stream.reconfigure(errors="backslashreplace")


def leave_no_core() -> None:
    """A crash of this process, which holds keys, writes no core file and starts no crash handler.

    core(5): behind a pipe the kernel ignores a limit of 0, and obeys one of 1.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (OSError, ValueError):  # it is 0 already, and may not be raised
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class QueryOrCommand(Commands):
    """A group whose first word, if it is no command of it, begins the words of a search."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((word for word in args if not word.startswith("-")), "")
        if first and first not in self.commands:
            args = ["search", *args]
        return super().parse_args(ctx, args)


def commands(about: str, kind: type[Commands] = Commands) -> typer.Typer:
    return typer.Typer(
        cls=kind,
        help=about,
        rich_markup_mode=None,  # drawing help with rich would double the time it takes
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        pretty_exceptions_enable=False,
    )


ModelOption = Annotated[
    str, typer.Option("--model", help="builtin/sweep needs no key; others by their litellm name.")
]
IdeasOption = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="How many ideas to pursue. Default: 1, or all of a file."),
]
IdeasFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Pursue the ideas of this list; none is proposed."),
]
NoveltyOption = Annotated[
    bool, typer.Option("--skip-novelty", help="Judge no idea's novelty before it is pursued.")
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
ForkOption = Annotated[
    bool, typer.Option(help="Continue as a new branch if the template or program changed.")
]
RetryOption = Annotated[
    str, typer.Option(metavar="STAGE", help="Do this stage and those after it again.")
]
ForkPolicyOption = Annotated[
    str | None, typer.Option(help="With --fork: another policy, such as a larger budget.")
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
    Path | None,
    typer.Option(metavar="KEY", help="Sign the finished record: a file with an Ed25519 key."),
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
BudgetOption = Annotated[
    float | None, typer.Option("--max-usd", min=0, help="Stop at this cost in US dollars.")
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


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"aisci {__version__}")
        raise typer.Exit


def root(
    *,
    _asked: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _version(asked=asked),
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Options of ``aisci`` itself."""
