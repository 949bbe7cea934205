"""``--notify``: whoever asked for it is told how a run ended. That this fails is a line, and nothing more."""

from __future__ import annotations

import os
import sys

from orchestrator.api.notify import RunEnding, ending_of_error, notify, require_target
from orchestrator.api.outcomes import RunOutcome
from orchestrator.core.errors import AisciError
from orchestrator.core.sanitize import plain_line
from orchestrator.record.heard import Heard, RunOpened
from orchestrator.record.journal import Listener


class Telling:
    """Tells ``target``, if there is one, of the end of the run that :meth:`hearing` hears open."""

    def __init__(self, target: str) -> None:
        """Raises :class:`UserError` for what is no target, before a run starts."""
        if target:
            require_target(target)
        self._target, self._run = target, ""

    def hearing(self, listener: Listener) -> Listener:
        """``listener``, and the run's folder is remembered."""

        def heard(event: Heard) -> None:
            if isinstance(event, RunOpened):
                self._run = event.folder
            listener(event)

        return heard

    def ended(self, outcome: RunOutcome) -> None:
        """Tell of a run that came to its end."""
        ideas = tuple((plain_line(idea.name), idea.status) for idea in outcome.ideas)
        counts = [f"{idea}: {status}" for idea, status in ideas]
        event = "finished" if outcome.ok else "failed"
        self._tell(
            RunEnding(event=event, run=self._run, said=", ".join(counts) or event, ideas=ideas)
        )

    def stopped(self, error: AisciError) -> None:
        """Tell of a run that an error stopped; what never began is told by the error alone."""
        if self._run:
            self._tell(ending_of_error(error, self._run))

    def _tell(self, ending: RunEnding) -> None:
        if not self._target:
            return
        if why := notify(self._target, ending, os.environ):
            sys.stderr.write(f"warning: --notify told nobody: {plain_line(why)}\n")
