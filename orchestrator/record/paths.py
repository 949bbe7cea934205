"""The names of every file of a run. Each file is written to a temporary name and then renamed.

::

    results/<template>/<time>/            one run
        journal.jsonl  blobs/  evidence/  ideas.json  report.html  audit.html  signature.json
        <idea>/                           one idea
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

LATEX_OUTPUT = "latex/out"
PAPER_PDF = f"{LATEX_OUTPUT}/paper.pdf"


def proofs_folder(policy_hash: str) -> str:
    """The folder of one policy's proofs, below the folder of results."""
    return f"proofs/{policy_hash[:32]}"


@dataclass(frozen=True, slots=True)
class RecordPaths:
    """A folder with a journal, and the files made from it."""

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
        """Write the files of a working tree; unchanged files are not written.

        Raises :class:`HarvestRefused` for a name outside the folder or reserved for the record.
        """
        for name, sha256 in tree.files:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts or pure.parts[0] in RESERVED:
                raise HarvestRefused(
                    f"a file may not be written under the name {name!r}",
                    where=str(self.folder),
                    todo="the name is reserved for the run's own records; the run is unchanged",
                )
            path, data = self.folder / pure, blobs.get(sha256)
            if not path.is_file() or path.read_bytes() != data:
                write(path, data)


@dataclass(frozen=True, slots=True)
class RunPaths(RecordPaths):
    """The files of one run."""

    @classmethod
    def fresh(cls, results: Path, template: str, now: datetime) -> RunPaths:
        """Create a new run's folder. Raises :class:`ResultsExist` if it exists."""
        folder = results / slug(template) / now.strftime("%Y%m%d_%H%M%S")
        try:
            with disk_errors(folder):
                folder.mkdir(parents=True)
        except FileExistsError as error:
            raise ResultsExist(
                "a run with this time already exists; it is never overwritten",
                where=str(folder),
                todo=f"`aisci resume {folder}` continues it; or start again in a second",
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
