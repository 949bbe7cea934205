"""``aisci sbom``: a bill of materials, on stdout or in a file."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.api.sbom import bill_of_host, bill_of_image, bill_of_run
from orchestrator.console import output as out
from orchestrator.core.errors import UserError
from orchestrator.core.files import write
from orchestrator.sandbox.engine.client import connect


def show_bill(image: str | None, run: str | None, results: Path, into: Path | None) -> None:
    """Print the bill of the program on this host, of an image, or of a recorded run's images; or write it
    ``into`` a file.
    """
    if image is not None and run is not None:
        raise UserError(
            "an image and a run are two bills",
            where=f"aisci sbom {image} --run {run}",
            todo="ask for one of them: the bill of a run names each of its images",
        )
    text, count = _bill(image, run, results)
    if into is None:
        out.verbatim(text)
        return
    write(into, text)
    out.say(f"{out.counted(count, 'package')}: {into}")


def _bill(image: str | None, run: str | None, results: Path) -> tuple[str, int]:
    """The bill's text, and how many packages it names."""
    if run is not None:
        bill = bill_of_run(run, results)
        count = sum(len(one.get("components", ())) for one in bill["components"])
    else:
        bill = bill_of_host() if image is None else bill_of_image(connect(), image)
        count = len(bill["components"])
    return json.dumps(bill, indent=1, ensure_ascii=True) + "\n", count
