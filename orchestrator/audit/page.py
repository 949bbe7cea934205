"""An audit as one page that a security team can read in five minutes."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator import __version__
from orchestrator.audit.calls import Call
from orchestrator.audit.containers_page import containers
from orchestrator.audit.finding import CHECKS, Checked, Group, grouped
from orchestrator.audit.verdict import MEANS, Audit, Outcome
from orchestrator.record.events import CallFailed
from orchestrator.report.html import Child, Html, el, fold, number, right, table
from orchestrator.report.page import contents, facts, page, pill, section

LOOKS = {Outcome.INTACT: "good", Outcome.CONSISTENT: "warn", Outcome.BROKEN: "bad"}
NOTICES = {Outcome.INTACT: None, Outcome.CONSISTENT: "notice warn", Outcome.BROKEN: "notice"}
MOST = 500  # findings that a page shows

_LIMITS = (
    "What it does not show. Whoever can write to the folder can write another record, as consistent "
    "as this one; a head or a signature that was kept where they cannot reach tells the two apart. "
    "The engine, the kernel and the host are trusted: the evidence is their word, as it was read. "
    "Papers, pages and code beside the record are made from it, and aisci replay compares them. "
    "That a program ran within its limits does not say that its results are right."
)


def audit_page(audit: Audit) -> str:
    """The whole page."""
    parts = (
        ("findings", "What was found", _findings(audit)),
        ("checks", "What was checked", _checks(audit.checks)),
        ("containers", "Containers", containers(audit)),
        ("open", "Calls without a result", _without_result(audit.without_result)),
        ("policy", "Policy and images", _policy(audit)),
        ("heads", "Heads and signature", _heads(audit)),
        ("again", "Check it again", _again(audit)),
    )
    there = [(anchor, title, part) for anchor, title, part in parts if part]
    return page(
        f"Audit: {audit.outcome} · aisci",
        _head(audit, [(anchor, title) for anchor, title, _ in there]),
        [section(anchor, title, part) for anchor, title, part in there],
        el("footer", el("p", f"Made by aisci {__version__}. The page holds no script and loads nothing.")),
    )  # fmt: skip


def _head(audit: Audit, links: list[tuple[str, str]]) -> Html:
    name = audit.pins.template.name if audit.pins else ""
    boxes = [box.attestation for box in audit.boxes if box.attestation]
    lines = sum(lines for _, _, lines in audit.heads)
    return el(
        "header",
        el(
            "p",
            f"aisci · audit of a run · {name} · {audit.folder}  ",
            pill(audit.outcome, LOOKS[audit.outcome]),
            class_="eyebrow",
        ),
        el("h1", f"This record is {audit.outcome}"),
        el("div", el("p", MEANS[audit.outcome]), class_=NOTICES[audit.outcome]),
        facts(
            ("findings", audit.wrong, "" if audit.wrong else "nothing is wrong"),
            ("journals", len(audit.heads), f"{lines:,} lines"),
            ("containers", len(boxes), ""),
            ("kept elsewhere", _kept(audit), ""),
        ),
        contents(links),
    )


def _kept(audit: Audit) -> str:
    given = (("head", audit.given.head), ("public key", audit.given.key))
    return " and ".join(name for name, value in given if value) or "nothing"


def _findings(audit: Audit) -> Html:
    found = audit.findings
    if not found:
        return el("p", "Nothing. Every check below holds.")
    groups = grouped(found)
    more = len(groups) - MOST
    left = el("p", f"{more} more are in the answer of aisci audit --json.") if more > 0 else None
    rows = [_finding(group) for group in groups[:MOST]]
    return el("div", table(("", "where", "what", "what to do"), rows), left)


def _finding(group: Group) -> tuple[Child, ...]:
    one, others = group.first, group.places[1:MOST]
    look, word = ("bad", one.check) if one.level == "wrong" else ("warn", "noted")
    why = el("div", one.why, class_="small quiet") if one.why else None
    also = [el("div", el("code", where), class_="small quiet") for where in others]
    where = [el("code", group.places[0]), fold(f"and {len(others)} more", also) if also else None]
    return pill(word, look), where, [one.what, why], one.todo


def _checks(checks: Sequence[Checked]) -> Html:
    rows = [(one.check, CHECKS[one.check], number(f"{one.count:,}"), _state(one)) for one in checks]
    return table(("check", "what has to hold", right("looked at"), ""), rows)


def _state(one: Checked) -> Html:
    if one.wrong:
        return pill(f"{one.wrong} found", "bad")
    if not one.count:
        return pill("nothing to look at")
    return pill("holds", "good")


def _without_result(calls: Sequence[Call]) -> Html | None:
    if not calls:
        return None
    rows = [(el("code", call.where), call.named, why_none(call)) for call in calls]
    said = "They ended without a result, and nothing of them was used: a call that is asked again stands above."
    return el("div", el("p", said), table(("where", "call", "why"), rows))


def why_none(call: Call) -> str:
    """Why a call came to no result, in the words of its record."""
    if call.answered is None:
        return "no answer was recorded: the program or the machine was stopped"
    end = call.answered.event
    return f"{end.error.type}: {end.error.what[:200]}" if isinstance(end, CallFailed) else ""


def _policy(audit: Audit) -> Html:
    pins = audit.pins
    if pins is None:
        return el("p", "No line pins a policy.")
    rows: list[tuple[Child, ...]] = [
        (name, [f"{pin.name} ({pin.origin}) ", _hash(pin.hash)])
        for name, pin in (("policy", pins.policy), ("template", pins.template))
    ]
    rows += [(f"image {name}", _hash(image)) for name, image in pins.images]
    rows += [("program", pins.program), ("model", pins.model().name), ("scale", pins.scale)]
    return el(
        "div",
        el("p", "What held at the end of the record; each container was held to what held when it was asked for."),
        table(("", ""), rows),
        fold("the policy, every setting", el("pre", _written(pins.policy.settings), class_="wrap")),
    )  # fmt: skip


def _written(value: object, indent: str = "") -> str:
    if not isinstance(value, dict):
        return f"{value}"
    lines = []
    for key, part in value.items():
        deep = isinstance(part, dict) and part
        below = "\n" + _written(part, indent + "  ") if deep else f" {part}"
        lines.append(f"{indent}{key}:{below}")
    return "\n".join(lines)


def _heads(audit: Audit) -> Html:
    rows = [
        (el("code", name), number(f"{lines:,}"), _hash(head)) for name, head, lines in audit.heads
    ]
    whole: Child = [
        "The run's head, ",
        _hash(audit.head),
        ", stands for every line of every journal here.",
    ]
    if audit.outcome is Outcome.BROKEN:
        whole = "As they are, which is not as they should be."
    return el(
        "div",
        el("p", whole),
        table(("journal", right("lines"), "head"), rows),
        el("p", "Signature: ", audit.signature, "."),
    )  # fmt: skip


def _again(audit: Audit) -> Html:
    commands = (
        f"aisci audit {audit.folder}\n"
        f"aisci audit {audit.folder} --head HEAD      # the head that you kept\n"
        f"aisci audit {audit.folder} --key audit-key.pub\n"
        f"tail -n 1 {audit.folder}/journal.jsonl | tr -d '\\n' | sha256sum    # the head, by hand"
    )
    return el("div", el("p", _LIMITS), el("pre", commands, class_="wrap"))


def _hash(value: object) -> Html:
    return el("span", value if isinstance(value, str) else repr(value), class_="hash")
