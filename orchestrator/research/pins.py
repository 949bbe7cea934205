"""A run's set-up read back from its journal: resume goes on with exactly what was pinned."""

from __future__ import annotations

from typing import Any

from orchestrator import __version__
from orchestrator.core.errors import BadJournal, BadPolicy, Diverged
from orchestrator.core.strict_yaml import dump, parse
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import Whole
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import read_lines
from orchestrator.record.paths import RunPaths
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.setup import Setup
from orchestrator.template.manifest import StagedData
from orchestrator.template.template import Template, from_files


def read_pins(paths: RunPaths) -> dict[str, Any]:
    """The pins that hold now: the first line's, or those of the last fork.

    Raises :class:`BadJournal` for a journal that does not hold.
    """
    found = [line["pins"] for line, _ in read_lines(paths.journal) if "pins" in line]
    if not found:
        raise BadJournal(
            "the journal does not say what the run was started with",
            where=str(paths.journal),
            why="the run was stopped before its first line was written: nothing was asked or spent",
            todo="start it anew with `aisci run`",
        )
    pins: dict[str, Any] = found[-1]
    return pins


def template_of(pins: dict[str, Any], paths: RunPaths) -> Template:
    """The template as it was when the run started."""
    blobs = BlobStore(paths.blobs)
    files = {name: blobs.get(sha256) for name, sha256 in pins["template"]["files"]}
    return from_files(files, pins["template"]["name"], pins["template"]["origin"])


def policy_of(pins: dict[str, Any]) -> Policy:
    """The effective policy as it was when the run started."""
    settings = pins["policy"]["settings"]
    document = parse(dump(settings).encode(), "the run's journal", BadPolicy)
    name = pins["policy"]["name"]
    return Policy(Whole.model_validate(settings), pins["policy"]["origin"], (name,), document)


def setup_of(pins: dict[str, Any], template: Template) -> Setup:
    """Everything that the run was started with, over ``template``."""
    return Setup(
        template=template,
        policy=policy_of(pins),
        model=pins["model"],
        author=pins["author"],
        scale=pins["scale"],
        ideas=pins["ideas"],
        images=_pairs(pins["images"]),
        prices=tuple((str(name), float(price)) for name, price in pins["prices"]),
        data=tuple(_staged(row) for row in pins["data"]),
        proof=pins.get("proof"),
        baseline=pins.get("baseline"),
    )


def same_program(pins: dict[str, Any]) -> None:
    """Raise :class:`Diverged` where another version, or other prompts, would go on with a run."""
    for what, then, now in (
        ("program version", pins["program"], __version__),
        ("set of prompts", pins["prompts"][:12], prompts_hash()[:12]),
    ):
        if then != now:
            raise Diverged(
                f"the run was started by another {what}",
                where=f"recorded {then}, now {now}",
                why="going on would mix two programs' requests in one record",
                todo="`aisci resume --fork` goes on under the present one, asking anew what differs",
            )


def _staged(row: list[str]) -> StagedData:
    """A data set; a run of before sets had hashes named it by its folder, in its jobs too."""
    name, source, folder = row if len(row) == 3 else (*row, row[-1])
    return StagedData(name, source, folder)


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in rows)
