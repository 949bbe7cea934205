"""A run played again from its record; and what that makes, as names and SHA-256, written nowhere."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api import find_run
from orchestrator.api.export import FileExporter, differences
from orchestrator.api.outcomes import ReplayOutcome
from orchestrator.api.prepare import RESULTS
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree
from orchestrator.core.untrusted import file_hash, folder_entries, require_plain
from orchestrator.record.absent import absent
from orchestrator.record.journal import Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.pins import Pins
from orchestrator.research.pins import read_pins, spec_of, template_of
from orchestrator.research.run import ENDS_OF_RUN, research
from orchestrator.research.run_spec import PursuedIdea, RunDeps, RunLocation, RunSpec
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import Template, load_template


@dataclass(frozen=True, slots=True)
class _ListedIdea(IdeaPaths):
    """An idea's files, of which those of its tree are named and not written."""

    made: dict[str, str]

    def export(self, tree: Tree, blobs: Blobs, written: dict[str, str]) -> None:  # noqa: ARG002 - nothing is written
        for path, sha256 in self.exported(tree):
            self.made[f"{self.folder.name}/{path}"] = sha256


@dataclass(frozen=True, slots=True)
class _Listed(RunPaths):
    made: dict[str, str]

    def idea(self, idea: Idea) -> IdeaPaths:
        return _ListedIdea(RunPaths(self.folder).idea(idea).folder, self.made)


def play_again(spec: RunSpec, record: RunPaths, output: RunPaths) -> tuple[PursuedIdea, ...]:
    """Every idea of a run, from its record alone; none of one that failed. The files go to ``output``. Raises
    :class:`Diverged`.
    """
    place = RunLocation(record=record, output=output, mode=Mode.REPLAY)
    none = absent(spec.author, spec.authors)
    deps = RunDeps(edges=lambda _: none, exporter=FileExporter(), listener=lambda _: None)
    try:
        return research(spec, place, deps)
    except ENDS_OF_RUN:  # as recorded, note and seal: a replay that goes another way diverges
        return ()


def reproduced(paths: RunPaths) -> dict[str, str]:
    """The SHA-256 of each file that the record makes, by its path below the run's folder.

    The run is played again from its record alone, with the template as recorded. Raises
    :class:`AisciError` where the record cannot be played, for instance by another version.
    """
    require_plain(paths.folder)
    pins = read_pins(paths)
    spec = spec_of(pins, template_of(pins, paths))
    made: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="aisci-audit-") as scratch:
        play_again(spec, paths, _Listed(Path(scratch), made))
        for name, _ in folder_entries(Path(scratch)):
            made[name] = file_hash(Path(scratch, name))
    return made


def replay(
    name: str = "latest", results: Path = RESULTS, *, into: Path | None = None
) -> ReplayOutcome:
    """Reproduce a run from its record alone, and compare. It needs no engine, network or key.

    The files are written to ``into``, or to a temporary folder.
    """
    paths = find_run.find_run(name, results)
    if into is not None and into.exists() and any(into.iterdir()):
        raise UserError(
            "the folder to replay into is not empty",
            where=f"--into {into}",
            todo="name an empty folder, or one that does not exist yet",
        )
    require_plain(paths.folder)
    pins = read_pins(paths)
    setup = spec_of(pins, present_or_pinned(pins, paths))
    with tempfile.TemporaryDirectory(prefix="aisci-replay-") as scratch:
        output = RunPaths(into or Path(scratch))
        outcomes = play_again(setup, paths, output)
        same, different = differences(output.folder, paths.folder)
    return ReplayOutcome(ideas=len(outcomes), same=tuple(same), different=tuple(different))


def present_or_pinned(pins: Pins, paths: RunPaths) -> Template:
    """The template that a record names as it is now, or as recorded if it is not here any more."""
    root, pin = shipped_root(), pins.template
    if pin.origin == f"templates/{pin.name}" and pin.name in shipped_templates(root):
        return load_template(pin.name, root)
    if Path(pin.origin).is_dir():
        return load_template(f"{pin.origin}/", root)
    return template_of(pins, paths)
