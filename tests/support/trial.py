"""Sentences of known truth about real studies, and the ledgers that they are held to.

``given`` are about the made study of ``paper_rig``; ``typed`` were written about three real studies by a
language model that saw their results and no code of this program, with every number typed; ``referred``
are the same with their numbers by reference, as an author of this program writes.
"""

from __future__ import annotations

import json
import lzma
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import rendered
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.template.manifest import Metric
from orchestrator.template.results import parse_final_info, per_seed
from orchestrator.template.template import from_files
from tests.support import paper_rig as rig
from tests.support.places import DATA

SENTENCES = DATA / "sentences"
STUDIES = ("grokking", "nanoGPT_lite", "seir")


def sentences(kind: str) -> list[dict[str, Any]]:
    """The rows of a set: study, section, LaTeX text, truth, and why."""
    return [json.loads(line) for line in (SENTENCES / f"{kind}.jsonl").read_text().splitlines()]


@cache
def kept(study: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        lzma.decompress((SENTENCES / f"{study}.json.xz").read_bytes())
    )
    return found


@cache
def ledger(study: str) -> Ledger:
    """What a study measured and set."""
    if study == "made":
        ports = rig.ports(Path(tempfile.mkdtemp()))
        return study_ledger(rig.study(ports.blobs), ports)
    data = kept(study)
    manifest = from_files({"template.yaml": data["manifest"].encode()}, study, study).manifest
    added = {
        one["name"]: Metric(
            direction=one["direction"],
            unit=one["unit"],
            description=one["description"],
            headline=one["headline"],
        )
        for one in data["metrics"]
    }
    own = [name for name, metric in added.items() if metric.headline]
    headline = tuple(dict.fromkeys((*data["decides"], *own, *manifest.headline)))
    return build_ledger(
        [_record(run) for run in data["runs"]],
        {**added, **manifest.metrics},
        headline,
        data["scale"],
        manifest,
        years=data["years"],
    )


def _record(run: dict[str, Any]) -> RunMeasurements:
    info = json.dumps(run["final_info"]).encode()
    return RunMeasurements(
        number=run["number"],
        name=run["name"],
        base=run["base"],
        seconds=run["seconds"],
        results=parse_final_info(info),
        values=per_seed(info),
        code=run["code"],
    )


def problems(row: dict[str, Any], *, strict: bool) -> list[str]:
    """What is wrong with one row of a set."""
    known = ledger(row["study"])
    found = check_section(row["text"], known, row["section"].lower(), strict=strict)
    _, wrong_macros = rendered(row["text"], known)
    return [*(said for one in found for said in one.problems), *wrong_macros]


def rates(rows: list[dict[str, Any]], *, strict: bool) -> tuple[float, float]:
    """The share of true rows that are refused, and the share of false ones that are found."""
    held = [(row["true"], bool(problems(row, strict=strict))) for row in rows]
    true, false = ([wrong for truth, wrong in held if truth is kind] for kind in (True, False))
    return sum(true) / len(true), sum(false) / len(false)
