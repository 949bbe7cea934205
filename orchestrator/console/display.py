"""What is drawn again and again on a terminal while a command works."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from orchestrator.console import output as out


class Display:
    """Draws :meth:`drawn` four times a second on stderr while its ``with`` block runs.

    Nothing is drawn where stderr is not a terminal, or ``live`` is False. With ``keep`` the last
    picture stays.
    """

    def __init__(self, *, live: bool = True, keep: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live: Live | None = None
        self._wanted, self._keep = live and sys.stderr.isatty(), keep

    def __enter__(self) -> Self:
        if self._wanted:  # made here, not above: it draws at once
            self.live = Live(
                console=self.console,
                get_renderable=self.drawn,
                refresh_per_second=4,
                transient=not self._keep,
            )
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def drawn(self) -> RenderableType:
        """The picture of this moment."""
        return Text()

    def say(self, text: str) -> None:
        """A line of the answer, above what is drawn."""
        if self.live:
            self.live.stop()
            out.say(text)
            self.live.start()
        else:
            out.say(text)
