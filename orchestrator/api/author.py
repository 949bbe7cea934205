"""The author of a run by name: ``builtin/sweep``, a scripted one, or a language model."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.errors import UnknownName
from orchestrator.core.model import SWEEP
from orchestrator.core.problems import nearest
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.litellm import open_model
from orchestrator.research.sweep import SweepModel


def open_author(
    name: str, *, environ: Mapping[str, str], prices: Mapping[str, float] | None = None
) -> LanguageModel:
    """The author of that name, ready; no request is made.

    ``environ`` and ``prices`` are as in :func:`open_model`.

    Raises:
        UnknownName: neither we nor litellm know the name.
        MissingKey: the vendor wants a key that ``environ`` does not hold.
        BadFile: a file of scripted replies cannot be read.
    """
    if name == SWEEP:
        return SweepModel()
    if name.startswith("builtin/"):
        raise UnknownName(
            f"no author is named {name!r}", where="--model", todo=nearest(name, (SWEEP,))
        )
    return open_model(name, environ=environ, prices=prices)
