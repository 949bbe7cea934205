"""Sentences of known truth about real studies, and the ledgers that they are held to.

``given`` are about the made study of ``paper_rig``; ``typed`` were written about three real studies by a
language model that saw their results and no code of this program, with every number typed; ``referred``
are the same with their numbers by reference, as an author of this program writes. ``doubts.json`` holds what a
language model answered that had only the requests to a reader about them; ``python -m tests.support.trial FOLDER``
writes those requests.
"""

from __future__ import annotations

import json
import lzma
import random
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.core.model import Ask
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.glosses import glossed
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import rendered
from orchestrator.research.replies import parse_reply
from orchestrator.research.stages.doubting import DoubtRows, doubts_request
from orchestrator.research.stages.reader_facts import reader_facts
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.template.manifest import Manifest, Metric
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
    manifest = manifest_of(study)
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


def manifest_of(study: str) -> Manifest:
    return from_files({"template.yaml": kept(study)["manifest"].encode()}, study, study).manifest


def reader_request(study: str, rows: list[dict[str, Any]]) -> Ask:
    """What a reader is asked about rows of a set, each as a paragraph of its own."""
    data, known = kept(study), ledger(study)
    facts = reader_facts(
        known,
        [_record(run) for run in data["runs"]],
        manifest_of(study),
        data["scale"],
        {run["number"]: run["description"] for run in data["runs"]},
    )
    shown = [
        (number, f"{row['section']} #{number}", glossed(row["text"], known))
        for number, row in enumerate(rows, 1)
    ]
    return doubts_request(facts, shown)


def batches(kind: str) -> dict[str, list[int]]:
    """The rows that one request names, by the request's name: half of a study's, in an order by chance."""
    rows, found = sentences(kind), dict[str, list[int]]()
    for study in STUDIES:
        own = [at for at, row in enumerate(rows) if row["study"] == study]
        random.Random(f"{kind} {study}").shuffle(own)
        for part, places in enumerate((own[: len(own) // 2], own[len(own) // 2 :]), 1):
            found[f"{kind}-{study}-{part}"] = places
    return found


def doubted(kind: str) -> dict[int, str]:
    """Why a language model that read the rows of a set in these requests doubted one, by its place in the set."""
    replies = json.loads((SENTENCES / "doubts.json").read_text())
    found = {}
    for name, places in batches(kind).items():
        for doubt in parse_reply(replies[name], DoubtRows).doubts:
            found[places[doubt.number - 1]] = doubt.why
    return found


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
    return shares([(row["true"], bool(problems(row, strict=strict))) for row in rows])


def shares(held: list[tuple[bool, bool]]) -> tuple[float, float]:
    """The shares of true rows and of false ones that are flagged, of pairs of truth and flag."""
    true, false = ([wrong for truth, wrong in held if truth is kind] for kind in (True, False))
    return sum(true) / len(true), sum(false) / len(false)


def main() -> None:
    folder = Path(sys.argv[1])
    for kind in ("referred", "typed"):
        rows = sentences(kind)
        for name, places in batches(kind).items():
            asked = reader_request(name.split("-")[1], [rows[at] for at in places])
            text = "\n\n".join(one.content for one in asked.messages)
            (folder / f"{name}.request.md").write_text(text)


if __name__ == "__main__":
    main()
