"""An audit as one page that a security team can read in five minutes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from orchestrator import __version__
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.calls import AuditedCall, AuditedContainer
from orchestrator.audit.demand import Demand, demands_fact, demands_part
from orchestrator.audit.finding import CHECKS, CheckResult, FindingGroup, group_findings
from orchestrator.audit.page_pins import hash_text, pins_part
from orchestrator.record.attestation import mismatches
from orchestrator.record.events import CallFailed
from orchestrator.report.containers import (
    departures_fold,
    identity_table,
    refused_pill,
    settings_tables,
)
from orchestrator.report.html import Child, Html, data_table, el, fold, number, right
from orchestrator.report.page import bar, contents, duration, fact_list, page, pill, section, size

_LOOKS = {
    AuditVerdict.INTACT: ("good", None),
    AuditVerdict.CONSISTENT: ("warn", "notice warn"),
    AuditVerdict.UNFINISHED: ("warn", "notice warn"),
    AuditVerdict.BROKEN: ("bad", "notice"),
}
"""The looks of a verdict's pill and of its notice."""
_MAX_FINDINGS = 500  # findings that a page shows

_LIMITS = (
    "Limits of an audit. Whoever can write to the folder can write another consistent record; only a "
    "head or a signature stored out of their reach distinguishes the two. The engine, the kernel and "
    "the host are trusted: the evidence is what they reported. Papers, pages and code in the folder "
    "are made from the record; aisci replay compares them. A program that ran within its limits can "
    "still have wrong results."
)


def audit_page(audit: Audit, demands: Sequence[Demand] = ()) -> str:
    """The whole page; ``demands`` are what was asked besides."""
    parts = (
        ("findings", "Findings", _findings(audit)),
        ("asked", "Asked besides", demands_part(demands)),
        ("checks", "Checks", _checks(audit.checks)),
        ("containers", "Containers", _containers(audit)),
        ("open", "Calls without a result", _without_result(audit.without_result)),
        ("policy", "Policy and images", pins_part(audit)),
        ("heads", "Heads and signature", _heads(audit)),
        ("again", "Repeat the check", _again(audit)),
    )
    shown = [(anchor, title, part) for anchor, title, part in parts if part]
    return page(
        f"Audit: {audit.outcome} · aisci",
        _head(audit, demands, [(anchor, title) for anchor, title, _ in shown]),
        [section(anchor, title, part) for anchor, title, part in shown],
        el("footer", el("p", f"Made by aisci {__version__}. This page contains no script and loads nothing.")),
    )  # fmt: skip


def _head(audit: Audit, demands: Sequence[Demand], links: list[tuple[str, str]]) -> Html:
    name = audit.pins.template.name if audit.pins else ""
    containers = sum(item.attestation is not None for item in audit.containers)
    lines = sum(lines for _, _, lines in audit.heads)
    given = (("head", audit.given.head), ("public key", audit.given.key))
    stored = " and ".join(name for name, value in given if value) or "nothing"
    title = f"aisci · audit of a run · {name} · {audit.folder}  "
    look, notice = _LOOKS[audit.outcome]
    ending = el("p", audit.ending) if audit.ending else None
    return el(
        "header",
        el("p", title, pill(audit.outcome, look), class_="eyebrow"),
        el("h1", f"This record is {audit.outcome}"),
        el("div", el("p", audit.text), ending, class_=notice),
        fact_list(
            ("findings", audit.wrong, "" if audit.wrong else "nothing to correct"),
            ("journals", len(audit.heads), f"{lines:,} lines"),
            ("containers", containers, ""),
            ("stored elsewhere", stored, ""),
            *demands_fact(demands),
        ),
        contents(links),
    )


def _findings(audit: Audit) -> Html:
    groups = group_findings(audit.findings)
    if not groups:
        return el("p", "None. Every check below holds.")
    more = len(groups) - _MAX_FINDINGS
    left = el("p", f"{more} more are in the output of aisci audit --json.") if more > 0 else None
    rows = [_finding(group) for group in groups[:_MAX_FINDINGS]]
    return el("div", data_table(("", "where", "what", "what to do"), rows), left)


def _finding(group: FindingGroup) -> tuple[Child, ...]:
    finding, others = group.first, group.places[1:_MAX_FINDINGS]
    look, word = ("bad", finding.check) if finding.level == "wrong" else ("warn", finding.level)
    why = el("div", finding.why, class_="small quiet") if finding.why else None
    also = [el("div", el("code", where), class_="small quiet") for where in others]
    where = [el("code", group.places[0]), fold(f"and {len(others)} more", also) if also else None]
    return pill(word, look), where, [finding.what, why], finding.todo


def _checks(checks: Sequence[CheckResult]) -> Html:
    rows: list[tuple[Child, ...]] = []
    for one in checks:
        state = pill("holds", "good") if one.count else pill("nothing to check")
        state = pill("unfinished", "warn") if one.unfinished else state
        state = pill(f"{one.wrong} found", "bad") if one.wrong else state
        rows.append((one.check, CHECKS[one.check], number(f"{one.count:,}"), state))
    return data_table(("check", "requirement", right("examined"), ""), rows)


def _containers(audit: Audit) -> Html | None:
    """One row per container, with its deviations from the policy or from runc."""
    if not audit.containers:
        return None
    wrong = {finding.where for finding in audit.findings if finding.level == "wrong"}
    rows = [_container_row(item, is_wrong=item.where in wrong) for item in audit.containers]
    heads = ("container", "verdict", right("memory"), right("disk"), right("processes"),
             right("CPU time"), right("time"), right("image"), "")  # fmt: skip
    ran = [item for item in audit.containers if item.attestation]
    runtimes = sorted({item.evidence.runtime for item in ran})
    return el(
        "div",
        el(
            "p",
            "In the order of their requests; each was new and used once. Bars show the peak use of each limit.",
        ),
        data_table(heads, rows),
        fold(
            "every setting requested, inspected and seen",
            [_container_settings(item) for item in ran],
        ),
        [departures_fold(name) for name in runtimes],
    )


def _container_row(item: AuditedContainer, *, is_wrong: bool) -> tuple[Child, ...]:
    name = [item.place, el("div", f"{item.kind}, {item.where}", class_="small quiet")]
    box = item.attestation
    if box is None:
        return (name, pill("on the host", "warn"), "", "", "", "", "", "",
                "no container: the policy sets `editor: process`")  # fmt: skip
    peaks, limits = box.peaks, item.limits
    deviations: list[Child] = [pill("see the findings", "bad")] if is_wrong else []
    deviations += [pill(f"hit {name}", "warn") for name in box.hit]
    deviations += [pill(f"suspected: {name}", "warn") for name in box.suspected]
    deviations.append(refused_pill(box))
    return (
        name,
        pill(str(box.verdict), "good" if box.verdict == "finished" else "warn"),
        number([size(peaks.memory), bar(peaks.memory, limits.memory)]),
        number([size(peaks.disk), bar(peaks.disk, limits.workspace)]),
        number([str(peaks.pids), bar(peaks.pids, limits.pids)]),
        number([duration(peaks.cpu_time), bar(peaks.cpu_time, limits.cpu_time)]),
        number([duration(peaks.wall), bar(peaks.wall, limits.wall)]),
        number(el("code", box.image.removeprefix("sha256:")[:12])),
        deviations,
    )


def _container_settings(item: AuditedContainer) -> Html:
    box = item.evidence
    different = len(mismatches(box.asked, box.inspected))
    return fold(
        [f"{item.place} · {item.kind}", pill(f"{different} differ", "bad") if different else ""],
        identity_table(box),
        settings_tables(box),
    )


def _without_result(calls: Sequence[AuditedCall]) -> Html | None:
    if not calls:
        return None
    rows = [(el("code", call.where), call.name, no_result_reason(call)) for call in calls]
    intro = "These calls produced no result, and nothing of them was used. A repeated call is listed above."
    return el("div", el("p", intro), data_table(("where", "call", "why"), rows))


def no_result_reason(call: AuditedCall) -> str:
    """Why a call produced no result, as recorded."""
    if call.answered is None:
        return "no answer was recorded: the program or the machine was stopped"
    end = call.answered.event
    return f"{end.error.type}: {end.error.what[:200]}" if isinstance(end, CallFailed) else ""


def _heads(audit: Audit) -> Html:
    rows = [(el("code", name), number(f"{n:,}"), hash_text(head)) for name, head, n in audit.heads]
    covered = ", covers every line of every journal here."
    whole: Child = ["The run's head, ", hash_text(audit.head), covered]
    if audit.outcome is AuditVerdict.BROKEN:
        whole = "The heads as found; at least one check does not hold."
    return el(
        "div",
        el("p", whole),
        data_table(("journal", right("lines"), "head"), rows),
        el("p", "Signature: ", audit.signature, "."),
        el("p", "Time stamp of it: ", audit.stamp, ".") if audit.stamp else "",
    )  # fmt: skip


def _again(audit: Audit) -> Html:
    folder = shlex.quote(audit.folder)  # whoever made it has named it
    commands = (
        f"aisci audit {folder}\n"
        f"aisci audit {folder} --head HEAD      # the head that you stored\n"
        f"aisci audit {folder} --key audit-key.pub\n"
        f"tail -n 1 {folder}/journal.jsonl | tr -d '\\n' | sha256sum    # the head, by hand"
    )
    return el("div", el("p", _LIMITS), el("pre", commands, class_="wrap"))
