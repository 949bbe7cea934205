"""The frame of a page: no script, nothing loaded, one style sheet identified by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from orchestrator.core.model import SWEEP
from orchestrator.record.paths import proofs_folder
from orchestrator.record.pins import Pins
from orchestrator.report.html import Child, Html, el

_LOOKS = {
    "finished": "good",
    "ready": "good",
    "failed": "bad",
    "unfinished": "warn",
    "not novel": "warn",
    "undecided": "warn",
    "novel": "good",
    "agrees": "good",
    "differs": "warn",
    "unknown": "warn",
    "retracted": "bad",
}


def who_wrote(author: str) -> str:
    """Who carried a study out, so that nobody takes it for a person."""
    kind = "a program that asks no language model" if author == SWEEP else "a language model"
    return f"{author}, {kind}"


@cache
def style() -> str:
    """The style sheet."""
    return (resources.files("orchestrator") / "report" / "style.css").read_text("utf-8")


def page(title: str, *parts: Child) -> str:
    """A whole HTML document. Its content security policy allows only embedded pictures and the one
    style sheet: no script, font, frame, form or request, whatever text the page contains.
    """
    css = style()
    known = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    rules = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{known}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=rules),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        Html(f"<style>{css}</style>"),
    )
    body = el("body", el("div", *parts, class_="sheet"))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def pill(state: str, look: str = "") -> Html:
    """A short state in its colour."""
    return el("span", state, class_=f"pill {look or _LOOKS.get(state, '')}".strip())


def pills(status: str, lacking: tuple[str, ...]) -> list[Html]:
    """An idea's status, and what its paper is not."""
    return [pill(status), *(pill(what, "warn") for what in lacking)]


def fact_list(*pairs: tuple[str, Child, Child]) -> Html:
    """Cells of (name, value, small print)."""
    cells = [
        el("div", el("dt", name), el("dd", value, el("small", small) if small else None))
        for name, value, small in pairs
    ]
    return el("dl", cells, class_="facts")


def section(anchor: str, title: str, *parts: Child) -> Html:
    return el("section", el("h2", title), *parts, id=anchor)


def contents(entries: list[tuple[str, str]]) -> Html:
    """Links to the sections."""
    return el("nav", [el("a", title, href=f"#{anchor}") for anchor, title in entries])


def bar(part: float, whole: float, *, width: int = 72) -> Html | None:
    """A bar of the used part of a limit; red from 98 %. None without a limit."""
    if whole <= 0:
        return None
    share = min(1.0, max(0.0, part / whole))
    look = "full" if share >= 0.98 else "fill"
    return el(
        "svg",
        el("rect", width=width, height=5, rx=2, class_="rail"),
        el("rect", width=round(width * share, 1), height=5, rx=2, class_=look),
        class_="bar",
        width=width,
        height=5,
        role="img",
        aria_label=f"{share:.0%} of the limit",
    )


def size(amount: float) -> str:
    """Bytes in a readable unit."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if amount >= scale:
            return f"{amount / scale:.3g} {unit}"
    return f"{amount:.0f} B"


def duration(seconds: float) -> str:
    """Seconds in a readable unit."""
    if seconds >= 3600:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:02.0f} min"
    if seconds >= 120:
        return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
    return f"{seconds:.1f} s"


def dollars(usd: float | None) -> str:
    """US dollars as text."""
    if usd is None:
        return "price unknown"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def lines(value: str) -> Html:
    """Prose with its line breaks."""
    return el("p", value, class_="verbatim")


def bullet_list(items: tuple[str, ...]) -> Html | None:
    return el("ul", [el("li", item) for item in items]) if items else None


def proof_paragraph(pins: Pins | None) -> Html:
    """A paragraph, made only from the run's pins, so that a replay makes the same one. It says where proofs
    lie and links to none: they do not travel with the run's folder.
    """
    name = pins.policy.name if pins else ""
    known = pins.proof if pins else None
    if pins is None or known is None:
        return el(
            "p", pill("no proof", "warn"), f" This record names no proof of the policy {name!r}."
        )
    place = el("code", f"{proofs_folder(known.of)}/")
    newest = known.newest
    if newest is None:
        text = (
            f" When this run started, the policy {name!r} had no proof for this machine. Command: "
        )
        how = el("code", f"aisci policy prove {name}")
        below = "; later proofs lie below the folder of results, in "
        return el("p", pill("no proof", "warn"), text, how, below, place, ".")
    look = pill(newest.outcome, {"held": "good", "did not hold": "bad"}.get(newest.outcome, "warn"))
    text = f" latest proof of the policy {name!r} when this run started, of {newest.at}"
    used = {image for _, image in pins.images}
    if others := [kind for kind, image in newest.images if image not in used]:
        text += f", with other images than this run for: {', '.join(others)}"
    return el("p", look, text, "; proofs lie below the folder of results, in ", place, ".")
