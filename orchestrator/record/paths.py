"""The names of every file of a run. Each file is written to a temporary name and then renamed.

::

    results/<template>/<time>/            one run
        journal.jsonl  blobs/  evidence/  ideas.json  report.html  audit.html  signature.json  signature.tsr
        <idea>/                           one idea
            run_0/ … run_i/  run_i.py  experiment.py  plot.py  notes.txt  *.png
            latex/  <name>.pdf  review.txt  report.html
            journal.jsonl  blobs/  evidence/  history.git/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from orchestrator.core.errors import HarvestRefused, ResultsExist
from orchestrator.core.files import RESERVED, UNFINISHED, disk_errors, slug
from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree
from orchestrator.core.untrusted import file_hash

LATEX_OUTPUT = "latex/out"
CITATIONS = "citations.json"  # what a paper cites, and why
OF_AN_AUDITOR = frozenset({"audit.html", "signature.json", "signature.tsr"})
"""Files of a run's folder that no signature covers: they are made from it, or about it."""
PAPER_PDF = f"{LATEX_OUTPUT}/paper.pdf"


def proofs_folder(policy_hash: str) -> str:
    """The folder of one policy's proofs, below the folder of results."""
    return f"proofs/{policy_hash[:32]}"


def beside_record(name: str) -> bool:
    """Whether the file of this path below a run's folder is one that people pass on: no journal,
    stored bytes, evidence, page of an audit, signature, its stamp or unfinished file, which have own checks.
    """
    *folders, last = name.split("/")
    own = {"journal.jsonl", "journal.torn"} if len(folders) < 2 else set()
    own |= OF_AN_AUDITOR if not folders else set()
    stored = {"blobs", "evidence"} & set(folders[:2])
    return not stored and last not in own and not last.startswith(UNFINISHED)


class _Entry:
    """A file or folder with a fixed name in the folder of its owner."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: RecordPaths, kind: type[RecordPaths]) -> Path:
        return owner.folder / self.name


@dataclass(frozen=True, slots=True)
class RecordPaths:
    """A folder with a journal, and the files made from it."""

    folder: Path

    journal = _Entry("journal.jsonl")
    blobs = _Entry("blobs")
    evidence = _Entry("evidence")
    report = _Entry("report.html")


@dataclass(frozen=True, slots=True)
class IdeaPaths(RecordPaths):
    """The files of one idea."""

    history = _Entry("history.git")
    review = _Entry("review.txt")

    def export(self, tree: Tree, blobs: Blobs, written: dict[str, str]) -> None:
        """Write a tree's files but those that ``written`` (hashes by path) has; add them to it.

        Raises :class:`HarvestRefused` for a name outside or reserved.
        """
        for name, sha256 in self.exported(tree):
            if written.get(name) != sha256:
                path = self.folder / name
                if not (path.is_file() and file_hash(path) == sha256):
                    blobs.copy(sha256, path)
                written[name] = sha256

    def exported(self, tree: Tree) -> Iterator[tuple[str, str]]:
        """(path, SHA-256) of a tree's files, after a look at their names. Raises as above."""
        for name, sha256 in tree.files:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts or pure.parts[0] in RESERVED:
                raise HarvestRefused(
                    f"a file may not be written under the name {name!r}",
                    where=str(self.folder),
                    todo="the name is reserved for the run's own records; the run is unchanged",
                )
            yield name, sha256


@dataclass(frozen=True, slots=True)
class RunPaths(RecordPaths):
    """The files of one run."""

    @classmethod
    def fresh(cls, results: Path, template: str, now: datetime) -> RunPaths:
        """Create a new run's folder. Raises :class:`ResultsExist` if it exists."""
        first = results / slug(template) / now.strftime("%Y%m%d_%H%M%S")
        for number in range(1, 100):  # runs that begin in the same second have a number
            folder = first.with_name(f"{first.name}_{number}") if number > 1 else first
            try:
                with disk_errors(folder):
                    folder.mkdir(parents=True)
            except FileExistsError:
                continue
            return cls(folder)
        raise ResultsExist(
            "runs with this time already exist; they are never overwritten",
            where=str(first),
            todo="start again in a second",
        )

    ideas = _Entry("ideas.json")
    audit = _Entry("audit.html")
    signature = _Entry("signature.json")
    stamp = _Entry("signature.tsr")

    def idea(self, idea: Idea) -> IdeaPaths:
        return IdeaPaths(self.folder / f"{slug(idea.name)}_{idea.id[:6]}")
