"""Every file of a run, named once; every write goes to a temporary name and is renamed.

::

    results/<template>/<time>/            one run
        journal.jsonl  blobs/  evidence/  ideas.json  report.html  audit.html  signature.json
        <idea>/                           one idea, in the layout its users know
            run_0/ … run_i/  run_i.py  experiment.py  plot.py  notes.txt  *.png
            latex/  <name>.pdf  review.txt  report.html
            journal.jsonl  blobs/  evidence/  history.git/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from orchestrator.core.errors import HarvestRefused, ResultsExist
from orchestrator.core.files import RESERVED, disk_errors, slug, write
from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree


def proofs_folder(policy_hash: str) -> str:
    """The folder of one policy's proofs, below the results."""
    return f"proofs/{policy_hash[:32]}"


@dataclass(frozen=True, slots=True)
class RecordPaths:
    """A folder with a record of its own, and the page that is made from it."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"


@dataclass(frozen=True, slots=True)
class IdeaPaths(RecordPaths):
    """The files of one idea."""

    @property
    def history(self) -> Path:
        return self.folder / "history.git"

    @property
    def review(self) -> Path:
        return self.folder / "review.txt"

    def export(self, tree: Tree, blobs: Blobs) -> None:
        """Write a working tree out as plain files; unchanged files stay as they are."""
        for name, sha256 in tree.files:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts or pure.parts[0] in RESERVED:
                raise HarvestRefused(
                    f"a file may not be written under the name {name!r}",
                    where=str(self.folder),
                    todo="the name is kept for the run's own records; the run is left as it is",
                )
            path, data = self.folder / pure, blobs.get(sha256)
            if not path.is_file() or path.read_bytes() != data:
                write(path, data)


@dataclass(frozen=True, slots=True)
class RunPaths(RecordPaths):
    """The files of one run."""

    @classmethod
    def fresh(cls, results: Path, template: str, now: datetime) -> RunPaths:
        """A new run's folder, made; raises :class:`ResultsExist` where it is there already."""
        folder = results / slug(template) / now.strftime("%Y%m%d_%H%M%S")
        try:
            with disk_errors(folder):
                folder.mkdir(parents=True)
        except FileExistsError as error:
            raise ResultsExist(
                "a run with this time is already there; it is never written over",
                where=str(folder),
                todo=f"`aisci resume {folder}` goes on with it; or start again in a second",
            ) from error
        return cls(folder)

    @property
    def ideas(self) -> Path:
        return self.folder / "ideas.json"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.html"

    @property
    def signature(self) -> Path:
        return self.folder / "signature.json"

    def idea(self, idea: Idea) -> IdeaPaths:
        return IdeaPaths(self.folder / f"{slug(idea.name)}_{idea.id[:6]}")
