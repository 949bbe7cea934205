"""The proof of a run's policy: the latest one when the run started, and a link to the latest."""

from __future__ import annotations

from orchestrator.record.paths import proofs_folder
from orchestrator.record.pins import Pins, ProofSummary
from orchestrator.report.html import Html, el
from orchestrator.report.page import pill

_LOOKS = {"held": "good", "did not hold": "bad"}


def proof_paragraph(pins: Pins | None, up: str) -> Html:
    """A paragraph. ``up`` is the relative path from the page to the folder of results. It is made
    only from the run's pins, so that a replay makes the same one. The linked page is that of the
    latest proof, or says that there is none.
    """
    name = pins.policy.name if pins else ""
    known = pins.proof if pins else None
    if pins is None or known is None:
        return el(
            "p", pill("no proof", "warn"), f" This record names no proof of the policy {name!r}."
        )
    link = el("a", "the latest proof now", href=f"{up}{proofs_folder(known.of)}/index.html")
    newest = known.newest
    if newest is None:
        text = (
            f" When this run started, the policy {name!r} had no proof for this machine. Command: "
        )
        how = el("code", f"aisci policy prove {name}")
        return el("p", pill("no proof", "warn"), text, how, "; result: ", link, ".")
    look = pill(newest.outcome, _LOOKS.get(newest.outcome, "warn"))
    text = f" latest proof of the policy {name!r} when this run started, of {newest.at}"
    return el("p", look, text, _images(pins, newest), "; ", link, ".")


def _images(pins: Pins, newest: ProofSummary) -> str:
    """A text that names the images of the proof that the run did not use."""
    used = {image for _, image in pins.images}
    others = [kind for kind, image in newest.images if image not in used]
    return f", with other images than this run for: {', '.join(others)}" if others else ""
