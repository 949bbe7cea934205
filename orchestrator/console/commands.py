"""How commands are grouped, listed and started, and how an error becomes text and an exit code."""

from __future__ import annotations

import atexit
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from orchestrator import __version__, console
from orchestrator.console.defaults import default_options
from orchestrator.core.errors import AisciError, Interrupted
from orchestrator.core.sanitize import plain_line

NO_READER = 128 + signal.SIGPIPE  # as a shell says it of a program that SIGPIPE ended


class Commands(TyperGroup):
    """The one place that turns an error into text and an exit code; lists commands by section."""

    sections: Mapping[str, Sequence[str]] = MappingProxyType({})
    first = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Without a word the help is the answer, and no error."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click's signature
        """Each section's commands with the first sentence of their help, whole: never cut."""
        sections = self.sections or {"Commands": tuple(self.commands)}
        width = max(len(name) for name in self.commands)
        for title, names in sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(width), self.commands[name].get_short_help_str(limit=300))
                        for name in names
                    ]
                )
        if self.first:
            with formatter.section("The shortest way to a paper, without key or GPU"):
                formatter.write_text(self.first)

    def make_context(self, *words: Any, **more: Any) -> Any:  # click's signature
        """Help is printed while the words are read."""
        with quiet_without_reader():
            return super().make_context(*words, **more)

    def invoke(self, ctx: Any) -> Any:  # typer has no public name for its type
        """Run the command; what it printed has been read, or its reader has gone, when this returns."""
        with quiet_without_reader():
            try:
                return self._answer(ctx)
            finally:
                if ctx.parent is None:
                    sys.stdout.flush()

    def _answer(self, ctx: Any) -> Any:
        words = [*ctx._protected_args, *ctx.args]  # noqa: SLF001 - nor for these
        as_json = "--json" in words
        try:
            if ctx.parent is None:  # the settings become the defaults of every command's options
                groups = [name for name, one in self.commands.items() if hasattr(one, "commands")]
                defaults = default_options(words, groups)
                ctx.default_map = defaults.options
                if defaults.told:
                    sys.stderr.write(f"{plain_line(defaults.told, limit=1000)}\n")
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error: AisciError = Interrupted(
                "stopped by a signal; nothing was half-written",
                where="this command",
                todo="run it again",
            )
        except AisciError as raised:
            error = raised
        except BrokenPipeError:  # the reader of our output has gone: no error of the command
            raise
        except OSError as refused:
            error = AisciError(
                f"the system refused: {refused.strerror}",
                where=str(refused.filename or "this command"),
                todo="check the permissions and the free space there, then run it again",
            )
        console.errors.show_error(error, as_json=as_json)
        raise typer.Exit(error.exit_code)


@contextmanager
def quiet_without_reader() -> Iterator[None]:
    """Where the pipe that reads our output is closed, end as other tools do: quietly, by a code of its own.

    Click would exit with 1, which for `aisci audit` means that a record is broken.
    """
    try:
        yield
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # a stream that is no file has nothing left to flush
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())  # the interpreter flushes once more when it ends
            os.close(nowhere)
        raise typer.Exit(NO_READER) from None


_FEW_COLLECTIONS = 50_000
"""New objects until garbage is looked for: imports make a hundred thousand, and a sixth of their time went there."""


def own_process() -> None:
    """What only the program does, never a library: limits and streams are the whole process's."""
    leave_no_core()
    gc.set_threshold(_FEW_COLLECTIONS)
    atexit.register(gc.freeze)  # at its end, too, nothing is looked for in what was imported
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


def commands(
    about: str,
    kind: type[Commands] = Commands,
    *,
    sections: Mapping[str, Sequence[str]] = MappingProxyType({}),
    first: str = "",
) -> typer.Typer:
    """A group of commands; ``sections`` lists them by title, ``first`` is the command to begin with."""
    return typer.Typer(
        cls=type(kind.__name__, (kind,), {"sections": sections, "first": first}),
        help=about,
        rich_markup_mode=None,  # drawing help with rich would double the time it takes
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        pretty_exceptions_enable=False,
    )


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
