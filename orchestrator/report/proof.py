"""What is known of proofs of a run's policy: the newest when it began, and where the newest is now."""

from __future__ import annotations

from orchestrator.record.paths import proofs_folder
from orchestrator.record.pins import Pins, ProofSummary
from orchestrator.report.html import Html, el
from orchestrator.report.page import pill

_LOOKS = {"held": "good", "did not hold": "bad"}


def proof_paragraph(pins: Pins | None, up: str) -> Html:
    """A paragraph. ``up`` leads from the page to the folder of results, such as ``../../``.

    It is made from the run's pins alone, so that a replay makes the same; the page that it links
    to is always the newest proof, or says that there is none.
    """
    name = pins.policy.name if pins else ""
    known = pins.proof if pins else None
    if pins is None or known is None:
        return el(
            "p", pill("no proof", "warn"), f" This record names no proof of the policy {name!r}."
        )
    link = el("a", "the newest proof now", href=f"{up}{proofs_folder(known.of)}/index.html")
    newest = known.newest
    if newest is None:
        said = f" When this run began there was no proof that the policy {name!r} holds on this machine. It is made by "
        how = el("code", f"aisci policy prove {name}")
        return el("p", pill("no proof", "warn"), said, how, "; then it is here: ", link, ".")
    look = pill(newest.outcome, _LOOKS.get(newest.outcome, "warn"))
    said = f" is how the newest proof of the policy {name!r} came out that there was when this run began, of {newest.at}"
    return el("p", look, said, _images(pins, newest), "; ", link, ".")


def _images(pins: Pins, newest: ProofSummary) -> str:
    """Whether the proof was made with the images that the run used."""
    ours = {image for _, image in pins.images}
    others = [kind for kind, image in newest.images if image not in ours]
    return f", with another image than this run's for: {', '.join(others)}" if others else ""
