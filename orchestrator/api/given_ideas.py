"""The ideas that a person gives a run: a list, or some of a list. All that is wrong with it is found here."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.core.research import Idea
from orchestrator.research.idea_lists import listed_ideas, picked_ideas


def given_ideas(
    file: Path | None, *, only: str, count: int | None, open_ended: bool
) -> tuple[Idea, ...]:
    """Those of the list in ``file`` that ``only`` names, or the first ``count``, or all; empty without a file.

    Raises :class:`BadFile` for the list, :class:`UserError` and its children for what contradicts itself.
    """
    if only and file is None:
        raise UserError(
            "only ideas of a list can be chosen",
            where=f"--only {only[:80]}",
            todo="name the list too: --from-ideas FILE; `aisci ideas TEMPLATE` makes one",
        )
    if file is None:
        return ()
    if open_ended:
        raise UserError(
            "the ideas of a list are not proposed one after the other",
            where="--open-ended",
            why=f"--from-ideas {file} has all ideas",
            todo="leave one of the two out",
        )
    if not only:
        return listed_ideas(file)[:count]
    if count is not None:
        raise UserError(
            "--only says which ideas are pursued, and --ideas how many",
            where=f"--only {only[:80]} with --ideas {count}",
            todo="leave one of the two out",
        )
    return picked_ideas(listed_ideas(file), only, file)
