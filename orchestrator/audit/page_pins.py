"""The part of an audit's page that says what the run was pinned to."""

from __future__ import annotations

from orchestrator.audit.audit import Audit
from orchestrator.audit.contents import RecordedContents
from orchestrator.report.html import Child, Html, data_table, el, fold


def pins_part(audit: Audit) -> Html:
    """Policy, template, images with what they held, program and models, at the end of the record."""
    pins = audit.pins
    if pins is None:
        return el("p", "No line pins a policy.")
    rows: list[tuple[Child, ...]] = [
        (name, [f"{pin.name} ({pin.origin}) ", hash_text(pin.hash)])
        for name, pin in (("policy", pins.policy), ("template", pins.template))
    ]
    rows += [
        ("ceiling", [f"{one.name} ({one.file}) ", hash_text(one.hash)]) for one in pins.ceilings
    ]
    rows += [
        (f"signature of {one.of}", [f"{one.signer}, {one.key} ", hash_text(one.hash)])
        for one in pins.signatures
    ]
    held = {one.image.id: one for one in audit.pinned[-1].images}
    rows += [
        (f"image {name}", [hash_text(image), _contents(held.get(image))])
        for name, image in pins.images
    ]
    rows += [("program", pins.program), ("model", pins.model_names), ("scale", pins.scale)]
    return el(
        "div",
        el("p", "The pins at the end of the record; each container is checked against the pins in force at its request."),
        data_table(("", ""), rows),
        fold("the policy, every setting", el("pre", _written(pins.policy.settings), class_="wrap")),
    )  # fmt: skip


def _contents(held: RecordedContents | None) -> Html:
    """What the record says of an image besides its id."""
    if held is None:
        return el("div", "its packages are not in the record", class_="small quiet")
    count = "its packages were not told" + (f": {held.image.why}" if held.image.why else "")
    if held.packages is not None:
        count = f"{held.packages:,} packages"
    base = f"on {held.image.base}" if held.image.base else ""
    known = ", ".join(held.image.digests)
    words = "; ".join(filter(None, (count, base, known)))
    return el("div", words, class_="small quiet")


def _written(value: object, indent: str = "") -> str:
    if not isinstance(value, dict):
        return f"{value}"
    lines = []
    for key, part in value.items():
        deep = isinstance(part, dict) and part
        below = "\n" + _written(part, indent + "  ") if deep else f" {part}"
        lines.append(f"{indent}{key}:{below}")
    return "\n".join(lines)


def hash_text(value: object) -> Html:
    """A hash as it stands in a line; a hostile record may have anything in its place."""
    return el("span", value if isinstance(value, str) else repr(value), class_="hash")
