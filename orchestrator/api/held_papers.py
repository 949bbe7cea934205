"""The value that a check of a paper works on: the source, its study, and what could not be read of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.research.claims.build import RunMeasurements
from orchestrator.research.claims.check import Checked
from orchestrator.research.claims.ledger import Ledger
from orchestrator.template.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPaper:
    """A paper's source, and all that is known of its study. ``tex`` has blanks in place of the program's own
    tables, ``changed`` are those of them that differ from what this release prints. ``described`` says in words
    what each run is, by its number. ``left_out`` are (name, reason) of results and parts of the source that
    could not be read; ``differs`` says how the file on disk is not the recorded source, which ``tex`` is of.
    """

    source: str
    tex: str
    changed: tuple[Checked, ...] = ()
    ledger: Ledger
    records: tuple[RunMeasurements, ...]
    manifest: Manifest | None
    scale: str
    described: Mapping[int, str]
    left_out: tuple[tuple[str, str], ...] = ()
    differs: str = ""

    @property
    def by_reference(self) -> bool:
        """Whether its numbers were printed by the program."""
        return r"\measured{" in self.tex
