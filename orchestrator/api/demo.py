"""The study that ships with aisci: its record, replayed into a folder, each file held against its hash.

The archive holds what a run's folder cannot make again (journals and their stored bytes), what the study
is (``about.json``), and the SHA-256 of each file that its replay makes (``made.json``).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.export import write_reports
from orchestrator.api.find_run import id_of
from orchestrator.api.reproduce import play_again
from orchestrator.core.errors import AisciError, UserError
from orchestrator.core.packed_folder import NotPacked, unpacked, write_unpacked
from orchestrator.core.untrusted import file_hash
from orchestrator.record.paths import RunPaths
from orchestrator.research.pins import read_pins, spec_of, template_of

ARCHIVE = Path(__file__).with_name("demo_study.tar.xz")
ABOUT, MADE, RECORD = "about.json", "made.json", "run/"
_BROKEN = "this installation is damaged or mixed from two versions: install aisci again"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome:
    """The replayed study: its run's folder, pages and papers, and what is to be said of it."""

    folder: Path
    report: Path
    idea_report: Path
    paper: Path
    title: str
    about: tuple[str, ...]
    same: int


def replay_demo(into: Path) -> DemoOutcome:
    """Write the shipped study below ``into``, a folder of results. It needs no engine, network or key.

    Raises:
        UserError: the run is there already, and is not overwritten.
        AisciError: this program does not make the recorded files.
    """
    files = shipped_study()
    about = json.loads(files[ABOUT])
    target = into / about["template"] / about["time"]
    if target.exists():
        raise UserError(
            "the demo is there already; runs are never overwritten",
            where=str(target),
            todo=f"look at it: `aisci open {id_of(target)} --results {into}`, or name another folder",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-demo-", dir=target.parent) as scratch:
        made = RunPaths(Path(scratch, "run"))
        record = {name.removeprefix(RECORD): data for name, data in files.items()}
        kept = {name: data for name, data in record.items() if name not in {ABOUT, MADE}}
        write_unpacked(kept, made.folder)
        pins = read_pins(made)
        (outcome,) = play_again(spec_of(pins, template_of(pins, made)), made, made)
        wanted = json.loads(files[MADE])
        wrong = [name for name in wanted if file_hash(made.folder / name) != wanted[name]]
        if wrong:
            raise AisciError(
                f"aisci {__version__} does not make the shipped study as it was recorded",
                where=f"{len(wrong)} of {len(wanted)} files, {wrong[0]} first",
                todo=_BROKEN,
            )
        write_reports(str(made.folder), into)
        made.folder.rename(target)
    paths = RunPaths(target)
    idea = paths.idea(outcome.study.idea)
    return DemoOutcome(
        folder=target,
        report=paths.report,
        idea_report=idea.report,
        paper=next(iter(sorted(idea.folder.glob("*.pdf"), key=lambda path: len(path.name)))),
        title=outcome.study.idea.title,
        about=tuple(about["told"]),
        same=len(wanted),
    )


def shipped_study(archive: Path = ARCHIVE) -> dict[str, bytes]:
    """The files of the shipped archive. Raises :class:`AisciError` where it cannot be read."""
    try:
        return unpacked(archive.read_bytes())
    except (NotPacked, OSError) as error:
        raise AisciError(
            "the shipped study cannot be read", where=str(archive), why=str(error), todo=_BROKEN
        ) from error
