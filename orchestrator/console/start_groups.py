"""The commands of the first minute: demo, config, models, docs, completion, version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestrator import console
from orchestrator.console.options import Json


def _demo(
    *,
    into: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder of results to write it into.")
    ] = Path("aisci-demo"),
    only_print: Annotated[bool, typer.Option("--print", help="Open no browser.")] = False,
    as_json: Json = False,
) -> None:
    """Show a recorded study: its pages and its paper, in seconds. Needs no engine, network or key."""
    console.demo.demo(into, only_print=only_print, as_json=as_json)


def _config(*, as_json: Json = False) -> None:
    """Show the settings that hold here, and where each comes from."""
    console.config.show_config(as_json=as_json)


def _models(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A model, or VENDOR/ for all of a vendor's.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show what is known of a model: price, context, abilities, end. Calls nobody."""
    raise typer.Exit(console.models.show_models(name, as_json=as_json))


def _docs(
    topic: Annotated[str, typer.Argument(metavar="[TOPIC]", help="A topic of the list.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Read the documents that came with this program."""
    console.docs.show_docs(topic, as_json=as_json)


def _completion(
    context: typer.Context,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Your shell.")],
) -> None:
    """Print a script that completes commands and options at a Tab."""
    console.completion.print_completion(shell, context.find_root().command)


def _version(*, as_json: Json = False) -> None:
    """Print the version, and with --json what it runs on."""
    console.version.show_version(as_json=as_json)


START_COMMANDS: dict[str, Callable[..., None]] = {
    "demo": _demo,
    "config": _config,
    "models": _models,
    "docs": _docs,
    "completion": _completion,
    "version": _version,
}
"""Each command and its function."""
