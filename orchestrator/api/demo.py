"""The study that ships with aisci: its record, replayed into a folder, each file held against its hash.

The archive holds what a run's folder cannot make again (journals and their stored bytes), what the study
is (``about.json``), and the SHA-256 of each file that its replay makes (``made.json``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.api.export import write_reports
from orchestrator.api.find_run import id_of
from orchestrator.api.reproduce import play_again
from orchestrator.api.run_lines import idea_journals
from orchestrator.api.writable import require_writable
from orchestrator.core.errors import AisciError, UserError
from orchestrator.core.packed_folder import NotPacked, unpacked, write_unpacked
from orchestrator.core.untrusted import file_hash
from orchestrator.record.chain import read_lines
from orchestrator.record.events import IdeaStarted
from orchestrator.record.paths import IdeaPaths, RunPaths
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
    """Write the shipped study below ``into``, a folder of results, unless it is there. It needs no engine, network
    or key.

    Raises:
        UserError: something else is there, or a file of the study was changed; nothing is overwritten.
        AisciError: this program does not make the recorded files.
    """
    files = shipped_study()
    about = json.loads(files[ABOUT])
    target = into / about["template"] / about["time"]
    wanted = json.loads(files[MADE])
    if target.exists():
        if wrong := _changed(target, wanted):
            raise UserError(
                "the demo is there already, and was changed; it is not overwritten",
                where=str(target / wrong[0]),
                todo="name another folder with --into, or remove this one: "
                f"`aisci rm {id_of(target)} --results {into}`",
            )
        return _shown(target, about, len(wanted))
    require_writable(into, "--into")
    with (
        _emptied(target.parent),
        tempfile.TemporaryDirectory(prefix=".new-demo-", dir=target.parent) as scratch,
    ):
        made = RunPaths(Path(scratch, "run"))
        record = {name.removeprefix(RECORD): data for name, data in files.items()}
        kept = {name: data for name, data in record.items() if name not in {ABOUT, MADE}}
        write_unpacked(kept, made.folder)
        pins = read_pins(made)
        play_again(spec_of(pins, template_of(pins, made)), made, made)
        if wrong := _changed(made.folder, wanted):
            raise AisciError(
                f"aisci {__version__} does not make the shipped study as it was recorded",
                where=f"{len(wrong)} of {len(wanted)} files, {wrong[0]} first",
                todo=_BROKEN,
            )
        write_reports(str(made.folder), into)
        made.folder.rename(target)
    return _shown(target, about, len(wanted))


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """The folder, made where it is not there; what of it was made and is empty goes again after an error."""
    made = [one for one in (folder, folder.parent) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for one in made:
                one.rmdir()
        raise


def _changed(folder: Path, wanted: dict[str, str]) -> list[str]:
    """The files that are not as the shipped study has them, or are not there."""
    return [
        name
        for name in wanted
        if not (folder / name).is_file() or file_hash(folder / name) != wanted[name]
    ]


def _shown(target: Path, about: dict[str, Any], same: int) -> DemoOutcome:
    """Where the study's one idea, its pages and its paper are."""
    (journal,) = idea_journals(target)
    idea = IdeaPaths(journal.parent)
    begun = next(event for event, _ in read_lines(journal) if isinstance(event, IdeaStarted))
    return DemoOutcome(
        folder=target,
        report=RunPaths(target).report,
        idea_report=idea.report,
        paper=min(idea.folder.glob("*.pdf"), key=lambda path: len(path.name)),
        title=begun.idea.title,
        about=tuple(about["told"]),
        same=same,
    )


def shipped_study(archive: Path = ARCHIVE) -> dict[str, bytes]:
    """The files of the shipped archive. Raises :class:`AisciError` where it cannot be read."""
    try:
        return unpacked(archive.read_bytes())
    except (NotPacked, OSError) as error:
        raise AisciError(
            "the shipped study cannot be read", where=str(archive), why=str(error), todo=_BROKEN
        ) from error
