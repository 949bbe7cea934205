"""``aisci sbom``: a bill of materials, on stdout or in a file."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.api.sbom import bill_of_host, bill_of_image
from orchestrator.console import output as out
from orchestrator.core.files import write
from orchestrator.sandbox.engine.client import connect


def show_bill(image: str | None, into: Path | None) -> None:
    """Print the bill of the program on this host, or of an image; or write it ``into`` a file."""
    bill = bill_of_host() if image is None else bill_of_image(connect(), image)
    text = json.dumps(bill, indent=1, ensure_ascii=True) + "\n"
    if into is None:
        out.verbatim(text)
        return
    write(into, text)
    out.say(f"{out.counted(len(bill['components']), 'package')}: {into}")
